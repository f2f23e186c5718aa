package landing_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

var emulator *registrytest.Emulator

func TestMain(m *testing.M) {
	os.Exit(registrytest.Run(m, func(e *registrytest.Emulator) { emulator = e }))
}

var errDown = errors.New("connection refused")

type inbox struct {
	alerts []alert.Alert
	down   bool
}

func (b *inbox) Alert(_ context.Context, a alert.Alert) error {
	if b.down {
		return errDown
	}
	b.alerts = append(b.alerts, a)
	return nil
}

type starter struct{ triggers []etl.Trigger }

func (s *starter) Advance(_ context.Context, trigger etl.Trigger) error {
	s.triggers = append(s.triggers, trigger)
	return nil
}

// client is what the tests need of S3.
type client interface {
	objectstore.Lister
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// shaky is an S3 whose listings can fail.
type shaky struct {
	client
	down bool
}

func (s *shaky) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput, o ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	if s.down {
		return nil, errDown
	}
	return s.client.ListObjectVersions(ctx, in, o...)
}

func (s *shaky) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, o ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	if s.down {
		return nil, errDown
	}
	return s.client.ListObjectsV2(ctx, in, o...)
}

type house struct {
	t        *testing.T
	clock    *registrytest.Clock
	bucket   string
	s3       *shaky
	registry *registry.Registry
	inbox    *inbox
	starter  *starter
	log      *bytes.Buffer
	intake   *landing.Intake
}

// open opens a house whose table and bucket are in memory.
func open(t *testing.T) *house {
	t.Helper()
	clock := &registrytest.Clock{}
	return furnish(t, clock, &memory.Bucket{Now: clock.Now}, "landing", registry.New(&memory.Table{}, "registry", clock.Now))
}

// openEmulated opens a house whose table and bucket are the emulator's.
func openEmulated(t *testing.T) *house {
	t.Helper()
	clock := &registrytest.Clock{}
	return furnish(t, clock, emulator.S3(t), emulator.Bucket(t), emulator.Open(t, clock.Now))
}

func furnish(t *testing.T, clock *registrytest.Clock, c client, bucket string, r *registry.Registry) *house {
	t.Helper()
	h := &house{
		t: t, clock: clock, bucket: bucket, s3: &shaky{client: c}, registry: r, inbox: &inbox{}, starter: &starter{}, log: &bytes.Buffer{},
	}
	h.intake = h.intakeOf(h.s3)
	return h
}

// intakeOf returns an intake of the house that lists a bucket.
func (h *house) intakeOf(bucket objectstore.Lister) *landing.Intake {
	h.t.Helper()
	recorder, err := landing.NewRecorder(landing.Config{
		Bucket: h.bucket, Objects: objectstore.NewListing(bucket, h.bucket), Registry: h.registry, Names: names(h.t), Alerts: h.inbox,
		Log: centrallog.New(h.log, slog.LevelInfo), Horizon: landing.Horizon{Now: h.clock.Now, Days: 1},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	intake, err := landing.NewIntake(recorder, h.starter)
	if err != nil {
		h.t.Fatal(err)
	}
	return intake
}

func (h *house) upload(key, content string) {
	h.t.Helper()
	if _, err := h.s3.PutObject(h.t.Context(), &s3.PutObjectInput{Bucket: &h.bucket, Key: &key, Body: strings.NewReader(content)}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) remove(key string) {
	h.t.Helper()
	if _, err := h.s3.DeleteObject(h.t.Context(), &s3.DeleteObjectInput{Bucket: &h.bucket, Key: &key}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) handle(key string) (landing.Answer, error) {
	var event landing.Event
	event.Detail.Bucket.Name, event.Detail.Object.Key, event.Detail.Object.VersionID = h.bucket, key, "v1"
	return h.intake.Handle(h.t.Context(), event)
}

func (h *house) outcome(key string) string {
	h.t.Helper()
	answer, err := h.handle(key)
	if err != nil {
		h.t.Fatalf("handle %s: %v", key, err)
	}
	return answer.Outcome
}

func (h *house) newest(resource string) registry.Arrival {
	h.t.Helper()
	arrivals, err := h.registry.Arrivals(h.t.Context(), etl.ModeDaily, "2024-10-08")
	if err != nil {
		h.t.Fatal(err)
	}
	return arrivals[resource]
}

// walk goes through the bucket.
func (h *house) walk() int {
	h.t.Helper()
	n, err := h.intake.Walk(h.t.Context())
	if err != nil {
		h.t.Fatalf("walk: %v", err)
	}
	return n
}

// A bad name is logged when it comes, once, and alerted by the next walk, once.
func TestBadNameIsToldOnce(t *testing.T) {
	h := open(t)
	const key = "daily/client_data_20240230.csv"
	h.upload(key, "x")
	for range 3 {
		if got := h.outcome(key); got != landing.BadName {
			t.Errorf("outcome = %s", got)
		}
	}
	if len(h.inbox.alerts) != 0 || strings.Count(h.log.String(), alert.LogBadName) != 1 {
		t.Errorf("%d alerts, log %s", len(h.inbox.alerts), h.log)
	}
	h.inbox.down = true
	if _, err := h.intake.Walk(t.Context()); !errors.As(err, new(*landing.UntoldError)) {
		t.Fatalf("walk: %v", err)
	}
	h.inbox.down = false
	for range 3 {
		h.walk()
	}
	if len(h.inbox.alerts) != 1 || !strings.Contains(h.inbox.alerts[0].Text, key) || len(h.starter.triggers) != 0 {
		t.Errorf("alerts = %v, starts %v", h.inbox.alerts, h.starter.triggers)
	}
	var line map[string]any
	first, rest, _ := strings.Cut(h.log.String(), "\n")
	if err := json.Unmarshal([]byte(first), &line); err != nil {
		t.Fatal(err)
	}
	if line["level"] != "WARN" || line["file"] != key || line["error_details"] != landing.BadDate || rest != "" {
		t.Errorf("log = %s", h.log)
	}
}

// Each version of a badly named object is told; a replay of its notification is
// not, whether the walk or the notification was first.
func TestBadNameComesAgain(t *testing.T) {
	h := open(t)
	const key = "daily/notes.txt"
	notify := func(version, tag string) {
		t.Helper()
		var event landing.Event
		event.Detail.Bucket.Name = h.bucket
		event.Detail.Object.Key, event.Detail.Object.VersionID, event.Detail.Object.ETag = key, version, tag
		if _, err := h.intake.Handle(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	h.upload(key, "one")
	h.walk() // before its notification
	notify("v1", tagOf("one"))
	h.walk()
	told := func(want int) {
		t.Helper()
		if n := strings.Count(h.log.String(), alert.LogBadName); n != want || len(h.inbox.alerts) != want {
			t.Fatalf("logged %d, alerted %d times, want %d", n, len(h.inbox.alerts), want)
		}
	}
	told(1)
	h.upload(key, "two")
	notify("v2", tagOf("two"))
	notify("v2", tagOf("two"))
	h.walk()
	told(2)
	h.upload(key, "three") // its notification is lost
	h.walk()
	h.walk()
	told(3)
}

// tagOf is the entity tag of a content, as notifications give it.
func tagOf(content string) string {
	sum := md5.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

func TestIgnored(t *testing.T) {
	h := open(t)
	if got := h.outcome("daily/"); got != landing.Ignored {
		t.Errorf("a folder: %s", got)
	}
	var other landing.Event
	other.Detail.Bucket.Name, other.Detail.Object.Key = "another", "daily/client_data_20241008.csv"
	if answer, err := h.intake.Handle(t.Context(), other); err != nil || answer.Outcome != landing.Ignored {
		t.Errorf("another bucket: %+v, %v", answer, err)
	}
}

func TestNewestVersionWhateverTheOrderOfEvents(t *testing.T) {
	h := openEmulated(t)
	const key = "daily/client_data_20241008.csv"
	h.upload(key, "first")
	h.upload(key, "second, longer")
	if got := h.outcome(key); got != landing.Recorded {
		t.Errorf("first event: %s", got)
	}
	if got := h.outcome(key); got != landing.Unchanged {
		t.Errorf("second event: %s", got)
	}
	if got := h.newest("clients"); got.Size != int64(len("second, longer")) {
		t.Errorf("newest = %+v", got)
	}
	if got := h.outcome("daily%2Fclient_data_20241008.csv"); got != landing.Unchanged {
		t.Errorf("an encoded key: %s", got)
	}
	h.remove(key)
	if got := h.outcome(key); got != landing.Withdrawn {
		t.Errorf("after it was deleted: %s", got)
	}
	if got := h.newest("clients"); got.VersionID != "" {
		t.Errorf("newest = %+v", got)
	}
}

// A key that others begin with is not mistaken for them.
func TestLookTakesTheVeryKey(t *testing.T) {
	h := open(t)
	h.upload("daily/client_data_20241008.json", "[]")
	h.upload("daily/client_data_20241008.jsonl", "{}{}{}")
	h.remove("daily/client_data_20241008.json")
	if got := h.outcome("daily/client_data_20241008.json"); got != landing.Unchanged {
		t.Errorf("outcome = %s", got)
	}
	if got := h.newest("clients"); got.Key != "" {
		t.Errorf("newest = %+v", got)
	}
}

func TestWalk(t *testing.T) {
	h := openEmulated(t)
	h.upload("daily/client_data_20241008.csv", "x")
	h.upload("daily/sales_data_20241008.csv", "x")
	h.upload("daily/notes.txt", "x")
	for want := 2; want >= 0; want -= 2 {
		if n := h.walk(); n != want {
			t.Errorf("Walk = %d; want %d", n, want)
		}
	}
	h.upload("daily/client_data_20241008.csv", "newer")
	h.remove("daily/sales_data_20241008.csv")
	if n := h.walk(); n != 2 {
		t.Errorf("Walk = %d", n)
	}
	if h.newest("clients").Size != 5 || h.newest("ventes").Key != "" || len(h.inbox.alerts) != 1 {
		t.Errorf("clients %+v, ventes %+v, alerts %d", h.newest("clients"), h.newest("ventes"), len(h.inbox.alerts))
	}
}

// Badly named objects whose alert cannot be sent keep no file out, and are told
// once it can, in one message.
func TestWalkWithoutAlerts(t *testing.T) {
	h := open(t)
	h.upload("daily/a.txt", "x")
	h.upload("b.txt", "x")
	h.upload("daily/client_data_20241008.csv", "x")
	h.inbox.down = true
	n, err := h.intake.Walk(t.Context())
	if _, untold := errors.AsType[*landing.UntoldError](err); !untold || !errors.Is(err, errDown) || n != 1 || h.newest("clients").Key == "" {
		t.Errorf("Walk = %d, %v; clients %+v", n, err, h.newest("clients"))
	}
	h.inbox.down = false
	if n := h.walk(); n != 0 || len(h.inbox.alerts) != 1 {
		t.Fatalf("Walk = %d; %d alerts", n, len(h.inbox.alerts))
	}
	if text := h.inbox.alerts[0].Text; !strings.Contains(text, "daily/a.txt") || !strings.Contains(text, "b.txt") {
		t.Errorf("alert %s", text)
	}
}

func TestBucketDown(t *testing.T) {
	h := open(t)
	h.s3.down = true
	_, err := h.handle("daily/client_data_20241008.csv")
	if _, ok := errors.AsType[*fault.Transient](err); !ok {
		t.Errorf("handle: %v", err)
	}
	_, err = h.intake.Walk(t.Context())
	if _, ok := errors.AsType[*fault.Transient](err); !ok {
		t.Errorf("walk: %v", err)
	}
	_, err = h.intake.Look(t.Context(), etl.ModeDaily, "", "2024-10-09")
	if _, ok := errors.AsType[*fault.Transient](err); !ok {
		t.Errorf("look: %v", err)
	}
}

// The sample event is the one that AWS documents; what is not used is ignored.
func TestSampleEvent(t *testing.T) {
	body, err := os.ReadFile("../../functions/intake/event.json")
	if err != nil {
		t.Fatal(err)
	}
	var event landing.Event
	if err := json.Unmarshal(body, &event); err != nil {
		t.Fatal(err)
	}
	if o := event.Detail.Object; o.Key != "daily/client_data_20241008.csv" || o.VersionID == "" || event.Detail.Bucket.Name == "" {
		t.Errorf("event = %+v", event)
	}
}

func TestIntakeNeedsItsConfig(t *testing.T) {
	if _, err := landing.NewRecorder(landing.Config{}); err == nil {
		t.Error("no error")
	}
	if _, err := landing.NewIntake(nil, &starter{}); err == nil {
		t.Error("no error without a recorder")
	}
	if _, err := landing.NewIntake(&landing.Recorder{}, nil); err == nil {
		t.Error("no error without a starter")
	}
}
