package landing_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

// warehouse is a bucket of very many objects. It has S3's limits: a call answers
// a thousand entries at most, and takes its time, by which it moves the clock.
type warehouse struct {
	t        *testing.T
	clock    *registrytest.Clock
	took     time.Duration // a call
	keys     []string      // sorted
	versions map[string]int
	calls    int
	listed   int // entries answered
}

func (w *warehouse) put(keys ...string) {
	for _, key := range keys {
		if w.versions[key]++; w.versions[key] == 1 {
			w.keys = append(w.keys, key)
		}
	}
	slices.Sort(w.keys)
}

func (w *warehouse) call(encoding types.EncodingType) {
	w.calls++
	w.clock.Move(w.took)
	if encoding != types.EncodingTypeUrl {
		w.t.Error("a listing whose keys XML may not be able to hold")
	}
}

func (w *warehouse) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	w.call(in.EncodingType)
	out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(false)}
	from, exact := slices.BinarySearch(w.keys, aws.ToString(in.StartAfter))
	if exact {
		from++
	}
	if prefix, _ := slices.BinarySearch(w.keys, aws.ToString(in.Prefix)); prefix > from {
		from = prefix
	}
	for _, key := range w.keys[from:] {
		if !strings.HasPrefix(key, aws.ToString(in.Prefix)) {
			break
		}
		if len(out.Contents) == 1000 {
			out.IsTruncated = aws.Bool(true)
			break
		}
		out.Contents = append(out.Contents, types.Object{
			Key: aws.String(url.QueryEscape(key)), ETag: aws.String(w.tag(key)), Size: aws.Int64(1), LastModified: aws.Time(w.modified(key)),
		})
	}
	w.listed += len(out.Contents)
	return out, nil
}

// ListObjectVersions answers as S3 does: newest first, and no more than asked for.
func (w *warehouse) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput, _ ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	w.call(in.EncodingType)
	out := &s3.ListObjectVersionsOutput{}
	from, _ := slices.BinarySearch(w.keys, aws.ToString(in.Prefix))
	most := min(1000, int(aws.ToInt32(in.MaxKeys)))
	for _, key := range w.keys[from:] {
		for n := w.versions[key]; n > 0; n-- {
			if len(out.Versions) == most || !strings.HasPrefix(key, aws.ToString(in.Prefix)) {
				w.listed += len(out.Versions)
				return out, nil
			}
			out.Versions = append(out.Versions, types.ObjectVersion{
				Key: aws.String(url.QueryEscape(key)), VersionId: aws.String(fmt.Sprint("v", n)), IsLatest: aws.Bool(n == w.versions[key]),
				ETag: aws.String(w.tag(key)), Size: aws.Int64(1), LastModified: aws.Time(w.modified(key)),
			})
		}
	}
	w.listed += len(out.Versions)
	return out, nil
}

func (w *warehouse) tag(key string) string { return fmt.Sprintf(`"%d"`, w.versions[key]) }

func (w *warehouse) modified(key string) time.Time {
	return time.Date(2024, 10, 9, 3, 0, w.versions[key], 0, time.UTC)
}

// slow is a DynamoDB whose calls are counted and take their time.
type slow struct {
	registry.DynamoDB
	clock         *registrytest.Clock
	took          time.Duration
	reads, writes int
}

func (s *slow) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	s.reads++
	s.clock.Move(s.took)
	return s.DynamoDB.BatchGetItem(ctx, in, o...)
}

func (s *slow) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	s.reads++
	s.clock.Move(s.took)
	return s.DynamoDB.GetItem(ctx, in, o...)
}

func (s *slow) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	s.reads++
	s.clock.Move(s.took)
	return s.DynamoDB.Query(ctx, in, o...)
}

func (s *slow) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	s.writes++
	s.clock.Move(s.took)
	return s.DynamoDB.PutItem(ctx, in, o...)
}

func (s *slow) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	s.writes++
	s.clock.Move(s.took)
	return s.DynamoDB.TransactWriteItems(ctx, in, o...)
}

// stored opens a house whose bucket is a warehouse.
func stored(t *testing.T) (*house, *warehouse, *slow) {
	t.Helper()
	h := open(t)
	w := &warehouse{t: t, clock: h.clock, versions: map[string]int{}}
	s := &slow{DynamoDB: &memory.Table{}, clock: h.clock}
	h.registry = registry.New(s, "registry", h.clock.Now)
	h.intake = h.intakeOf(w)
	return h, w, s
}

// junk are badly named keys.
func junk(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("daily/client_data_20241008-%07d.csv", i)
	}
	return keys
}

// Twenty thousand badly named objects cost one alert, and from then on the reads
// of what is known alone: no write, no read an object.
func TestJunkCostsLittle(t *testing.T) {
	h, w, s := stored(t)
	w.put(junk(20_000)...)
	w.put("initial/notes.txt")
	for range 3 { // the first ends before the last object
		h.walk()
	}
	if len(h.inbox.alerts) != 2 || !strings.Contains(h.inbox.alerts[0].Subject, "20000") {
		t.Fatalf("%d alerts, first %q", len(h.inbox.alerts), h.inbox.alerts[0].Subject)
	}
	if names := strings.Count(h.inbox.alerts[0].Text, "client_data_20241008-"); names != 20 || len(h.inbox.alerts[0].Text) > alert.AlertBytes {
		t.Errorf("%d names, %d bytes", names, len(h.inbox.alerts[0].Text))
	}
	w.calls, s.reads, s.writes = 0, 0, 0
	h.walk()
	if w.calls > 21 || s.reads > 215 || s.writes > 1 || len(h.inbox.alerts) != 2 {
		t.Errorf("%d listings, %d reads, %d writes, %d alerts", w.calls, s.reads, s.writes, len(h.inbox.alerts))
	}
	w.put("daily/another.txt")
	s.writes = 0
	h.walk() // to the end
	h.walk()
	if s.writes > 3 || len(h.inbox.alerts) != 3 || !strings.Contains(h.inbox.alerts[2].Text, "another.txt") {
		t.Errorf("%d writes, %d alerts", s.writes, len(h.inbox.alerts))
	}
}

// However much there is and however slow the calls are, a walk ends in time, and
// the next ones come to the end.
func TestWalkEndsInTime(t *testing.T) {
	h, w, s := stored(t)
	w.put(junk(10_000)...)
	const last = "daily/store_data_20241008.csv"
	w.put(last)
	w.took, s.took = 2*time.Second, 500*time.Millisecond
	for n := 1; h.newest("magasins").Key == ""; n++ {
		before := h.clock.Now()
		if h.walk(); h.clock.Now().Sub(before) > 150*time.Second {
			t.Fatalf("walk %d took %s", n, h.clock.Now().Sub(before))
		}
		if n > 12 {
			t.Fatal("the walks do not come to the end")
		}
	}
}

// What a date's files are called is looked for by name: junk beside it costs a look
// nothing, and a million versions of one key cost one entry.
func TestLookIsBounded(t *testing.T) {
	h, w, s := stored(t)
	w.put(junk(20_000)...)
	others := make([]string, 20_000)
	for i := range others {
		others[i] = fmt.Sprintf("a/%d", i)
	}
	w.put(others...)
	const many = "daily/sales_data_20241008.csv"
	w.put(many)
	w.versions[many] = 1_000_000
	w.put("daily/store_data_20241008.csv", "daily/store_data_20241009.csv")
	w.took, s.took = time.Second/10, time.Second/20
	before := h.clock.Now()
	n, err := h.intake.Look(t.Context(), etl.ModeDaily, "2024-10-08", "2024-10-08")
	if err != nil || n != 2 || h.newest("ventes").VersionID != "v1000000" || h.newest("magasins").Key == "" {
		t.Errorf("Look = %d, %v; ventes %+v", n, err, h.newest("ventes"))
	}
	if w.calls > 30 || w.listed > 4000 || h.clock.Now().Sub(before) > 20*time.Second {
		t.Errorf("%d calls listed %d entries in %s", w.calls, w.listed, h.clock.Now().Sub(before))
	}
	w.put(many)
	w.calls, w.listed = 0, 0
	if got := h.outcome(many); got != landing.Recorded || w.calls != 1 || w.listed != 1 {
		t.Errorf("a notification: %s, %d calls listed %d entries", got, w.calls, w.listed)
	}
}

// Very many dates, all of them well named, end a look in time too.
func TestLookOfManyDates(t *testing.T) {
	h, w, s := stored(t)
	for day := range 3000 {
		w.put("daily/client_data_" + time.Date(2016, 1, 1+day, 0, 0, 0, 0, time.UTC).Format("20060102") + ".csv")
	}
	w.took, s.took = time.Second/10, time.Second/20
	before := h.clock.Now()
	if _, err := h.intake.Look(t.Context(), etl.ModeDaily, "", "2024-10-08"); err != nil {
		t.Fatal(err)
	}
	if took := h.clock.Now().Sub(before); took > 30*time.Second {
		t.Errorf("a look took %s", took)
	}
}

// Keys of any length and any characters are refused, remembered and passed by.
func TestMonstrousKeys(t *testing.T) {
	h := openEmulated(t)
	keys := []string{
		"daily/" + strings.Repeat("k", 1018), strings.Repeat("é", 512), "daily/a\x01b\n.csv", "daily/a+b c%20.csv", "daily/a\u202eb",
	}
	for _, key := range keys {
		h.upload(key, "x")
		if got := h.outcome(key); got != landing.BadName {
			t.Errorf("%q: %s", key, got)
		}
	}
	h.upload("daily/store_data_20241008.csv", "x")
	h.walk()
	if len(h.inbox.alerts) != 1 || !strings.Contains(h.inbox.alerts[0].Subject, fmt.Sprint(len(keys))) || strings.ContainsAny(h.inbox.alerts[0].Text, "\x01\u202e") {
		t.Errorf("alerts %q", h.inbox.alerts)
	}
	if h.walk(); len(h.inbox.alerts) != 1 || h.newest("magasins").Key == "" {
		t.Errorf("%d alerts, arrival %+v", len(h.inbox.alerts), h.newest("magasins"))
	}
}

// A walk goes on where the last one stopped, and begins anew behind the end.
func TestWalkGoesOn(t *testing.T) {
	h, w, _ := stored(t)
	w.put(junk(21_500)...)
	h.walk()
	before, err := h.registry.Walk(t.Context())
	if err != nil || before.Object == "" {
		t.Fatalf("walked to %+v, %v", before, err)
	}
	w.calls = 0
	h.walk()
	if after, err := h.registry.Walk(t.Context()); err != nil || after.Object != "" || w.calls != 2 {
		t.Errorf("walked to %+v with %d calls, %v", after, w.calls, err)
	}
}
