package control_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// The shapes of events and answers are what the stack, the command and people's
// test events rely on.
func TestShapes(t *testing.T) {
	for want, value := range map[string]any{
		`{"import_id":"I","status":"en cours"}`: control.Tracked{ImportID: "I", Status: "en cours"},
		`{}`:                                    control.Tracked{},
		`{"arrivals":1,"open":2,"due":"2024-10-08"}`:            control.Swept{Arrivals: 1, Open: 2, Due: "2024-10-08"},
		`{"import_id":"I","mode":"resume","trigger":"command"}`: control.Request{ImportID: "I", Mode: "resume", Trigger: "command"},
		`{"import_id":"I","kind":"restart","status":"en cours","generation":2,"execution":"arn","message":"fait"}`: control.Answer{
			ImportID: "I", Kind: "restart", Status: "en cours", Generation: 2, Execution: "arn", Message: "fait",
		},
		`{"deadline":true,"time":"2024-10-09T04:00:00Z"}`: control.SweepEvent{Deadline: true, Time: time.Date(2024, 10, 9, 4, 0, 0, 0, time.UTC)},
	} {
		if got, err := json.Marshal(value); err != nil || string(got) != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
}

func TestSampleEvents(t *testing.T) {
	read := func(name string, into any) {
		t.Helper()
		body, err := os.ReadFile("../../functions/" + name + "/event.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, into); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var sweep control.SweepEvent
	var track control.StatusEvent
	var rerun control.Request
	read("sweep", &sweep)
	read("track", &track)
	read("rerun", &rerun)
	if !sweep.Deadline || track.Detail.Status != "FAILED" || track.Detail.StateMachineARN == "" || rerun.Mode != etl.KindResume {
		t.Errorf("sweep %+v, track %+v, rerun %+v", sweep, track, rerun)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := control.New(control.Config{}); err == nil {
		t.Error("an empty configuration was taken")
	}
	if _, err := (&control.Control{}).Sweep(t.Context(), control.SweepEvent{}); err == nil {
		t.Error("a sweep without the landing bucket")
	}
	if _, err := (&control.Control{}).Rerun(t.Context(), control.Request{}); err == nil {
		t.Error("a re-execution without the fence")
	}
}
