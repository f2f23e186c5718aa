package control_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// deadlineOf is the event of a deadline at four o'clock UTC, six in Paris.
func deadlineOf(year int, month time.Month, day int) control.SweepEvent {
	return control.SweepEvent{Deadline: true, Time: time.Date(year, month, day, 4, 0, 0, 0, time.UTC)}
}

// inZone takes the deadline's date in a zone, so many days back.
func inZone(t *testing.T, name string, daysBack int) func(*setup) {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *setup) { c.Zone, c.DaysBack = zone, daysBack }
}

// The date due is one of the calendar, whatever the clocks do that night.
func TestDueDate(t *testing.T) {
	const paris, santiago = "Europe/Paris", "America/Santiago"
	for _, test := range []struct {
		name, zone string
		daysBack   int
		at         string // UTC
		want       string
	}{
		{"the day before the clocks go forward", paris, 1, "2024-03-30T05:00:00Z", "2024-03-29"},
		{"six o'clock, the clocks went forward", paris, 1, "2024-03-31T04:00:00Z", "2024-03-30"},
		{"a minute before they go forward", paris, 1, "2024-03-31T00:59:00Z", "2024-03-30"},
		{"half past two does not exist: half past three", paris, 1, "2024-03-31T01:30:00Z", "2024-03-30"},
		{"half past two of the next day", paris, 1, "2024-04-01T00:30:00Z", "2024-03-31"},
		{"a minute after midnight, a day of 23 hours before", paris, 1, "2024-03-31T22:01:00Z", "2024-03-31"},
		{"half an hour before midnight of the short day", paris, 0, "2024-03-31T21:30:00Z", "2024-03-31"},
		{"half past two for the first time", paris, 1, "2024-10-27T00:30:00Z", "2024-10-26"},
		{"half past two for the second time", paris, 1, "2024-10-27T01:30:00Z", "2024-10-26"},
		{"six o'clock, the clocks went back", paris, 1, "2024-10-27T05:00:00Z", "2024-10-26"},
		{"half an hour before midnight of the long day", paris, 1, "2024-10-27T22:30:00Z", "2024-10-26"},
		{"a minute after midnight, a day of 25 hours before", paris, 1, "2024-10-27T23:01:00Z", "2024-10-27"},
		{"a leap day", paris, 1, "2024-03-01T05:00:00Z", "2024-02-29"},
		{"over the turn of the year", paris, 2, "2024-12-31T23:30:00Z", "2024-12-30"},
		{"the day before has no midnight", santiago, 1, "2024-09-09T03:00:00Z", "2024-09-08"},
	} {
		t.Run(test.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, test.at)
			if err != nil {
				t.Fatal(err)
			}
			h := open(t, inZone(t, test.zone, test.daysBack))
			swept, err := h.sweeper.Sweep(t.Context(), control.SweepEvent{Deadline: true, Time: at})
			if err != nil || swept.Due != test.want {
				t.Errorf("due = %s, %v; want %s", swept.Due, err, test.want)
			}
			if !h.hasImport(daily, test.want) {
				t.Error("the date that is due has no import")
			}
		})
	}
}

// EventBridge Scheduler calls once for a time that is there twice; if it comes
// twice all the same, the second changes nothing.
func TestDeadlineThatComesTwice(t *testing.T) {
	h := open(t)
	h.clock.Move(17 * 24 * time.Hour) // to the 26th
	h.arrive(files(daily, "2024-10-26")[:9]...)
	h.sweep(control.SweepEvent{Deadline: true, Time: time.Date(2024, 10, 27, 0, 30, 0, 0, time.UTC)})
	imp := h.end(h.importOf(daily, "2024-10-26"), failed, "MissingFiles")
	h.sweep(control.SweepEvent{Deadline: true, Time: time.Date(2024, 10, 27, 1, 30, 0, 0, time.UTC)})
	if h.machine.starts != 1 || h.machine.redrives != 0 || len(h.inbox.subjects()) != 1 {
		t.Errorf("starts %d, redrives %d, alerts %v", h.machine.starts, h.machine.redrives, h.inbox.subjects())
	}
	h.arrive(files(daily, "2024-10-26")[9])
	if got := h.load(imp.ImportID).Status; got != etl.StatusRunning {
		t.Errorf("the import is %s", got)
	}
}

// EventBridge Scheduler skips a time that does not exist, such as half past two
// on 2024-03-31. The next deadline makes up for it: what came of the date that
// was due then is marked with the next one, in the order of the dates.
func TestDeadlineThatWasSkipped(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-03-30")[:9]...)
	h.arrive(files(daily, "2024-03-31")...)
	h.sweep(control.SweepEvent{Deadline: true, Time: time.Date(2024, 3, 30, 1, 30, 0, 0, time.UTC)})
	early := h.importOf(daily, "2024-03-29") // nothing of it came
	h.end(early, failed, "MissingFiles")
	if h.hasImport(daily, "2024-03-30") {
		t.Fatal("a date is due before its deadline")
	}
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: early.ImportID, Mode: etl.KindAbandon}); err != nil {
		t.Fatal(err)
	}
	h.sweep(control.SweepEvent{Deadline: true, Time: time.Date(2024, 4, 1, 0, 30, 0, 0, time.UTC)})
	skipped := h.end(h.importOf(daily, "2024-03-30"), failed, "MissingFiles")
	if !strings.HasSuffix(skipped.Reason, ": employee_data.") {
		t.Errorf("reason = %s", skipped.Reason)
	}
	h.arrive(files(daily, "2024-03-30")[9])
	h.end(skipped, succeeded, "")
	if got := h.importOf(daily, "2024-03-31").Status; got != etl.StatusRunning {
		t.Errorf("the date after it is %s", got)
	}
}

// The alert of a date that misses files names them and no others, and says what
// to do; there is one for the failure, and none for the files that come one by one.
func TestDeadlineAlertsTheMissingFiles(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)
	for name, there := range map[string]int{"nothing at all": 0, "one": 1, "all but one": 9} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.arrive(keys[:there]...)
			h.sweep(deadlineOf(2024, 10, 9))
			imp := h.end(h.importOf(daily, date), failed, "MissingFiles")
			if len(h.inbox.alerts) != 1 {
				t.Fatalf("alerts = %v", h.inbox.subjects())
			}
			for i, file := range types {
				if named := strings.Contains(h.inbox.alerts[0].Text, file.Prefix); named != (i >= there) {
					t.Errorf("the alert names %s: %t", file.Prefix, named)
				}
			}
			for i, key := range keys[there:] {
				if h.machine.redrives != 0 {
					t.Fatalf("resumed with %d files", there+i)
				}
				h.arrive(key)
			}
			imp = h.end(imp, succeeded, "")
			if h.machine.redrives != 1 || h.machine.starts != 1 || imp.Status != etl.StatusSucceeded {
				t.Errorf("redrives %d, starts %d, status %s", h.machine.redrives, h.machine.starts, imp.Status)
			}
			want := []string{"import en echec " + imp.ImportID, "import reussi " + imp.ImportID}
			if diff := cmp.Diff(want, h.inbox.subjects()); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
		})
	}
}

// A file that is so late that AWS redrives the execution no more still resumes
// the import, in a new execution of the same generation.
func TestFileAfterTheRedrivablePeriod(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-08")
	h.arrive(keys[:9]...)
	h.sweep(deadlineOf(2024, 10, 9))
	imp := h.end(h.importOf(daily, "2024-10-08"), failed, "MissingFiles")
	h.machine.executions[imp.ExecutionARN].tooOld = true
	h.clock.Move(20 * 24 * time.Hour)
	h.arrive(keys[9])
	imp = h.load(imp.ImportID)
	if imp.Status != etl.StatusRunning || imp.Generation != 1 || !strings.HasSuffix(imp.ExecutionARN, imp.ImportID+"-2") {
		t.Errorf("import = %+v", imp)
	}
	if diff := cmp.Diff([]string{"start deadline", "continue file"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

// down is a landing bucket that does not answer.
type down struct{}

func (down) Look(context.Context, etl.Mode, string, string) (int, error) { return 0, errLost }

func (down) Walk(context.Context) (int, error) { return 0, errLost }

// The bucket does not answer at the deadline, which comes only once: the next
// sweep starts what was due then.
func TestDeadlineWhileTheBucketIsDown(t *testing.T) {
	h := open(t)
	h.rebuild(func(s *setup) { s.Landing = down{} })
	swept, err := h.sweeper.Sweep(t.Context(), deadlineOf(2024, 10, 9))
	if !errors.Is(err, errLost) || swept.Due != "2024-10-08" || h.machine.starts != 0 {
		t.Fatalf("swept %+v, %v; starts %d", swept, err, h.machine.starts)
	}
	h.rebuild(func(s *setup) { s.Landing = nil })
	h.sweep(control.SweepEvent{})
	imp := h.end(h.importOf(daily, "2024-10-08"), failed, "MissingFiles")
	if diff := cmp.Diff([]string{"import en echec " + imp.ImportID}, h.inbox.subjects()); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}
