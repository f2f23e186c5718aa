package control_test

import (
	"strings"
	"testing"
	"time"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// untold are the ways in which nobody can be told how an import ended.
var untold = map[string]func(h *house, imp registry.Import){
	"topic":  func(h *house, _ registry.Import) { h.inbox.refuse = true },
	"report": func(h *house, _ registry.Import) { h.reports.refuse = true },
	"both":   func(h *house, _ registry.Import) { h.inbox.refuse, h.reports.refuse = true, true },
	"long reason": func(h *house, imp registry.Import) {
		if err := h.registry.RecordFault(h.t.Context(), imp.ImportID, imp.Generation, registry.Fault{
			State: "ScanFile", Name: "Unexpected", Message: strings.Repeat("é", 150<<10), Advice: "redrive",
		}); err != nil {
			h.t.Fatal(err)
		}
	},
}

// untoldImport returns a house whose import of 2024-10-08 failed while nobody
// could be told, with the next day waiting behind it.
func untoldImport(t *testing.T, spoil func(*house, registry.Import)) (*house, registry.Import) {
	t.Helper()
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	h.arrive(files(daily, "2024-10-09")...)
	imp := h.importOf(daily, "2024-10-08")
	spoil(h, imp)
	h.clock.Move(time.Minute)
	h.machine.end(imp.ExecutionARN, failed, "Unexpected", "")
	_ = h.track(imp.ExecutionARN) // it may say that it could not tell
	return h, h.load(imp.ImportID)
}

// An alert that cannot be sent or a report that cannot be written keeps nobody
// from re-executing the import or from giving it up, and is an error in the log.
func TestUntoldBlocksNoReExecution(t *testing.T) {
	for name, spoil := range untold {
		for _, mode := range []etl.Kind{etl.KindResume, etl.KindContinue, etl.KindRestart, etl.KindAbandon} {
			t.Run(name+"/"+string(mode), func(t *testing.T) {
				h, imp := untoldImport(t, spoil)
				if imp.Status != etl.StatusFailed {
					t.Fatalf("the failure was not observed: %+v", imp)
				}
				h.clock.Move(time.Hour)
				if _, err := h.rerun(imp.ImportID, mode); err != nil {
					t.Fatalf("%s: %v", mode, err)
				}
				if lines := h.logged(control.LogUntold); name != "long reason" &&
					(len(lines) == 0 || lines[0]["level"] != "ERROR" || lines[0]["import_id"] != imp.ImportID) {
					t.Errorf("the log says %v", lines)
				}
				if mode == etl.KindAbandon {
					if next := h.importOf(daily, "2024-10-09"); next.Status != etl.StatusRunning {
						t.Errorf("the next day is %s", next.Status)
					}
					return
				}
				h.endUntold(h.load(imp.ImportID), succeeded)
				if next := h.importOf(daily, "2024-10-09"); next.Status != etl.StatusRunning {
					t.Errorf("the next day is %s", next.Status)
				}
			})
		}
	}
}

// endUntold ends an import whose end cannot be told.
func (h *house) endUntold(imp registry.Import, status sfntypes.ExecutionStatus) {
	h.t.Helper()
	h.clock.Move(time.Minute)
	h.machine.end(imp.ExecutionARN, status, "", "")
	_ = h.track(imp.ExecutionARN)
}

// What could not be told is told by a later sweep, and the dates behind do not
// wait for that.
func TestUntoldIsToldLater(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	h.arrive(files(daily, "2024-10-09")...)
	imp := h.importOf(daily, "2024-10-08")
	h.inbox.refuse, h.reports.refuse = true, true
	h.endUntold(imp, succeeded)
	next := h.importOf(daily, "2024-10-09")
	h.endUntold(next, failed)
	h.clock.Move(5 * time.Minute)
	if _, err := h.sweeper.Sweep(t.Context(), control.SweepEvent{}); err == nil {
		t.Error("a sweep that cannot tell says nothing")
	}
	h.inbox.refuse, h.reports.refuse = false, false
	h.sweep(control.SweepEvent{})
	h.sweep(control.SweepEvent{})
	want := []string{"import reussi " + imp.ImportID, "import en echec " + next.ImportID}
	if diff := cmp.Diff(want, h.inbox.subjects()); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{imp.ImportID, next.ImportID}, h.reports.written); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}
