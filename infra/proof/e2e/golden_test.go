//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"flag"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/infra/proof/stack"
)

var update = flag.Bool("update", false, "rewrite testdata/golden")

// TestGolden: what others rely on is as it was, after a complete import of the
// history and one of a day. That is the SQL schema, the keys of the objects, the
// outputs of the stack, and the texts that operators read in the log, the alerts and
// the reports. Ids, times and numbers are replaced by placeholders.
func TestGolden(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "31")
	sc.upload(t, of, of.files(t)...)
	day := sc.settle(t, of, 1)
	history, _ := sc.importOf(t, "initial", historyDate)
	both := []stack.Import{history, day}
	golden(t, "schema.sql", sc.schema(t, both))
	golden(t, "keys.txt", append(landingKeys(both), sc.workKeys(t, both)...))
	golden(t, "outputs.txt", sc.outputNames(t))
	golden(t, "log.txt", sc.logTexts(t, both))
	golden(t, "alerts.txt", sc.alertTexts(t, both))
	golden(t, "report.txt", sc.reportTexts(t, both))
}

// golden compares lines with a golden file.
func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	path := filepath.Join("infra", "proof", "e2e", "testdata", "golden", name)
	got := []byte(strings.Join(lines, "\n") + "\n")
	if *update {
		write(t, path, got)
	}
	want, err := os.ReadFile(path) //nolint:gosec // a golden file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	wanted := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
	for _, l := range lines {
		if !slices.Contains(wanted, l) {
			t.Errorf("%s: + %s", name, l)
		}
	}
	for _, l := range wanted {
		if !slices.Contains(lines, l) {
			t.Errorf("%s: - %s", name, l)
		}
	}
	t.Errorf("%s differs; `make e2e RUN=TestGolden UPDATE=1` rewrites it", path)
}

// placeholders replace what differs from run to run, in this order.
var placeholders = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`(IMPORT_|import_)?[0-9]{8}_[0-9]{6}_[0-9]{3}`), "IMPORT"},
	{regexp.MustCompile(`arn:[^\s"']+`), "ARN"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+( ?UTC|Z|[+-][0-9:]+)?`), "TIME"},
	{regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}`), "DATE"},
	{regexp.MustCompile(`_[0-9]{8}\.`), "_DATE."},
	{regexp.MustCompile(`s3://[^/]+/`), "s3://BUCKET/"},
	{regexp.MustCompile(`CREATE INDEX staging_\S+ ON`), "CREATE INDEX staging_… ON"}, // PostgreSQL cut the name
}

// numbers are what is counted and measured in texts.
var numbers = regexp.MustCompile(`\b[0-9]+([ \x{00a0}\x{202f}][0-9]{3})*([.,][0-9]+)?`)

// durations are texts of more than a minute, numbers replaced.
var durations = regexp.MustCompile(`\bN (min N s|h N min)\b`)

// masked replaces what differs from run to run by placeholders.
func masked(text string) string {
	for _, p := range placeholders {
		text = p.pattern.ReplaceAllString(text, p.by)
	}
	return text
}

// counted replaces numbers and durations as well.
func counted(text string) string {
	return durations.ReplaceAllString(numbers.ReplaceAllString(masked(text), "N"), "N s")
}

// distinct returns the lines sorted, each once.
func distinct(lines []string) []string {
	slices.Sort(lines)
	return slices.Compact(lines)
}

// schema is the SQL schema as pg_dump writes it, a statement after the other. Of the
// tables that belong to an import it has those of the given ones.
func (sc *scenario) schema(t *testing.T, of []stack.Import) []string {
	t.Helper()
	dump := string(sc.pgDump(t, "--schema-only", "--no-owner", "--schema=etl", "--schema=staging", "--schema=final", "--schema=partitions"))
	owned := placeholders[0].pattern
	var statements []string
	for _, statement := range strings.Split(dump, "\n--\n-- Name: ")[1:] {
		names := owned.FindAllString(statement, -1)
		foreign := slices.ContainsFunc(names, func(name string) bool {
			return !slices.ContainsFunc(of, func(imp stack.Import) bool {
				return strings.HasSuffix(imp.ImportID, strings.TrimPrefix(strings.ToUpper(name), "IMPORT_"))
			})
		})
		if foreign {
			continue
		}
		_, statement, _ = strings.Cut(statement, "\n--\n")
		statement, _, _ = strings.Cut(statement, "\n\n\n") // settings of the next one, or the end of the dump
		statements = append(statements, strings.TrimSpace(masked(statement)))
	}
	return distinct(statements)
}

// landingKeys are the keys of the files that imports sealed.
func landingKeys(of []stack.Import) (keys []string) {
	for _, imp := range of {
		for _, f := range imp.Files {
			keys = append(keys, masked(f.Key))
		}
	}
	return distinct(keys)
}

// workKeys are the keys of the objects that imports have in the work bucket.
func (sc *scenario) workKeys(t *testing.T, of []stack.Import) (keys []string) {
	t.Helper()
	for _, imp := range of {
		pages := s3.NewListObjectsV2Paginator(sc.S3, &s3.ListObjectsV2Input{
			Bucket: aws.String(sc.Env["WORK_BUCKET"]), Prefix: aws.String(imp.ImportID + "/"),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Contents {
				keys = append(keys, regexp.MustCompile(`/[0-9]+`).ReplaceAllString(masked(aws.ToString(o.Key)), "/N"))
			}
		}
	}
	return distinct(keys)
}

// outputNames are the names of the stack's outputs.
func (sc *scenario) outputNames(t *testing.T) (names []string) {
	t.Helper()
	outputs, err := sc.Outputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name := range outputs {
		names = append(names, name)
	}
	return distinct(names)
}

// logTexts are the messages about imports in the central log, with their level and step.
// A step that failed and was repeated, as one that waited too long for a lock does,
// leaves a line that says nothing of an import that succeeded.
func (sc *scenario) logTexts(t *testing.T, of []stack.Import) (texts []string) {
	t.Helper()
	for _, imp := range of {
		for _, l := range sc.log(t, func(l line) bool { return l.ImportID == imp.ImportID && l.Message != "Échec de l'étape" }) {
			texts = append(texts, l.Level+" | "+l.Step+" | "+counted(l.Message))
		}
	}
	return distinct(texts)
}

// alertTexts are the alerts about imports.
func (sc *scenario) alertTexts(t *testing.T, of []stack.Import) (texts []string) {
	t.Helper()
	sc.receive(t)
	for _, imp := range of {
		for _, a := range sc.alerts {
			if strings.Contains(a.Message, imp.ImportID) {
				texts = append(texts, masked(a.Subject)+"\n"+counted(a.Message))
			}
		}
	}
	return distinct(texts)
}

// reportTexts are what the reports say, a line for each of their texts and for each
// row of their tables.
func (sc *scenario) reportTexts(t *testing.T, of []stack.Import) (texts []string) {
	t.Helper()
	within := regexp.MustCompile(`(?s)<style>.*?</style>|</?(span|code)[^>]*>|<(td|th|dt)\b[^>]*>`)
	between, tags := regexp.MustCompile(`</(td|th|dt)>`), regexp.MustCompile(`<[^>]*>`)
	for _, imp := range of {
		page := string(sc.object(t, sc.Env["WORK_BUCKET"], imp.ImportID+"/report.html"))
		page = tags.ReplaceAllString(between.ReplaceAllString(within.ReplaceAllString(page, ""), " | "), "\n")
		for text := range strings.Lines(page) {
			if text = strings.TrimSpace(html.UnescapeString(text)); text != "" {
				texts = append(texts, counted(text))
			}
		}
	}
	return texts
}
