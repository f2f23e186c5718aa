package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/registry"
)

var (
	_ control.Executions  = (*executions.Machine)(nil)
	_ control.Histories   = (*executions.Machine)(nil)
	_ control.Definitions = (*executions.Machine)(nil)
	_ control.Landing     = (*landing.Recorder)(nil)
	_ landing.Starter     = (*control.Advancer)(nil)
)

// entered is the event of a state that was entered.
func entered(id, previous int64, name string) sfntypes.HistoryEvent {
	return sfntypes.HistoryEvent{
		Id: id, PreviousEventId: previous, Type: sfntypes.HistoryEventTypeTaskStateEntered,
		StateEnteredEventDetails: &sfntypes.StateEnteredEventDetails{Name: aws.String(name)},
	}
}

func event(id, previous int64) sfntypes.HistoryEvent {
	return sfntypes.HistoryEvent{Id: id, PreviousEventId: previous}
}

func TestWhereItFailed(t *testing.T) {
	const mapRun = "arn:map"
	const child = "arn:aws:states:eu-west-3:111122223333:execution:import/Raw:child"
	for _, test := range []struct {
		name         string
		status       sfntypes.ExecutionStatus
		error, cause string
		faults       []registry.Fault
		history      []sfntypes.HistoryEvent
		state        etl.State
		step         etl.Step
		reason       string
		advice       string
	}{
		{
			name: "the function reported it", status: failed, error: "InvalidFile",
			faults: []registry.Fault{{State: "ScanFile", Resource: "clients", Name: "InvalidFile", Message: "en-tête", Advice: "restart"}},
			state:  "ScanFile", step: etl.StepLoading, reason: "en-tête", advice: "restart",
		},
		{
			name: "a fault that was retried is not the reason", status: failed, error: "States.Timeout",
			faults: []registry.Fault{{State: "Stage", Name: "Transient", Message: "passager", Advice: "redrive"}},
			// Two branches: the first event back from the end belongs to Publish.
			history: []sfntypes.HistoryEvent{entered(1, 0, "Reconcile"), entered(2, 1, "Publish"), entered(3, 1, "Other"), event(4, 2), event(5, 4)},
			state:   "Publish", step: etl.StepPersistence, reason: "Erreur States.Timeout.", advice: "redrive",
		},
		{
			name: "a child of a map run", status: failed, error: "States.ExceedToleratedFailureThreshold", cause: "too many",
			history: []sfntypes.HistoryEvent{entered(1, 0, "Raw"), {Id: 2, PreviousEventId: 1, MapRunStartedEventDetails: &sfntypes.MapRunStartedEventDetails{MapRunArn: aws.String(mapRun)}}, event(3, 2), event(4, 3)},
			state:   "Stage", step: etl.StepStaging, reason: "Erreur Sandbox.Timedout : délai", advice: "redrive",
		},
		{
			name: "the machine may not invoke", status: failed, error: "Lambda.AWSLambdaException", cause: "X is not authorized to perform: lambda:InvokeFunction on resource: arn:f",
			history: []sfntypes.HistoryEvent{entered(1, 0, "Publish"), event(2, 1)},
			state:   "Publish", step: etl.StepPersistence, reason: "Erreur AccessDenied : X is not authorized to perform: lambda:InvokeFunction on resource: arn:f", advice: "redrive",
		},
		{
			name: "stopped by hand", status: sfntypes.ExecutionStatusAborted,
			history: []sfntypes.HistoryEvent{entered(1, 0, "Publish"), event(2, 1)},
			state:   "Publish", step: etl.StepPersistence, reason: control.ReasonStopped, advice: "redrive",
		},
		{name: "timed out", status: sfntypes.ExecutionStatusTimedOut, reason: control.ReasonTimedOut, advice: "redrive"},
		{name: "nothing known", status: failed, reason: control.ReasonUnknown, advice: "redrive"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := open(t)
			h.arrive(files(daily, "2024-10-08")...)
			imp := h.importOf(daily, "2024-10-08")
			h.clock.Move(time.Second)
			for _, f := range test.faults {
				if err := h.registry.RecordFault(t.Context(), imp.ImportID, 1, f); err != nil {
					t.Fatal(err)
				}
			}
			h.machine.histories = map[string][]sfntypes.HistoryEvent{
				imp.ExecutionARN: test.history,
				child:            {entered(1, 0, "Protect"), entered(2, 1, "Stage"), event(3, 2)},
			}
			h.machine.children = map[string][]string{mapRun: {child}}
			h.machine.executions[child] = &execution{status: failed, error: "Sandbox.Timedout", cause: `{"errorMessage":"délai","errorType":"x"}`}
			h.machine.end(imp.ExecutionARN, test.status, test.error, test.cause)
			if err := h.track(imp.ExecutionARN); err != nil {
				t.Fatal(err)
			}
			got := h.load(imp.ImportID)
			if got.State != test.state || got.Step != test.step || got.Reason != test.reason || got.Advice != test.advice {
				t.Errorf("state %q, step %q, reason %q, advice %q", got.State, got.Step, got.Reason, got.Advice)
			}
			text := h.inbox.alerts[0].Text
			for _, part := range []string{imp.ImportID, string(test.step), test.reason, "make re"} {
				if !strings.Contains(text, part) {
					t.Errorf("the alert lacks %q:\n%s", part, text)
				}
			}
			if lines := h.logged(control.LogFailed); len(lines) != 1 || lines[0]["level"] != "ERROR" {
				t.Errorf("log = %v", lines)
			}
		})
	}
}

// An earlier attempt's fault is not the reason of a later failure.
func TestFaultOfAnEarlierAttempt(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.importOf(daily, "2024-10-08")
	if err := h.registry.RecordFault(t.Context(), imp.ImportID, 1, registry.Fault{State: "Plan", Name: "Unexpected", Message: "avant"}); err != nil {
		t.Fatal(err)
	}
	if got := h.end(imp, failed, "Unexpected"); got.Reason != "avant" {
		t.Fatalf("reason = %s", got.Reason)
	}
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: etl.KindResume}); err != nil {
		t.Fatal(err)
	}
	if got := h.end(imp, failed, "Unexpected"); got.Reason != "Erreur Unexpected." {
		t.Errorf("reason = %s", got.Reason)
	}
}

// A history that cannot be read does not keep a failure from being recorded.
func TestHistoryThatFails(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	h.machine.fail = "History"
	if got := h.end(h.importOf(daily, "2024-10-08"), failed, "Sandbox.Timedout"); got.Status != etl.StatusFailed {
		t.Errorf("status = %s", got.Status)
	}
}
