package control_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// remove deletes objects; S3 notifies nobody of that.
func (h *house) remove(keys ...string) {
	h.t.Helper()
	for _, key := range keys {
		if _, err := h.objects.DeleteObject(h.t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucketName), Key: &key}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// waits reports whether a date stands in the queue without an import.
func (h *house) waits(mode etl.Mode, date string) bool {
	h.t.Helper()
	queue, err := h.registry.Queue(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range queue {
		if e.Mode == mode && e.FileDate == date && e.ImportID == "" {
			return true
		}
	}
	return false
}

// A date of which every file was removed leaves the queue: the next day starts,
// and no deadline starts an empty import.
func TestRemovedDateLeavesTheQueue(t *testing.T) {
	h := open(t)
	early, late := files(daily, "2024-10-06"), files(daily, "2024-10-08")
	h.arrive(early[:3]...)
	h.arrive(late...)
	if h.hasImport(daily, "2024-10-08") {
		t.Fatal("an incomplete date holds up nobody")
	}
	h.remove(early[:2]...)
	h.sweep(control.SweepEvent{})
	if !h.waits(daily, "2024-10-06") {
		t.Fatal("a date left the queue with one of its files still there")
	}
	h.remove(early[2])
	h.sweep(control.SweepEvent{})
	if h.waits(daily, "2024-10-06") || h.importOf(daily, "2024-10-08").Status != etl.StatusRunning {
		t.Fatal("the empty date still waits, or the next day does not run")
	}
	h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	h.sweep(deadlineOf(2024, 10, 10)) // the 9th is due
	if h.hasImport(daily, "2024-10-06") || !h.hasImport(daily, "2024-10-09") {
		t.Error("the deadline started an empty import, or not the date due")
	}
}

// The files of a date that waits are removed when a deadline has marked it: it
// leaves all the same. The date that the deadline asks for stays.
func TestRemovedWhileDue(t *testing.T) {
	h := open(t)
	running := files(daily, "2024-10-05")
	h.arrive(running...)
	early := files(daily, "2024-10-06")
	h.arrive(early[:3]...)
	h.sweep(deadlineOf(2024, 10, 9)) // the 8th is due, the 6th holds it up, the 5th runs
	h.remove(early[:3]...)
	h.sweep(control.SweepEvent{})
	if h.waits(daily, "2024-10-06") || !h.waits(daily, "2024-10-08") {
		t.Error("the date of removed files waits, or the one that is due does not")
	}
	h.end(h.importOf(daily, "2024-10-05"), succeeded, "")
	h.sweep(control.SweepEvent{})
	if h.hasImport(daily, "2024-10-06") {
		t.Error("an empty import")
	}
	h.end(h.importOf(daily, "2024-10-08"), failed, "MissingFiles")
}

// The very date of a deadline keeps its place though its files are removed: its
// import says that they are missing.
func TestRemovedOnTheDateDue(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-05")...)
	keys := files(daily, "2024-10-08")
	h.arrive(keys[:4]...)
	h.sweep(deadlineOf(2024, 10, 9))
	h.remove(keys[:4]...)
	h.sweep(control.SweepEvent{})
	h.end(h.importOf(daily, "2024-10-05"), succeeded, "")
	imp := h.end(h.importOf(daily, "2024-10-08"), failed, "MissingFiles")
	if want := control.ReasonMissingFiles(h.setup.Names.Missing(nil)); imp.Reason != want {
		t.Errorf("reason %q, want %q", imp.Reason, want)
	}
}

// Files that come back open their date again.
func TestRemovedFilesComeBack(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-08")
	for range 3 {
		h.arrive(keys[:5]...)
		if !h.waits(daily, "2024-10-08") {
			t.Fatal("the date does not wait")
		}
		h.remove(keys[:5]...)
		h.sweep(control.SweepEvent{})
		if h.waits(daily, "2024-10-08") {
			t.Fatal("the empty date waits")
		}
	}
	h.arrive(keys...)
	h.mustRunOnce("2024-10-08")
}

// What is removed after the import has its import_id is that import's matter: it
// is not started again, and goes on when the files come back.
func TestRemovedAfterTheImportWasAllotted(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-08")
	h.arrive(keys[:9]...)
	h.sweep(deadlineOf(2024, 10, 9))
	imp := h.end(h.importOf(daily, "2024-10-08"), failed, "MissingFiles")
	h.remove(keys[:9]...)
	h.sweep(control.SweepEvent{})
	h.sweep(control.SweepEvent{})
	if queue, err := h.registry.Queue(t.Context()); err != nil || len(queue) != 1 || queue[0].ImportID != imp.ImportID {
		t.Fatalf("queue %+v, %v", queue, err)
	}
	if arrivals, err := h.registry.Arrivals(t.Context(), daily, "2024-10-08"); err != nil || len(arrivals) != 0 {
		t.Errorf("arrivals %v, %v", arrivals, err)
	}
	h.arrive(keys...)
	if got := h.load(imp.ImportID).Status; got != etl.StatusRunning || h.machine.starts != 1 || h.machine.redrives != 1 {
		t.Errorf("%s, %d starts, %d redrives", got, h.machine.starts, h.machine.redrives)
	}
}

// A file comes back while its empty date leaves the queue, whoever is in the
// middle of its work: the date waits, or has its import.
func TestLeavingAndComingBackInterleaved(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)[:len(two)]
	eachInterleaving(t, func(t *testing.T, p *interposer) {
		h := interposed(t, p)
		h.arrive(keys[0])
		h.remove(keys[0])
		p.then = func() {
			h.upload(keys[1], "content")
			if err := h.takeIn(t.Context(), keys[1]); err != nil {
				t.Errorf("take in: %v", err)
			}
		}
		if err := h.takeIn(contextOfActor(t), keys[0]); err != nil {
			t.Fatal(err)
		}
		if p.calls >= p.after && !h.waits(daily, date) {
			t.Fatal("the date has a file and does not wait")
		}
	})
}

// Missing files of an initial import are told some hours after its first file; it
// gets its import_id, fails, and goes on by itself when they come.
func TestInitialDeadline(t *testing.T) {
	const date = "2024-10-01"
	h := open(t, func(c *setup) { c.InitialDeadline, c.NoHistory = 24*time.Hour, false })
	keys := files(etl.ModeInitial, date)
	h.arrive(keys[:8]...)
	h.clock.Move(24*time.Hour - time.Second)
	h.sweep(control.SweepEvent{})
	if h.hasImport(etl.ModeInitial, date) {
		t.Fatal("started before its deadline")
	}
	h.clock.Move(time.Second)
	h.sweep(control.SweepEvent{})
	imp := h.end(h.importOf(etl.ModeInitial, date), failed, "MissingFiles")
	if imp.Mode != etl.ModeInitial || imp.Reason != control.ReasonMissingFiles([]string{"return_data", "employee_data"}) {
		t.Errorf("import %+v", imp)
	}
	for range 3 {
		h.sweep(control.SweepEvent{})
	}
	if got := h.inbox.subjects(); len(got) != 1 || !strings.HasPrefix(got[0], "import en echec") {
		t.Errorf("alerts %v", got)
	}
	h.arrive(keys[8:]...)
	if got := h.load(imp.ImportID).Status; got != etl.StatusRunning || h.machine.redrives != 1 {
		t.Errorf("%s, %d redrives", got, h.machine.redrives)
	}
}

func TestNoInitialDeadline(t *testing.T) {
	h := open(t, func(c *setup) { c.NoHistory = false })
	h.arrive(files(etl.ModeInitial, "2024-10-01")[:8]...)
	h.clock.Move(1000 * time.Hour)
	h.sweep(control.SweepEvent{})
	if h.machine.starts != 0 || len(h.inbox.subjects()) != 0 {
		t.Errorf("%d starts, alerts %v", h.machine.starts, h.inbox.subjects())
	}
}

// A date that misses files although a later one is published is told once, with
// all others of its kind, when its files had time to come.
func TestIncompleteOlderDateIsToldOnce(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	h.arrive(files(daily, "2024-10-04")[:9]...)
	h.arrive(files(daily, "2024-10-03")[1:]...)
	h.arrive(files(daily, "2024-10-09")[:5]...) // not older
	told := func() (texts []string) {
		for _, a := range h.inbox.alerts {
			if strings.Contains(a.Subject, "incomplete") {
				texts = append(texts, a.Text)
			}
		}
		return texts
	}
	h.sweep(control.SweepEvent{})
	if got := told(); len(got) != 0 {
		t.Fatalf("told at once: %q", got)
	}
	h.clock.Move(time.Hour)
	h.inbox.fail = true
	if _, err := h.sweeper.Sweep(t.Context(), control.SweepEvent{}); err == nil {
		t.Error("the alert failed, and the sweep says nothing")
	}
	for range 3 {
		h.sweep(control.SweepEvent{})
	}
	h.arrive(files(daily, "2024-10-03")[1])
	h.sweep(deadlineOf(2024, 10, 10))
	got := told()
	if len(got) != 1 || !strings.Contains(got[0], "2024-10-04 : employee_data\n") || !strings.Contains(got[0], "2024-10-03 : client_data\n") || strings.Contains(got[0], "2024-10-09") {
		t.Errorf("told %q", got)
	}
}

// A date too far in the future is refused and told, does not wait, and is taken in
// by itself when it comes into range.
func TestFutureDate(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-11") // it is the 9th, and one day more is allowed
	h.arrive(keys...)
	h.sweep(control.SweepEvent{})
	h.sweep(control.SweepEvent{})
	if h.waits(daily, "2024-10-11") || h.hasImport(daily, "2024-10-11") {
		t.Fatal("a date of the future is taken in")
	}
	if got := h.inbox.subjects(); len(got) != 1 || got[0] != "fichiers refuses (10)" || !strings.Contains(h.inbox.alerts[0].Text, "à partir du 2024-10-10") {
		t.Errorf("alerts %+v", h.inbox.alerts)
	}
	h.clock.Move(7 * time.Hour) // 22:00 UTC, midnight in Paris
	h.sweep(control.SweepEvent{})
	if got := h.importOf(daily, "2024-10-11").Status; got != etl.StatusRunning {
		t.Errorf("the import is %s", got)
	}
}

// Dates of the future that were recorded before there was a horizon neither start
// nor hold up anybody.
func TestFutureDateOfTheQueue(t *testing.T) {
	h := open(t)
	for i, f := range types {
		if _, _, err := h.registry.RecordArrival(t.Context(), daily, "2204-10-08", f.Resource, files(daily, "2204-10-08")[i], lookOf("v1")); err != nil {
			t.Fatal(err)
		}
	}
	h.arrive(files(daily, "2024-10-08")...)
	if h.hasImport(daily, "2204-10-08") || !h.hasImport(daily, "2024-10-08") {
		t.Error("the future runs, or the present does not")
	}
}

// Anybody who may upload can make very many dates wait. They cost a start neither a
// read each nor its time.
func TestVeryManyDates(t *testing.T) {
	p := &interposer{after: 1 << 30}
	h := interposed(t, p)
	h.arrive(files(daily, "2024-10-08")[:len(two)]...)
	h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	for day := range 150 {
		date := time.Date(2020, 1, 1+day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		if _, _, err := h.registry.RecordArrival(t.Context(), daily, date, "clients", files(daily, date)[0], lookOf(date)); err != nil {
			t.Fatal(err)
		}
	}
	h.arrive(files(daily, "2024-10-07")[:len(two)]...) // older than the data, and complete
	h.end(h.importOf(daily, "2024-10-07"), succeeded, "")
	if err := h.advancer.Advance(contextOfActor(t), etl.TriggerAutomatic); err != nil {
		t.Fatal(err)
	}
	if p.calls > 30 {
		t.Errorf("%d calls", p.calls)
	}
}

// contextOfActor is a context whose calls an interposer counts.
func contextOfActor(t *testing.T) context.Context {
	return context.WithValue(t.Context(), actor{}, true)
}

// lookOf finds an object of that version.
func lookOf(version string) registry.Look {
	return func(context.Context) (registry.Arrival, bool, error) {
		return registry.Arrival{VersionID: version, ETag: version}, true, nil
	}
}
