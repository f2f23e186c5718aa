package control_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

func (h *house) force(importID string) (control.Answer, error) {
	return h.rerunner.Rerun(h.t.Context(), caller.Identity{}, control.Request{ImportID: importID, Mode: etl.KindRestart, Force: true})
}

// published returns a house whose import of 2024-10-08 succeeded.
func publishedImport(t *testing.T, mode etl.Mode) (*house, registry.Import) {
	t.Helper()
	h := open(t)
	h.arrive(files(mode, "2024-10-08")...)
	return h, h.end(h.importOf(mode, "2024-10-08"), succeeded, "")
}

func TestForcedRestart(t *testing.T) {
	for _, fail := range []string{"", "before", "after", "Start", "Start saved"} {
		t.Run("fails:"+fail, func(t *testing.T) {
			h, imp := publishedImport(t, daily)
			h.fence.fail, h.machine.fail = fail, fail
			_, err := h.force(imp.ImportID)
			switch fail {
			case "before", "after":
				if err == nil {
					t.Fatal("no error")
				}
				if holder, slotErr := h.registry.Slot(t.Context()); holder != "" || slotErr != nil {
					t.Errorf("%s keeps the slot: %v", holder, slotErr)
				}
				_, err = h.force(imp.ImportID)
			case "Start", "Start saved":
				h.sweep(control.SweepEvent{})
				err = nil
			}
			if err != nil {
				t.Fatal(err)
			}
			begun := h.load(imp.ImportID)
			if begun.Generation != 2 || begun.Status != etl.StatusRunning || h.machine.starts != 2 || h.fence.forced == 0 {
				t.Errorf("%+v, starts %d, forced %d", begun, h.machine.starts, h.fence.forced)
			}
			h.arrive(files(daily, "2024-10-09")...)
			if h.hasImport(daily, "2024-10-09") {
				t.Error("another date started meanwhile")
			}
			if got := h.end(begun, succeeded, ""); got.Status != etl.StatusSucceeded || !h.hasImport(daily, "2024-10-09") {
				t.Errorf("status %s, next date started: %v", got.Status, h.hasImport(daily, "2024-10-09"))
			}
			if diff := cmp.Diff([]string{"start file", "restart command"}, h.attempts(imp.ImportID)); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
		})
	}
}

// Somebody died over a forced restart: the sweep takes it back, and other dates
// go on.
func TestUnfinishedForcedRestart(t *testing.T) {
	h, imp := publishedImport(t, daily)
	if _, err := h.registry.Claim(t.Context(), imp, registry.Pending{Kind: etl.KindRestart}); err != nil {
		t.Fatal(err)
	}
	h.arrive(files(daily, "2024-10-09")...)
	h.sweep(control.SweepEvent{})
	if h.hasImport(daily, "2024-10-09") {
		t.Fatal("another date started while the restart may still come")
	}
	h.clock.Move(registry.PendingFor)
	h.sweep(control.SweepEvent{})
	if queue, err := h.registry.Queue(t.Context()); err != nil || len(queue) != 1 || !h.hasImport(daily, "2024-10-09") {
		t.Errorf("queue = %+v, %v", queue, err)
	}
	if got := h.load(imp.ImportID); got.Status != etl.StatusSucceeded || got.Pending.Kind != "" {
		t.Errorf("import = %+v", got)
	}
}

func TestForcedRestartOfAnInitialImport(t *testing.T) {
	h, imp := publishedImport(t, initial)
	if reason := refused(second(h.rerun(imp.ImportID, etl.KindRestart))); reason != control.RefusedSucceeded {
		t.Errorf("without force: %q", reason)
	}
	if _, err := h.force(imp.ImportID); err != nil {
		t.Fatal(err)
	}
	imp = h.end(h.load(imp.ImportID), failed, "InvalidFile")
	if _, err := h.rerun(imp.ImportID, etl.KindRestart); err != nil {
		t.Fatalf("the restart of a forced restart that failed: %v", err)
	}
	imp = h.end(h.load(imp.ImportID), failed, "InvalidFile")
	if _, err := h.rerun(imp.ImportID, etl.KindAbandon); err != nil {
		t.Fatal(err)
	}
	h.arrive(files(daily, "2024-10-09")...)
	day := h.end(h.importOf(daily, "2024-10-09"), succeeded, "")
	for _, force := range []bool{false, true} {
		_, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: etl.KindRestart, Force: force})
		if refused(err) != control.RefusedInitialOver {
			t.Errorf("force %v after a daily import: %v", force, err)
		}
	}
	if _, err := h.force(day.ImportID); err != nil {
		t.Errorf("the daily import: %v", err)
	}
}

// TestHistoryUnderADay: a succeeded history is told at once that force would not
// help, and nothing has changed after the refusals.
func TestHistoryUnderADay(t *testing.T) {
	h, imp := publishedImport(t, initial)
	h.arrive(files(daily, "2024-10-09")...)
	h.end(h.importOf(daily, "2024-10-09"), succeeded, "")
	for _, force := range []bool{false, true} {
		_, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: etl.KindRestart, Force: force})
		if refused(err) != control.RefusedInitialOver {
			t.Errorf("force %v: %v", force, err)
		}
	}
	if diff := cmp.Diff(imp, h.load(imp.ImportID), cmp.AllowUnexported(registry.Import{})); diff != "" {
		t.Errorf("the import changed (-before +after):\n%s", diff)
	}
	if holder, err := h.registry.Slot(t.Context()); err != nil || holder != "" || h.fence.forced != 0 {
		t.Errorf("slot %q, %v; the fence was asked %d times", holder, err, h.fence.forced)
	}
}

func TestTwoHistories(t *testing.T) {
	h, given := failedImportOf(t, initial)
	if _, err := h.rerun(given.ImportID, etl.KindAbandon); err != nil {
		t.Fatal(err)
	}
	h.arrive(files(initial, "2024-10-09")...)
	other := h.end(h.importOf(initial, "2024-10-09"), succeeded, "")
	if reason := refused(second(h.force(given.ImportID))); reason != control.RefusedInitialOther(other.ImportID) {
		t.Errorf("the other history: %q", reason)
	}
}

// Nobody was told of a success yet when a forced restart begins and comes to
// nothing: the sweep still tells.
func TestForcedRestartOfAnUnreportedImport(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.importOf(daily, "2024-10-08")
	h.clock.Move(time.Minute)
	h.machine.end(imp.ExecutionARN, succeeded, "", "")
	h.inbox.fail, h.fence.fail = true, "before"
	if err := h.track(imp.ExecutionARN); err == nil {
		t.Fatal("the alert did not fail")
	}
	if _, err := h.force(imp.ImportID); err == nil {
		t.Fatal("the fence did not fail")
	}
	h.clock.Move(5 * time.Minute)
	h.sweep(control.SweepEvent{})
	if got := h.load(imp.ImportID); !got.Settled() || got.Status != etl.StatusSucceeded {
		t.Errorf("import = %+v", got)
	}
	if queue, err := h.registry.Queue(t.Context()); err != nil || len(queue) != 0 {
		t.Errorf("queue = %+v, %v", queue, err)
	}
	if diff := cmp.Diff([]string{"import reussi " + imp.ImportID}, h.inbox.subjects()); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}
