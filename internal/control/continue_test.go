package control_test

import (
	"strings"
	"testing"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// continued checks that a new execution goes on with the first generation of imp
// and runs the machine's definition, and ends it.
func (h *house) continued(imp registry.Import, answer control.Answer, why string) {
	h.t.Helper()
	begun := h.load(imp.ImportID)
	if answer.Kind != etl.KindContinue || answer.Execution != imp.ExecutionARN+"-2" || answer.Generation != 1 || !strings.Contains(answer.Message, why) {
		h.t.Errorf("answer = %+v, want the reason %q", answer, why)
	}
	e := h.machine.executions[begun.ExecutionARN]
	if e == nil || begun.ExecutionARN != answer.Execution || !strings.Contains(e.input, `"generation":1`) || e.started != h.machine.definition {
		h.t.Fatalf("execution %s = %+v", begun.ExecutionARN, e)
	}
	if got := h.end(begun, succeeded, ""); got.Status != etl.StatusSucceeded {
		h.t.Errorf("status = %s", got.Status)
	}
	if diff := cmp.Diff([]string{"start file", "continue command"}, h.attempts(imp.ImportID)); diff != "" {
		h.t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if line := h.logged(control.LogRerun)[0]; line["mode"] != "continue" || line["failed_step"] != string(imp.Step) || line["error_details"] != imp.Reason {
		h.t.Errorf("log = %v", line)
	}
}

func TestNotRedrivableIsContinued(t *testing.T) {
	for reason, why := range map[string]string{
		"Execution redrivable period exceeded.":                        "14 jours",
		"Execution history event limit exceeded":                       "historique est plein",
		"Execution has exceeded the max execution time.":               "un an",
		"Execution was started before the launch of RedriveExecution.": "plus ancienne",
		"Something new": "Something new",
		"":              "ne peut plus être reprise)",
	} {
		t.Run(reason, func(t *testing.T) {
			h, imp := failedImport(t, "Unexpected")
			e := h.machine.executions[imp.ExecutionARN]
			e.tooOld, e.why = true, reason
			answer, err := h.rerun(imp.ImportID, etl.KindResume)
			if err != nil {
				t.Fatal(err)
			}
			h.continued(imp, answer, why)
		})
	}
}

func TestForgottenIsContinued(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	delete(h.machine.executions, imp.ExecutionARN)
	answer, err := h.rerun(imp.ImportID, etl.KindResume)
	if err != nil {
		t.Fatal(err)
	}
	h.continued(imp, answer, control.ContinuedAsForgotten)
}

// TestContinue: a continuation is asked for, whose start may fail; the sweep
// makes up for that.
func TestContinue(t *testing.T) {
	for _, fail := range []string{"", "Describe", "Start", "Start saved"} {
		t.Run("fails:"+fail, func(t *testing.T) {
			h, imp := failedImport(t, "Unexpected")
			h.machine.definition, h.machine.fail = "newer", fail
			answer, err := h.rerun(imp.ImportID, etl.KindContinue)
			switch fail {
			case "Describe":
				if err == nil {
					t.Fatal("no error")
				}
				answer, err = h.rerun(imp.ImportID, etl.KindContinue)
			case "Start", "Start saved":
				if err == nil {
					t.Fatal("no error")
				}
				h.sweep(control.SweepEvent{})
				begun := h.load(imp.ImportID)
				err = nil
				answer = control.Answer{Kind: etl.KindContinue, Execution: begun.ExecutionARN, Generation: begun.Generation, Message: control.ContinuedAsAsked}
			}
			if err != nil {
				t.Fatal(err)
			}
			h.continued(imp, answer, control.ContinuedAsAsked)
			if h.machine.starts != 2 || h.machine.redrives != 0 {
				t.Errorf("%d starts, %d redrives", h.machine.starts, h.machine.redrives)
			}
		})
	}
}

// A redrive that somebody asked for in the console is known by nobody yet: a
// continuation is refused, as the import runs. One that comes later, while the
// continuation begins, is stopped.
func TestContinueMeetsAConsoleRedrive(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	h.machine.executions[imp.ExecutionARN].redrives = 1
	h.machine.end(imp.ExecutionARN, sfntypes.ExecutionStatusRunning, "", "")
	if reason := refused(second(h.rerun(imp.ImportID, etl.KindContinue))); reason != control.RefusedRunning {
		t.Fatalf("got %q", reason)
	}
	h.end(imp, failed, "Unexpected")
	answer, err := h.rerun(imp.ImportID, etl.KindContinue)
	if err != nil {
		t.Fatal(err)
	}
	h.machine.executions[imp.ExecutionARN].redrives = 2
	h.machine.end(imp.ExecutionARN, sfntypes.ExecutionStatusRunning, "", "")
	if err := h.track(imp.ExecutionARN); err != nil {
		t.Fatal(err)
	}
	if got := h.load(imp.ImportID); got.ExecutionARN != answer.Execution || got.Status != etl.StatusRunning {
		t.Errorf("import = %+v", got)
	}
	if diff := cmp.Diff([]string{"start file", "resume console", "continue command"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

// TestResumeTellsOfANewDefinition: a redrive runs the old one; that it cannot be
// found out hinders nobody.
func TestResumeTellsOfANewDefinition(t *testing.T) {
	for name, c := range map[string]struct {
		definition, fail string
		changed          bool
	}{
		"same":                     {"", "", false},
		"changed":                  {"newer", "", true},
		"unknown now":              {"newer", "Definition", false},
		"unknown of the execution": {"newer", "Definition of the execution", false},
	} {
		t.Run(name, func(t *testing.T) {
			h, imp := failedImport(t, "Unexpected")
			h.machine.definition, h.machine.fail = c.definition, c.fail
			answer, err := h.rerun(imp.ImportID, etl.KindResume)
			if err != nil || answer.Kind != etl.KindResume || answer.DefinitionChanged != c.changed ||
				strings.Contains(answer.Message, "CONTINUE=1") != c.changed {
				t.Errorf("answer = %+v, %v", answer, err)
			}
			if got := len(h.logged(control.LogNoDefinition)); (got == 1) != (c.fail != "") {
				t.Errorf("%d warnings", got)
			}
		})
	}
}
