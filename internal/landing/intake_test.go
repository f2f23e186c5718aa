package landing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

var emulator *registrytest.Emulator

func TestMain(m *testing.M) {
	os.Exit(registrytest.Run(m, func(e *registrytest.Emulator) { emulator = e }))
}

var errDown = errors.New("connection refused")

type inbox struct {
	alerts []message.Alert
	down   bool
}

func (b *inbox) Alert(_ context.Context, a message.Alert) error {
	if b.down {
		return errDown
	}
	b.alerts = append(b.alerts, a)
	return nil
}

type starter struct{ triggers []string }

func (s *starter) Advance(_ context.Context, trigger string) error {
	s.triggers = append(s.triggers, trigger)
	return nil
}

// shaky is a bucket whose listing can fail.
type shaky struct {
	landing.Bucket
	down bool
}

func (s *shaky) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput, o ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	if s.down {
		return nil, errDown
	}
	return s.Bucket.ListObjectVersions(ctx, in, o...)
}

type house struct {
	t        *testing.T
	bucket   string
	objects  *shaky
	registry *registry.Registry
	inbox    *inbox
	starter  *starter
	log      *bytes.Buffer
	intake   *landing.Intake
}

func open(t *testing.T) *house {
	t.Helper()
	clock := &registrytest.Clock{}
	h := &house{
		t: t, bucket: emulator.Bucket(t), objects: &shaky{Bucket: emulator.S3()}, registry: emulator.Open(t, clock.Now),
		inbox: &inbox{}, starter: &starter{}, log: &bytes.Buffer{},
	}
	var err error
	h.intake, err = landing.NewIntake(landing.Config{
		Bucket: h.bucket, Objects: h.objects, Registry: h.registry, Names: names(t), Alerts: h.inbox, Starter: h.starter,
		Log: centrallog.New(h.log, slog.LevelInfo),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) upload(key, content string) {
	h.t.Helper()
	if _, err := emulator.S3().PutObject(h.t.Context(), &s3.PutObjectInput{Bucket: &h.bucket, Key: &key, Body: strings.NewReader(content)}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) remove(key string) {
	h.t.Helper()
	if _, err := emulator.S3().DeleteObject(h.t.Context(), &s3.DeleteObjectInput{Bucket: &h.bucket, Key: &key}); err != nil {
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
	arrivals, err := h.registry.Arrivals(h.t.Context(), registry.ModeDaily, "2024-10-08")
	if err != nil {
		h.t.Fatal(err)
	}
	return arrivals[resource]
}

func TestBadNameIsAlertedOnce(t *testing.T) {
	h := open(t)
	const key = "daily/client_data_20240230.csv"
	h.upload(key, "x")
	h.inbox.down = true
	if _, err := h.handle(key); err == nil {
		t.Fatal("no error although the alert could not be sent")
	}
	h.inbox.down = false
	for range 3 {
		if got := h.outcome(key); got != landing.BadName {
			t.Errorf("outcome = %s", got)
		}
	}
	if len(h.inbox.alerts) != 1 || !strings.Contains(h.inbox.alerts[0].Text, key) || len(h.starter.triggers) != 0 {
		t.Errorf("alerts = %v, starts %v", h.inbox.alerts, h.starter.triggers)
	}
	var line map[string]any
	first, _, _ := strings.Cut(h.log.String(), "\n")
	if err := json.Unmarshal([]byte(first), &line); err != nil {
		t.Fatal(err)
	}
	if line["level"] != "WARN" || line["file"] != key || line["error_details"] != message.BadDate {
		t.Errorf("log = %s", first)
	}
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
	h := open(t)
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

func TestReconcile(t *testing.T) {
	h := open(t)
	h.upload("daily/client_data_20241008.csv", "x")
	h.upload("daily/sales_data_20241008.csv", "x")
	h.upload("daily/notes.txt", "x")
	for want := 2; want >= 0; want -= 2 {
		if n, err := h.intake.Reconcile(t.Context()); err != nil || n != want {
			t.Errorf("Reconcile = %d, %v; want %d", n, err, want)
		}
	}
	h.upload("daily/client_data_20241008.csv", "newer")
	h.remove("daily/sales_data_20241008.csv")
	if n, err := h.intake.Reconcile(t.Context()); err != nil || n != 2 {
		t.Errorf("Reconcile = %d, %v", n, err)
	}
	if h.newest("clients").Size != 5 || h.newest("ventes").Key != "" || len(h.inbox.alerts) != 1 {
		t.Errorf("clients %+v, ventes %+v, alerts %d", h.newest("clients"), h.newest("ventes"), len(h.inbox.alerts))
	}
}

// A badly named object whose alert cannot be sent keeps no file out, and is
// refused once it can.
func TestReconcileWithoutAlerts(t *testing.T) {
	h := open(t)
	h.upload("daily/a.txt", "x")
	h.upload("daily/b.txt", "x")
	h.upload("daily/client_data_20241008.csv", "x")
	h.inbox.down = true
	n, err := h.intake.Reconcile(t.Context())
	if _, untold := errors.AsType[*landing.UntoldError](err); !untold || !errors.Is(err, errDown) || n != 1 || h.newest("clients").Key == "" {
		t.Errorf("Reconcile = %d, %v; clients %+v", n, err, h.newest("clients"))
	}
	h.inbox.down = false
	if n, err := h.intake.Reconcile(t.Context()); err != nil || n != 0 || len(h.inbox.alerts) != 2 {
		t.Errorf("Reconcile = %d, %v; %d alerts", n, err, len(h.inbox.alerts))
	}
}

func TestBucketDown(t *testing.T) {
	h := open(t)
	h.objects.down = true
	_, err := h.handle("daily/client_data_20241008.csv")
	if _, ok := errors.AsType[*fault.Transient](err); !ok {
		t.Errorf("handle: %v", err)
	}
	_, err = h.intake.Reconcile(t.Context())
	if _, ok := errors.AsType[*fault.Transient](err); !ok {
		t.Errorf("reconcile: %v", err)
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
	if _, err := landing.NewIntake(landing.Config{}); err == nil {
		t.Error("no error")
	}
}
