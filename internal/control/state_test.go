package control_test

import (
	"testing"
	"time"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// The database says «échoué» while an import has failed, and «en cours» again once
// it goes on: rerun writes it, when track asks, or the sweep if track could not.
func TestStateIsCopied(t *testing.T) {
	for _, fails := range []bool{false, true} {
		h := open(t)
		asked := &calls{}
		h.rebuild(asking(asked))
		perform := func() {
			t.Helper()
			for _, r := range asked.requests {
				if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, r); err != nil && !fails {
					t.Error(err)
				}
			}
			asked.requests = nil
		}
		h.arrive(files(daily, "2024-10-08")...)
		imp := h.importOf(daily, "2024-10-08")
		if len(asked.requests) != 0 {
			t.Errorf("asked for an import that did not fail: %+v", asked.requests)
		}
		h.clock.Move(time.Minute)
		if err := h.registry.RecordFault(t.Context(), imp.ImportID, 1, registry.Fault{State: "Publish", Name: "Unexpected", Message: "raison"}); err != nil {
			t.Fatal(err)
		}
		imp = h.end(imp, failed, "Unexpected")
		want := []control.Request{{ImportID: imp.ImportID, Mode: etl.KindRecord}}
		if diff := cmp.Diff(want, asked.requests); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if fails {
			h.fence.fail = "state"
		}
		perform()
		for range 2 { // once written it is not asked for again
			h.sweep(control.SweepEvent{})
			perform()
		}
		states := []string{"1 échoué " + string(etl.StepPersistence) + " raison"}
		if diff := cmp.Diff(states, h.fence.states[imp.ImportID]); diff != "" {
			t.Errorf("copied (-want +got):\n%s", diff)
		}
		// redriven in the console, which asks nobody
		h.clock.Move(time.Minute)
		h.machine.executions[imp.ExecutionARN].redrives = 1
		h.machine.end(imp.ExecutionARN, sfntypes.ExecutionStatusRunning, "", "")
		if err := h.track(imp.ExecutionARN); err != nil {
			t.Fatal(err)
		}
		perform()
		states = append(states, "2 en cours  ")
		if diff := cmp.Diff(states, h.fence.states[imp.ImportID]); diff != "" {
			t.Errorf("copied (-want +got):\n%s", diff)
		}
		if got := h.end(h.load(imp.ImportID), succeeded, ""); got.Unrecorded() || len(asked.requests) != 0 {
			t.Errorf("asked %+v for %+v", asked.requests, got)
		}
	}
}
