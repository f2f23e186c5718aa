package control_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// scan does what Open and Scan of an import with refused files do: it seals the
// newest versions and records the status of those.
func (h *house) scan(imp registry.Import, refused ...string) {
	h.t.Helper()
	arrivals, err := h.registry.Arrivals(h.t.Context(), imp.Mode, imp.FileDate)
	if err != nil {
		h.t.Fatal(err)
	}
	var sealed []registry.SealedFile
	for _, a := range arrivals {
		sealed = append(sealed, registry.SealedFile{Resource: a.Resource, Key: a.Key, VersionID: a.VersionID, ETag: a.ETag, LastModified: a.LastModified})
	}
	if _, err := h.registry.Seal(h.t.Context(), imp.ImportID, imp.Generation, sealed); err != nil {
		h.t.Fatal(err)
	}
	statuses := map[string]registry.FileStatus{}
	for _, r := range refused {
		statuses[r] = registry.FileStatus{Status: etl.FileRejected, Reason: "L'en-tête diffère."}
	}
	if err := h.registry.RecordFileStatuses(h.t.Context(), imp.ImportID, imp.Generation, statuses); err != nil {
		h.t.Fatal(err)
	}
}

// refusedImport returns a house whose import of 2024-10-08 refused its first n
// files, and the keys of all ten.
func refusedImport(t *testing.T, n int, options ...func(*setup)) (*house, registry.Import, []string) {
	t.Helper()
	h := open(t, options...)
	keys := files(daily, "2024-10-08")
	h.arrive(keys...)
	imp := h.importOf(daily, "2024-10-08")
	var refused []string
	for _, f := range types[:n] {
		refused = append(refused, f.Resource)
	}
	h.scan(imp, refused...)
	return h, h.end(imp, failed, "InvalidFile"), keys
}

// correct delivers a new version of a file.
func (h *house) correct(key, content string) {
	h.t.Helper()
	h.clock.Move(time.Second)
	h.upload(key, content)
	if _, err := h.notify(key); err != nil {
		h.t.Fatal(err)
	}
}

// Two files are refused; once both are corrected, and no sooner, the import starts
// over by itself.
func TestCorrectedFilesRestart(t *testing.T) {
	h, imp, keys := refusedImport(t, 2)
	if alert := h.inbox.alerts[len(h.inbox.alerts)-1]; !strings.Contains(alert.Text, control.FilesCorrected(0, queue.FileRestarts)) {
		t.Errorf("the alert says %q", alert.Text)
	}
	h.correct(keys[5], "another file, which is not refused")
	h.correct(keys[0], "corrected")
	h.sweep(control.SweepEvent{})
	if got := h.load(imp.ImportID); got.Status != etl.StatusFailed || got.Generation != 1 {
		t.Fatalf("one of two is corrected: %+v", got)
	}
	h.correct(keys[1], "corrected")
	got := h.load(imp.ImportID)
	if got.Status != etl.StatusRunning || got.Generation != 2 || got.FileRestarts != 1 || h.fence.current[imp.ImportID] != 2 {
		t.Errorf("import = %+v", got)
	}
	if diff := cmp.Diff([]string{"start file", "restart file"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	h.sweep(control.SweepEvent{})
	if h.machine.starts != 2 {
		t.Errorf("%d starts", h.machine.starts)
	}
}

// An import is restarted so five times; a person's restart uses none of them up.
func TestCorrectedFilesRestartFiveTimes(t *testing.T) {
	h, imp, keys := refusedImport(t, 1)
	again := func() registry.Import {
		h.scan(h.load(imp.ImportID), types[0].Resource)
		return h.end(h.load(imp.ImportID), failed, "InvalidFile")
	}
	for n := range queue.FileRestarts {
		if n == 2 {
			if _, err := h.rerun(imp.ImportID, etl.KindRestart); err != nil {
				t.Fatal(err)
			}
			again()
		}
		h.correct(keys[0], strings.Repeat("x", n+1))
		if got := h.load(imp.ImportID); got.Status != etl.StatusRunning || got.FileRestarts != n+1 {
			t.Fatalf("after correction %d: %+v", n+1, got)
		}
		again()
	}
	h.correct(keys[0], "once more")
	h.sweep(control.SweepEvent{})
	if got := h.load(imp.ImportID); got.Status != etl.StatusFailed || got.FileRestarts != queue.FileRestarts {
		t.Errorf("import = %+v", got)
	}
	if alert := h.inbox.alerts[len(h.inbox.alerts)-1]; !strings.Contains(alert.Text, control.FilesCorrected(5, 5)) {
		t.Errorf("the alert says %q", alert.Text)
	}
	if _, err := h.rerun(imp.ImportID, etl.KindRestart); err != nil {
		t.Errorf("a person: %v", err)
	}
}

// The file is corrected after the execution failed and before anybody saw that, or
// its notification is lost: the import starts over all the same.
func TestCorrectedBeforeTheFailureIsSeen(t *testing.T) {
	for _, notified := range []bool{true, false} {
		h := open(t)
		keys := files(daily, "2024-10-08")
		h.arrive(keys...)
		imp := h.importOf(daily, "2024-10-08")
		h.scan(imp, types[0].Resource)
		h.clock.Move(time.Minute)
		h.machine.end(imp.ExecutionARN, failed, "InvalidFile", "")
		if notified {
			h.correct(keys[0], "corrected")
		} else {
			h.upload(keys[0], "corrected")
			h.sweep(control.SweepEvent{})
		}
		if err := h.track(imp.ExecutionARN); err != nil {
			t.Fatal(err)
		}
		if got := h.load(imp.ImportID); got.Status != etl.StatusRunning || got.Generation != 2 {
			t.Errorf("notified %v: %+v", notified, got)
		}
	}
}

// calls keeps the requests that are asked for, until the test has them made.
type calls struct {
	mu       sync.Mutex
	requests []control.Request
}

func (c *calls) Ask(_ context.Context, r control.Request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	return nil
}

// asking returns a house whose intake, track and sweep have no database: they ask c.
func asking(c *calls) func(*setup) { return func(s *setup) { s.Reruns = c } }

// Everybody who sees the corrected files asks, at once, and a person restarts the
// import at the same time: it is restarted once.
func TestOneRestartOfMany(t *testing.T) {
	for _, person := range []bool{false, true} {
		h, imp, keys := refusedImport(t, 2)
		asked := &calls{}
		h.rebuild(asking(asked))
		h.upload(keys[0], "corrected")
		h.upload(keys[1], "corrected")
		if _, err := h.intake.Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := h.advancer.Advance(t.Context(), etl.TriggerFile); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(asked.requests) != 4 || h.load(imp.ImportID).Status != etl.StatusFailed {
			t.Fatalf("asked %+v", asked.requests)
		}
		var won int
		var mu sync.Mutex
		for _, r := range asked.requests {
			wg.Go(func() {
				a, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, r)
				if err != nil {
					t.Errorf("a request that lost: %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				if a.Kind == etl.KindRestart {
					won++
				}
			})
		}
		if person {
			wg.Go(func() {
				if _, err := h.rerun(imp.ImportID, etl.KindRestart); err != nil {
					if refused(err) == "" {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				defer mu.Unlock()
				won++
			})
		}
		wg.Wait()
		if got := h.load(imp.ImportID); won != 1 || got.Generation != 2 || got.Status != etl.StatusRunning || h.machine.starts != 2 {
			t.Errorf("won %d, starts %d, import %+v", won, h.machine.starts, got)
		}
	}
}

// A request that comes late, or for files that are not corrected, changes nothing.
func TestLateRequestForCorrectedFiles(t *testing.T) {
	h, imp, keys := refusedImport(t, 1)
	late := control.Request{ImportID: imp.ImportID, Mode: etl.KindRestart, Attempt: imp.Attempts}
	if a, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, late); err != nil || a.Kind != "" || a.Message != control.RefusedNotCorrected {
		t.Errorf("not corrected: %+v, %v", a, err)
	}
	h.correct(keys[0], "corrected")
	if a, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, late); err != nil || a.Kind != "" {
		t.Errorf("running: %+v, %v", a, err)
	}
	h.end(h.load(imp.ImportID), failed, "InvalidFile")
	if a, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, late); err != nil || a.Kind != "" {
		t.Errorf("failed anew: %+v, %v", a, err)
	}
}
