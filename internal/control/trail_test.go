package control_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// recorded is the event in which CloudTrail tells of a redrive at a time, with changes.
func recorded(t *testing.T, arn string, at time.Time, changes ...string) control.TrailEvent {
	t.Helper()
	body, err := os.ReadFile("testdata/redriven.json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(append(changes, "EXECUTION", arn, "2024-10-09T15:10:00Z", at.UTC().Format(time.RFC3339))...).Replace(string(body))
	var event control.TrailEvent
	if err := json.Unmarshal([]byte(text), &event); err != nil {
		t.Fatal(err)
	}
	return event
}

const operator = "arn:aws:sts::111122223333:assumed-role/Operators, session déclarée « anne » (clé ASIAEXAMPLE)"

// console redrives an execution as the Step Functions console does.
func (h *house) console(imp registry.Import) {
	h.machine.mu.Lock()
	defer h.machine.mu.Unlock()
	e := h.machine.executions[imp.ExecutionARN]
	e.redrives++
	e.status, e.redrivenAt = sfntypes.ExecutionStatusRunning, h.clock.Now()
}

func (h *house) redriven(event control.TrailEvent) control.Tracked {
	h.t.Helper()
	tracked, err := h.tracker.Redriven(h.t.Context(), event)
	if err != nil {
		h.t.Fatal(err)
	}
	return tracked
}

// CloudTrail names who redrove in the console, before or after the status event, and
// however often it says so.
func TestConsoleRedrive(t *testing.T) {
	for _, first := range []bool{false, true} {
		h, imp := failedImport(t, "Unexpected")
		h.clock.Move(time.Minute)
		h.console(imp)
		at := h.clock.Now()
		if !first {
			if err := h.track(imp.ExecutionARN); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if got := h.redriven(recorded(t, imp.ExecutionARN, at)); got.ImportID != imp.ImportID || got.Status != etl.StatusRunning {
				t.Errorf("tracked %+v", got)
			}
		}
		if diff := cmp.Diff([]string{"file ", "console " + operator}, h.by(imp.ImportID)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if lines := h.logged(control.LogConsole); len(lines) != 2 || lines[0]["by"] != operator || lines[0]["import_id"] != imp.ImportID {
			t.Errorf("log %v", lines)
		}
	}
}

// Each of two redrives has its own author, whichever event comes first.
func TestConsoleRedrives(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	var times []time.Time
	for range 2 {
		h.clock.Move(time.Minute)
		h.console(imp)
		times = append(times, h.clock.Now())
		h.end(imp, failed, "Unexpected")
	}
	h.redriven(recorded(t, imp.ExecutionARN, times[1], "/anne", "/bob"))
	h.redriven(recorded(t, imp.ExecutionARN, times[0]))
	bob := strings.Replace(operator, "anne", "bob", 1)
	if diff := cmp.Diff([]string{"file ", "console " + operator, "console " + bob}, h.by(imp.ImportID)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// CloudTrail also tells, late, of a redrive that the product made. Its role is not the
// author of a redrive in the console a few minutes later, whichever event comes first.
func TestConsoleRedriveAfterOurOwn(t *testing.T) {
	for _, first := range []string{"console", "our own"} {
		h, imp := failedImport(t, "Unexpected")
		h.clock.Move(time.Minute)
		ours := h.clock.Now()
		if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
			t.Fatal(err)
		}
		h.end(imp, failed, "Unexpected")
		h.clock.Move(2 * time.Minute)
		h.console(imp)
		own, console := recorded(t, imp.ExecutionARN, ours, "/anne", "/etl-rerun"), recorded(t, imp.ExecutionARN, h.clock.Now())
		if first == "console" {
			h.redriven(console)
		}
		if got := h.redriven(own); got.ImportID != "" {
			t.Errorf("%s first: our own redrive: %+v", first, got)
		}
		h.redriven(console)
		if diff := cmp.Diff([]string{"file ", "command identité non vérifiée", "console " + operator}, h.by(imp.ImportID)); diff != "" {
			t.Errorf("%s first (-want +got):\n%s", first, diff)
		}
	}
}

// A redrive that the product made itself keeps the name of whoever asked for it; calls
// that failed, or are about something else, name nobody.
func TestNoConsoleRedrive(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	h.clock.Move(time.Minute)
	if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
		t.Fatal(err)
	}
	at := h.clock.Now()
	foreign := strings.Replace(imp.ExecutionARN, ":execution:import:", ":execution:other:", 1)
	for name, event := range map[string]control.TrailEvent{
		"our own":         recorded(t, imp.ExecutionARN, at),
		"failed":          recorded(t, imp.ExecutionARN, at, `"eventName"`, `"errorCode": "ExecutionNotRedrivable", "eventName"`),
		"another call":    recorded(t, imp.ExecutionARN, at, `"RedriveExecution"`, `"StopExecution"`),
		"another service": recorded(t, imp.ExecutionARN, at, `"states.amazonaws.com"`, `"lambda.amazonaws.com"`),
		"another machine": recorded(t, foreign, at),
		"no import":       recorded(t, "arn:aws:states:eu-west-3:111122223333:execution:import:manual", at),
		"unknown import":  recorded(t, strings.Replace(imp.ExecutionARN, "IMPORT_2", "IMPORT_1", 1), at),
	} {
		if got := h.redriven(event); got.ImportID != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if diff := cmp.Diff([]string{"file ", "command identité non vérifiée"}, h.by(imp.ImportID)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The identity is recorded although the answer of the table was lost, and at the next
// delivery if it was not written.
func TestConsoleRedriveThatFails(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	h.clock.Move(time.Minute)
	h.console(imp)
	event := recorded(t, imp.ExecutionARN, h.clock.Now())
	h.machine.fail = "Describe"
	if _, err := h.tracker.Redriven(t.Context(), event); err == nil {
		t.Fatal("no error")
	}
	h.redriven(event)
	if got := h.by(imp.ImportID); got[1] != "console "+operator {
		t.Errorf("attempts by %q", got)
	}
}
