package control_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
)

// notifyAll hands a notification of each key to as many intakes at once.
func (h *house) notifyAll(keys []string) {
	var wg sync.WaitGroup
	for _, key := range keys {
		wg.Go(func() {
			if _, err := h.notify(key); err != nil {
				h.t.Errorf("notify %s: %v", key, err)
			}
		})
	}
	wg.Wait()
}

func (h *house) uploadAll(keys []string) {
	h.t.Helper()
	for _, key := range keys {
		h.upload(key, "content of "+key)
	}
}

func TestTwoHundredIntakesAtOnceStartOneImport(t *testing.T) {
	const date = "2024-10-08"
	h := open(t)
	keys := files(daily, date)
	h.uploadAll(keys)
	h.notifyAll(slices.Repeat(keys, 20))
	h.mustRunOnce(date)
	h.mustHave(date)
}

// mustHave wants the registry to know the ten files of a date, each under its own
// key, and no file of another date.
func (h *house) mustHave(date string) {
	h.t.Helper()
	arrivals, err := h.registry.Arrivals(h.t.Context(), daily, date)
	if err != nil {
		h.t.Fatal(err)
	}
	got := []string{}
	for _, a := range arrivals {
		got = append(got, a.Key)
	}
	want := files(daily, date)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("files of %s (-want +got):\n%s", date, diff)
	}
}

// inOrder ends the imports of the dates, which must run one after the other, and
// each of which must be of its own date alone.
func (h *house) inOrder(dates ...string) {
	h.t.Helper()
	ids := map[string]bool{}
	for n, date := range dates {
		imp := h.importOf(daily, date)
		if h.machine.starts != n+1 || imp.Status != etl.StatusRunning {
			h.t.Fatalf("%s is %s after %d starts", date, imp.Status, h.machine.starts)
		}
		if input := h.machine.executions[imp.ExecutionARN].input; !strings.Contains(input, `"file_date":"`+date+`"`) {
			h.t.Errorf("the execution of %s has the input %s", date, input)
		}
		if diff := cmp.Diff([]string{imp.ImportID}, h.machine.running()); diff != "" {
			h.t.Errorf("running beside %s (-want +got):\n%s", date, diff)
		}
		h.mustHave(date)
		ids[imp.ImportID] = true
		h.end(imp, succeeded, "")
	}
	if queue, err := h.registry.Queue(h.t.Context()); err != nil || len(queue) != 0 || len(ids) != len(dates) {
		h.t.Errorf("queue = %v, %v; import_ids %v", queue, err, ids)
	}
}

// The files of several dates come at once, and their notifications in any order,
// many at a time and each twice: the imports run one at a time by date, and the
// files of one never count for another.
func TestDatesAtOnceRunInOrderAndDoNotMix(t *testing.T) {
	dates := []string{"2024-10-06", "2024-10-07", "2024-10-08"}
	h := open(t)
	var keys []string
	for _, date := range dates {
		keys = append(keys, files(daily, date)...)
	}
	h.uploadAll(keys)
	keys = slices.Repeat(keys, 2)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	h.notifyAll(keys)
	h.inOrder(dates...)
}

// Every notification of the earlier date is late: what counts is the bucket.
func TestNotificationsOfTheEarlierDateAreLate(t *testing.T) {
	h := open(t)
	early, late := files(daily, "2024-10-07"), files(daily, "2024-10-08")
	h.uploadAll(slices.Concat(early, late))
	h.notifyAll(late)
	if h.hasImport(daily, "2024-10-08") || !h.hasImport(daily, "2024-10-07") {
		t.Fatal("the later date started first")
	}
	h.notifyAll(early)
	h.inOrder("2024-10-07", "2024-10-08")
}

// The same, and the earlier date still misses a file: nothing starts before that.
func TestLateNotificationsOfAnIncompleteDate(t *testing.T) {
	h := open(t)
	early, late := files(daily, "2024-10-07"), files(daily, "2024-10-08")
	h.uploadAll(slices.Concat(early[:9], late))
	h.notifyAll(late)
	if h.machine.starts != 0 {
		t.Fatal("a date started before an earlier one that misses a file")
	}
	h.arrive(early[9])
	h.inOrder("2024-10-07", "2024-10-08")
}

// A complete date that is older than what is published runs all the same: Publish
// keeps what is newer. It takes its turn before later ones that wait.
func TestOlderDateThanPublished(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	h.arrive(files(daily, "2024-10-09")...)
	running := h.importOf(daily, "2024-10-09")
	h.arrive(files(daily, "2024-10-10")...)
	h.arrive(files(daily, "2024-10-07")...)
	h.end(running, succeeded, "")
	older := h.importOf(daily, "2024-10-07")
	if older.Status != etl.StatusRunning || h.hasImport(daily, "2024-10-10") {
		t.Fatalf("the older date is %s", older.Status)
	}
	h.end(older, succeeded, "")
	if got := h.importOf(daily, "2024-10-10").Status; got != etl.StatusRunning {
		t.Errorf("the later date is %s", got)
	}
}

// An older date that misses files is told at no deadline but its own, and holds
// nobody up.
func TestOlderIncompleteDateThanPublished(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	h.arrive(files(daily, "2024-10-04")[:4]...)
	h.sweep(deadlineOf(2024, 10, 10)) // the 9th is due; nothing of it came
	if h.hasImport(daily, "2024-10-04") || !h.hasImport(daily, "2024-10-09") {
		t.Error("the older date was due with a later one")
	}
	h.end(h.importOf(daily, "2024-10-09"), failed, "MissingFiles")
	h.arrive(files(daily, "2024-10-04")[4:]...)
	if got := h.importOf(daily, "2024-10-04").Status; got != etl.StatusRunning {
		t.Errorf("the older date, now complete, is %s", got)
	}
}

// What S3 tells may be lost, doubled or in any order, versions included: after a
// sweep there is the one import, with the newest version of each file.
func TestEventsLostDoubledReordered(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)
	reversed := slices.Clone(keys)
	slices.Reverse(reversed)
	for name, events := range map[string][]string{
		"all lost":                   nil,
		"the last lost":              keys[:9],
		"all but the last lost":      keys[9:],
		"doubled":                    slices.Repeat(keys, 2),
		"reordered":                  reversed,
		"doubled, reordered, a loss": slices.Concat(reversed[:5], keys[:5], reversed[:5]),
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.uploadAll(keys)
			h.upload(keys[0], "a newer version")
			for _, key := range events {
				if _, err := h.notify(key); err != nil {
					t.Fatal(err)
				}
			}
			h.sweep(control.SweepEvent{})
			h.sweep(control.SweepEvent{})
			h.mustHave(date)
			arrivals, err := h.registry.Arrivals(t.Context(), daily, date)
			if got := arrivals[types[0].Resource].Size; err != nil || got != int64(len("a newer version")) {
				t.Errorf("the version that counts has %d bytes, %v", got, err)
			}
			h.mustRunOnce(date)
			if answer, err := h.notify(keys[0]); err != nil || answer.Outcome != landing.Unchanged {
				t.Errorf("one that comes after the end: %+v, %v", answer, err)
			}
			if n := h.machine.count(); n != 1 {
				t.Errorf("%d executions", n)
			}
		})
	}
}

// An alert that cannot be sent, of a badly named file, holds up no import.
func TestUntoldBadNameHoldsUpNothing(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)
	for name, start := range map[string]func(*house) error{
		"sweep": func(h *house) error {
			_, err := h.sweeper.Sweep(h.t.Context(), control.SweepEvent{})
			if _, untold := errors.AsType[*landing.UntoldError](err); !untold {
				return fmt.Errorf("the sweep says %w", err)
			}
			return nil
		},
		"notification": func(h *house) error {
			_, err := h.notify(keys[9])
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.arrive(keys[:9]...)
			h.uploadAll([]string{keys[9], "daily/client_data_20240230.csv"})
			h.inbox.fail = true
			if err := start(h); err != nil {
				t.Error(err)
			}
			if got := h.importOf(daily, date).Status; got != etl.StatusRunning {
				t.Errorf("the import is %s", got)
			}
			h.inbox.fail = false // a notification tells nobody
			h.sweep(control.SweepEvent{})
			if diff := cmp.Diff([]string{"fichier refuse"}, h.inbox.subjects()); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
		})
	}
}
