package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/schedule"
)

// schedules answers as EventBridge Scheduler does. A call fails once, before
// ("Create") or after ("Create saved") it took effect.
type schedules struct {
	mu   sync.Mutex
	made map[string]*scheduler.CreateScheduleInput
	fail string
}

func (s *schedules) CreateSchedule(_ context.Context, in *scheduler.CreateScheduleInput, _ ...func(*scheduler.Options)) (*scheduler.CreateScheduleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fail := s.fail
	s.fail = ""
	if fail == "Create" {
		return nil, errLost
	}
	if _, ok := s.made[*in.Name]; ok {
		return nil, &schedulertypes.ConflictException{}
	}
	s.made[*in.Name] = in
	if fail == "Create saved" {
		return nil, errLost
	}
	return &scheduler.CreateScheduleOutput{}, nil
}

// withRedrives returns a house that redrives three times by itself, after a
// minute, and whose schedules are in s; its import of 2024-10-08 failed.
func withRedrives(t *testing.T, faultName string) (*house, *schedules, registry.Import) {
	t.Helper()
	s := &schedules{made: map[string]*scheduler.CreateScheduleInput{}}
	h := open(t, func(c *setup) {
		c.Redrives, c.RedriveDelay = 3, time.Minute
		c.Later = schedule.Later{Client: s, Group: "redrives", FunctionARN: "arn:rerun", RoleARN: "arn:role"}
	})
	h.arrive(files(daily, "2024-10-08")...)
	return h, s, h.end(h.importOf(daily, "2024-10-08"), failed, faultName)
}

// fire makes the schedule of that name run, and returns the answer.
func (h *house) fire(s *schedules, name string) control.Answer {
	h.t.Helper()
	in, ok := s.made[name]
	if !ok {
		h.t.Fatalf("there is no schedule %s", name)
	}
	at, err := time.Parse("at(2006-01-02T15:04:05)", *in.ScheduleExpression)
	if err != nil {
		h.t.Fatal(err)
	}
	if wait := at.Sub(h.clock.Now()); wait > 0 {
		h.clock.Move(wait)
	}
	var request control.Request
	if err := json.Unmarshal([]byte(*in.Target.Input), &request); err != nil {
		h.t.Fatal(err)
	}
	answer, err := h.rerunner.Rerun(h.t.Context(), caller.Identity{}, request)
	if err != nil {
		h.t.Fatalf("the planned redrive: %v", err)
	}
	return answer
}

func TestAutomaticRedrives(t *testing.T) {
	h, s, imp := withRedrives(t, "Transient")
	id := imp.ImportID
	for n, wait := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute} {
		name := id + "-a" + string(rune('1'+n))
		in := s.made[name]
		if in == nil || in.ActionAfterCompletion != schedulertypes.ActionAfterCompletionDelete || *in.GroupName != "redrives" ||
			*in.Target.Arn != "arn:rerun" || *in.Target.RoleArn != "arn:role" || len(name) > 64 {
			t.Fatalf("schedule %s = %+v", name, in)
		}
		if d := imp.Automatic.At.Sub(h.clock.Now()); d < wait || d > wait+time.Second {
			t.Errorf("redrive %d comes after %s, want %s", n+1, d, wait)
		}
		alert := h.inbox.alerts[len(h.inbox.alerts)-1]
		if !strings.Contains(alert.Text, control.AutomaticRedrive(n, 3, imp.Automatic.At)) {
			t.Errorf("the alert does not tell of redrive %d: %s", n+1, alert.Text)
		}
		if answer := h.fire(s, name); answer.Kind != etl.KindResume || answer.Status != etl.StatusRunning {
			t.Fatalf("answer = %+v", answer)
		}
		imp = h.end(h.load(id), failed, "Transient")
	}
	if len(s.made) != 3 || !imp.Automatic.At.IsZero() {
		t.Errorf("%d schedules, next at %s", len(s.made), imp.Automatic.At)
	}
	if alert := h.inbox.alerts[len(h.inbox.alerts)-1]; !strings.Contains(alert.Text, control.AutomaticRedrive(3, 3, time.Time{})) {
		t.Errorf("the alert does not tell that no redrive is left: %s", alert.Text)
	}
	h.clock.Move(time.Hour)
	h.sweep(control.SweepEvent{})
	if diff := cmp.Diff([]string{"start file", "resume automatic", "resume automatic", "resume automatic"}, h.attempts(id)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

// Progress gives the redrives back, other redrives do not use them up, and a
// restart starts to count anew.
func TestAutomaticRedrivesAreCounted(t *testing.T) {
	h, s, imp := withRedrives(t, "Transient")
	id := imp.ImportID
	h.fire(s, id+"-a1")
	if imp = h.end(h.load(id), failed, "States.Timeout"); imp.Automatic.Used != 1 {
		t.Errorf("after one automatic redrive: %+v", imp.Automatic)
	}
	if _, err := h.rerun(id, etl.KindResume); err != nil {
		t.Fatal(err)
	}
	if imp = h.end(h.load(id), failed, "Transient"); imp.Automatic.Used != 1 || imp.Automatic.At.IsZero() {
		t.Errorf("after a redrive by hand: %+v", imp.Automatic)
	}
	if answer := h.fire(s, id+"-a2"); answer.Kind != "" || answer.Message != control.RefusedOvertaken || h.load(id).Status != etl.StatusFailed {
		t.Errorf("the schedule of an older failure: %+v", answer)
	}
	h.fire(s, id+"-a3")
	if err := h.registry.RecordProgress(t.Context(), id, 1, registry.Progress{State: "ScanFile", Resource: "clients"}); err != nil {
		t.Fatal(err)
	}
	if imp = h.end(h.load(id), failed, "Transient"); imp.Automatic.Used != 0 {
		t.Errorf("after progress: %+v", imp.Automatic)
	}
	h.fire(s, id+"-a4")
	if imp = h.end(h.load(id), failed, "Transient"); imp.Automatic.Used != 1 {
		t.Errorf("the same progress counts twice: %+v", imp.Automatic)
	}
	h.machine.executions[imp.ExecutionARN].tooOld = true
	if answer := h.fire(s, id+"-a5"); answer.Kind != etl.KindContinue {
		t.Errorf("answer = %+v", answer)
	}
	if imp = h.end(h.load(id), failed, "Transient"); imp.Automatic.Used != 2 || imp.Automatic.At.IsZero() {
		t.Errorf("after an automatic continuation: %+v", imp.Automatic)
	}
	if _, err := h.rerun(id, etl.KindRestart); err != nil {
		t.Fatal(err)
	}
	if imp = h.load(id); imp.Automatic != (registry.Automatic{}) {
		t.Errorf("after a restart: %+v", imp.Automatic)
	}
	if answer := h.fire(s, id+"-a6"); answer.Kind != "" {
		t.Errorf("the schedule of a running import: %+v", answer)
	}
}

func TestWhatIsNotRedrivenAutomatically(t *testing.T) {
	for _, name := range []string{
		"MissingFiles", "InvalidFile", "BudgetExceeded", "Implausible", "Incompatible", "Mismatch", "TokenKeyChanged", "Superseded", "Refused", "Unexpected", "States.DataLimitExceeded",
	} {
		h, s, imp := withRedrives(t, name)
		if len(s.made) != 0 || imp.Decided() || strings.Contains(h.inbox.alerts[0].Text, "Reprise automatique") {
			t.Errorf("%s: %d schedules, %+v", name, len(s.made), imp.Automatic)
		}
	}
}

// A person stopped the execution: whatever had failed in it before, it stays.
func TestStoppedByHandIsNotRedrivenAutomatically(t *testing.T) {
	h, s, imp := withRedrives(t, "Transient")
	if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
		t.Fatal(err)
	}
	if err := h.registry.RecordFault(t.Context(), imp.ImportID, 1, registry.Fault{State: "Stage", Name: "Transient"}); err != nil {
		t.Fatal(err)
	}
	imp = h.load(imp.ImportID)
	h.machine.end(imp.ExecutionARN, sfntypes.ExecutionStatusAborted, "Transient", "")
	if err := h.track(imp.ExecutionARN); err != nil {
		t.Fatal(err)
	}
	if imp = h.load(imp.ImportID); len(s.made) != 1 || imp.Decided() || imp.Reason != control.ReasonStopped {
		t.Errorf("%d schedules, %+v", len(s.made), imp)
	}
}

// The schedule could not be made, or was made and its answer lost: the alert goes
// out, and the next look at the import makes up for it.
func TestScheduleThatFails(t *testing.T) {
	for _, fail := range []string{"Create", "Create saved"} {
		h, s, imp := withRedrives(t, "Unexpected")
		if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
			t.Fatal(err)
		}
		s.fail = fail
		h.clock.Move(time.Minute)
		h.machine.end(imp.ExecutionARN, failed, "Transient", "")
		err := h.track(imp.ExecutionARN)
		if _, ok := errors.AsType[*fault.Transient](err); !ok {
			t.Errorf("%s: track = %v", fail, err)
		}
		planned := h.load(imp.ImportID).Automatic.At
		h.clock.Move(3 * time.Minute)
		h.sweep(control.SweepEvent{})
		if got := h.load(imp.ImportID); len(s.made) != 1 || !got.Settled() || !got.Automatic.At.Equal(planned) || got.Status != etl.StatusFailed {
			t.Errorf("%s: %d schedules, %+v", fail, len(s.made), got)
		}
		h.fire(s, imp.ImportID+"-a2")
		if got := h.load(imp.ImportID); got.Status != etl.StatusRunning {
			t.Errorf("%s: %+v", fail, got)
		}
	}
}

// The schedule was lost: the sweep resumes, once, five minutes after its time.
func TestSweepMakesUpForALostSchedule(t *testing.T) {
	h, s, imp := withRedrives(t, "Lambda.Unknown")
	h.clock.Move(time.Minute + 4*time.Minute)
	h.sweep(control.SweepEvent{})
	if h.machine.redrives != 0 {
		t.Fatal("the sweep did not wait for the schedule")
	}
	h.clock.Move(2 * time.Minute)
	h.sweep(control.SweepEvent{})
	h.sweep(control.SweepEvent{})
	if diff := cmp.Diff([]string{"start file", "resume automatic"}, h.attempts(imp.ImportID)); diff != "" || h.machine.redrives != 1 {
		t.Errorf("%d redrives, attempts (-want +got):\n%s", h.machine.redrives, diff)
	}
	if answer := h.fire(s, imp.ImportID+"-a1"); answer.Kind != "" || h.machine.redrives != 1 {
		t.Errorf("the schedule that comes after all: %+v", answer)
	}
}
