package control_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// failedImport returns a house whose import of 2024-10-08 failed.
func failedImport(t *testing.T, faultName string) (*house, registry.Import) {
	t.Helper()
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	return h, h.end(h.importOf(daily, "2024-10-08"), failed, faultName)
}

// failedImportOf does the same for a mode.
func failedImportOf(t *testing.T, mode etl.Mode) (*house, registry.Import) {
	t.Helper()
	h := open(t)
	h.arrive(files(mode, "2024-10-08")...)
	return h, h.end(h.importOf(mode, "2024-10-08"), failed, "Unexpected")
}

func (h *house) rerun(importID string, mode etl.Kind) (control.Answer, error) {
	return h.rerunner.Rerun(h.t.Context(), caller.Identity{}, control.Request{ImportID: importID, Mode: mode})
}

func refused(err error) string {
	if r, ok := errors.AsType[*fault.Refused](err); ok {
		return r.Reason
	}
	return ""
}

func TestResume(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	answer, err := h.rerun(imp.ImportID, etl.KindResume)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Kind != etl.KindResume || answer.Status != etl.StatusRunning || answer.Execution != imp.ExecutionARN {
		t.Errorf("answer = %+v", answer)
	}
	if got := h.end(imp, succeeded, ""); got.Status != etl.StatusSucceeded || got.Generation != 1 {
		t.Errorf("import = %+v", got)
	}
	if diff := cmp.Diff([]string{"start file", "resume command"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	line := h.logged(control.LogRerun)[0]
	if line["processing_step"] != string(etl.StepRerun) || line["trigger"] != "command" || line["mode"] != "resume" || line["error_details"] == "" {
		t.Errorf("log = %v", line)
	}
}

func TestResumeThatFails(t *testing.T) {
	for _, fail := range []string{"Describe", "Redrive", "Redrive saved"} {
		t.Run(fail, func(t *testing.T) {
			h, imp := failedImport(t, "Unexpected")
			h.machine.fail = fail
			if _, err := h.rerun(imp.ImportID, etl.KindResume); err == nil {
				t.Fatal("no error")
			}
			if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil && refused(err) != control.RefusedRunning {
				t.Errorf("again: %v", err)
			}
			if got := h.load(imp.ImportID); got.Status != etl.StatusRunning || h.machine.redrives != 1 {
				t.Errorf("status %s, redrives %d", got.Status, h.machine.redrives)
			}
			if diff := cmp.Diff([]string{"start file", "resume command"}, h.attempts(imp.ImportID)); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRestart(t *testing.T) {
	for _, fail := range []string{"", "before", "after", "Start", "Start saved"} {
		t.Run("fails:"+fail, func(t *testing.T) {
			h, imp := failedImport(t, "InvalidFile")
			h.fence.fail, h.machine.fail = fail, fail
			answer, err := h.rerun(imp.ImportID, etl.KindRestart)
			switch fail {
			case "":
				if err != nil || answer.Kind != etl.KindRestart || answer.Generation != 2 {
					t.Fatalf("answer = %+v, %v", answer, err)
				}
			case "before", "after":
				if err == nil {
					t.Fatal("no error")
				}
				if answer, err = h.rerun(imp.ImportID, etl.KindRestart); err != nil {
					t.Fatalf("again: %v", err)
				}
			default:
				if err == nil {
					t.Fatal("no error")
				}
				h.sweep(control.SweepEvent{})
			}
			begun := h.load(imp.ImportID)
			if begun.Generation != 2 || begun.Status != etl.StatusRunning || h.machine.starts != 2 {
				t.Errorf("import = %+v, starts %d", begun, h.machine.starts)
			}
			if h.work.dropped[imp.ImportID+" g1"] == 0 || len(h.work.dropped) != 1 {
				t.Errorf("work objects dropped: %v", h.work.dropped)
			}
			if h.fence.current[imp.ImportID] != 2 {
				t.Errorf("the database is at generation %d", h.fence.current[imp.ImportID])
			}
			if got := h.end(begun, succeeded, ""); got.Status != etl.StatusSucceeded {
				t.Errorf("status = %s", got.Status)
			}
		})
	}
}

// What cannot be deleted now, or not be copied into the database, keeps no import
// from going on.
func TestRestartWithoutTheRest(t *testing.T) {
	h, imp := failedImport(t, "InvalidFile")
	h.work.fail, h.fence.fail = true, "record"
	if _, err := h.rerun(imp.ImportID, etl.KindRestart); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{control.LogWorkLeft, control.LogAttemptsLater} {
		if lines := h.logged(text); len(lines) != 1 || lines[0]["level"] != "WARN" || lines[0]["import_id"] != imp.ImportID {
			t.Errorf("%s: %v", text, lines)
		}
	}
	begun := h.load(imp.ImportID)
	if begun.Status != etl.StatusRunning || begun.Generation != 2 {
		t.Errorf("import = %+v", begun)
	}
	h.end(begun, failed, "Unexpected")
	if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
		t.Fatal(err)
	}
	var kinds strings.Builder
	for _, a := range h.fence.attempts {
		kinds.WriteString(string(a.Kind) + " ")
	}
	if kinds.String() != "start restart resume " {
		t.Errorf("the database has the attempts %s", kinds.String())
	}
}

// Somebody redrives in the console while a restart fences the import off: the
// restart wins, and the execution of the old generation is stopped.
func TestRestartBeatsAConsoleRedrive(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	h.fence.during = func() {
		h.machine.executions[imp.ExecutionARN].redrives = 1
		h.machine.end(imp.ExecutionARN, sfntypes.ExecutionStatusRunning, "", "")
	}
	if _, err := h.rerun(imp.ImportID, etl.KindRestart); err != nil {
		t.Fatal(err)
	}
	if got := h.machine.executions[imp.ExecutionARN].status; got != sfntypes.ExecutionStatusAborted {
		t.Errorf("the old execution is %s", got)
	}
	if err := h.track(imp.ExecutionARN); err != nil {
		t.Fatal(err)
	}
	if got := h.load(imp.ImportID); got.Status != etl.StatusRunning || got.Generation != 2 {
		t.Errorf("import = %+v", got)
	}
}

func TestResumeAndRestartAtOnce(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for n := range errs {
		wg.Go(func() {
			mode := []etl.Kind{etl.KindResume, etl.KindRestart}[n%2]
			_, errs[n] = h.rerun(imp.ImportID, mode)
		})
	}
	wg.Wait()
	won := map[string]int{}
	for n, err := range errs {
		if err == nil {
			won[[]string{"resume", "restart"}[n%2]]++
		} else if refused(err) == "" {
			t.Errorf("request %d: %v", n, err)
		}
	}
	if len(won) != 1 || won["restart"] > 1 {
		t.Errorf("won = %v", won)
	}
	if got := h.load(imp.ImportID); got.Status != etl.StatusRunning || h.machine.redrives+h.machine.starts != 2 {
		t.Errorf("status %s, redrives %d, starts %d", got.Status, h.machine.redrives, h.machine.starts)
	}
}

func TestAbandon(t *testing.T) {
	for _, fail := range []string{"", "before", "after"} {
		t.Run("fails:"+fail, func(t *testing.T) {
			h, imp := failedImport(t, "Unexpected")
			h.arrive(files(daily, "2024-10-09")...)
			h.fence.fail = fail
			answer, err := h.rerun(imp.ImportID, etl.KindAbandon)
			if fail != "" {
				if err == nil {
					t.Fatal("no error")
				}
				answer, err = h.rerun(imp.ImportID, etl.KindAbandon)
			}
			if err != nil || answer.Status != etl.StatusAbandoned || answer.Generation != 2 {
				t.Fatalf("answer = %+v, %v", answer, err)
			}
			if again, err := h.rerun(imp.ImportID, etl.KindAbandon); err != nil || again.Status != etl.StatusAbandoned {
				t.Errorf("again: %+v, %v", again, err)
			}
			if h.work.dropped[imp.ImportID+" g1"] == 0 {
				t.Error("its work objects are left")
			}
			next := h.importOf(daily, "2024-10-09")
			if next.Status != etl.StatusRunning {
				t.Errorf("the next date is %s", next.Status)
			}
			if reason := refused(second(h.rerun(imp.ImportID, etl.KindResume))); reason != control.RefusedAbandoned {
				t.Errorf("resume: %q", reason)
			}
			if reason := refused(second(h.rerun(imp.ImportID, etl.KindRestart))); reason != control.RefusedTaken(next.ImportID) {
				t.Errorf("restart while another runs: %q", reason)
			}
			h.end(next, succeeded, "")
			if answer, err := h.rerun(imp.ImportID, etl.KindRestart); err != nil || answer.Generation != 3 {
				t.Errorf("restart: %+v, %v", answer, err)
			}
			if got := h.end(h.load(imp.ImportID), succeeded, ""); got.Status != etl.StatusSucceeded {
				t.Errorf("status = %s", got.Status)
			}
		})
	}
}

func second[A, B any](_ A, b B) B { return b }

func TestRefusals(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	running := h.importOf(daily, "2024-10-08")
	for _, mode := range []etl.Kind{etl.KindResume, etl.KindContinue, etl.KindRestart, etl.KindAbandon} {
		if reason := refused(second(h.rerun(running.ImportID, mode))); reason != control.RefusedRunning {
			t.Errorf("%s of a running import: %q", mode, reason)
		}
		if reason := refused(second(h.rerun("IMPORT_20000101_000000_001", mode))); reason != message.RefusedUnknown {
			t.Errorf("%s of an unknown import: %q", mode, reason)
		}
	}
	if reason := refused(second(h.rerun(running.ImportID, "again"))); reason != control.RefusedMode {
		t.Errorf("unknown mode: %q", reason)
	}
	if reason := refused(second(h.force(running.ImportID))); reason != control.RefusedRunning {
		t.Errorf("forced restart of a running import: %q", reason)
	}
	h.end(running, succeeded, "")
	for _, mode := range []etl.Kind{etl.KindResume, etl.KindContinue, etl.KindRestart, etl.KindAbandon} {
		if reason := refused(second(h.rerun(running.ImportID, mode))); reason != control.RefusedSucceeded {
			t.Errorf("%s of a succeeded import: %q", mode, reason)
		}
	}
	for _, mode := range []etl.Kind{etl.KindResume, etl.KindContinue, etl.KindAbandon} {
		_, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: running.ImportID, Mode: mode, Force: true})
		if refused(err) != control.RefusedForce {
			t.Errorf("forced %s: %v", mode, err)
		}
	}
}

// The event of the failure was lost; the command finds the truth by itself.
func TestResumeAfterALostEvent(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.importOf(daily, "2024-10-08")
	h.clock.Move(time.Minute)
	h.machine.end(imp.ExecutionARN, failed, "Unexpected", "")
	if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
		t.Fatal(err)
	}
	if got := h.load(imp.ImportID); got.Status != etl.StatusRunning || got.Redrives() != 1 {
		t.Errorf("import = %+v", got)
	}
}

func TestLateVersion(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-08")
	h.arrive(keys...)
	imp := h.importOf(daily, "2024-10-08")
	h.upload(keys[0], "corrected before the list is sealed")
	if answer, err := h.notify(keys[0]); err != nil || answer.Outcome != "recorded" {
		t.Errorf("before the list is sealed: %+v, %v", answer, err)
	}
	arrivals, err := h.registry.Arrivals(t.Context(), daily, "2024-10-08")
	if err != nil {
		t.Fatal(err)
	}
	var sealed []registry.SealedFile
	for _, a := range arrivals {
		sealed = append(sealed, registry.SealedFile{Resource: a.Resource, Key: a.Key, VersionID: a.VersionID, ETag: a.ETag})
	}
	if _, err := h.registry.Seal(t.Context(), imp.ImportID, 1, sealed); err != nil {
		t.Fatal(err)
	}
	if answer, err := h.notify(keys[0]); err != nil || answer.Outcome != "unchanged" || len(h.logged(message.LogLateFile)) != 0 {
		t.Errorf("a replay after sealing: %+v, %v", answer, err)
	}
	h.upload(keys[0], "too late")
	if answer, err := h.notify(keys[0]); err != nil || answer.Outcome != "too_late" {
		t.Errorf("after sealing: %+v, %v", answer, err)
	}
	h.sweep(control.SweepEvent{})
	lines := h.logged(message.LogLateFile)
	if len(lines) != 1 || lines[0]["level"] != "WARN" || lines[0]["file"] != "client_data_20241008.csv" ||
		!strings.Contains(lines[0]["error_details"].(string), "make restart IMPORT_ID="+imp.ImportID) {
		t.Errorf("log = %v", lines)
	}
	h.end(imp, failed, "InvalidFile")
	if _, err := h.rerun(imp.ImportID, etl.KindRestart); err != nil {
		t.Fatal(err)
	}
	if h.load(imp.ImportID).Sealed() {
		t.Error("the restart did not open the list")
	}
	if arrivals, err = h.registry.Arrivals(t.Context(), daily, "2024-10-08"); err != nil || arrivals["clients"].VersionID == sealed[0].VersionID {
		t.Errorf("the restart would load the old version: %v", err)
	}
}
