package control_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
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
		`{"arrivals":1,"open":2,"due":"2024-10-08"}`:    control.Swept{Arrivals: 1, Open: 2, Due: "2024-10-08"},
		`{"import_id":"I","mode":"resume","attempt":2}`: control.Request{ImportID: "I", Mode: "resume", Attempt: 2},
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

// Each service starts only with what it needs, and names what is missing.
func TestConfigIsChecked(t *testing.T) {
	h := open(t)
	common, outcomes := h.setup.Common, h.setup.Outcomes
	common.Landing = down{}
	always := []string{"Registry", "Executions", "Names", "Landing", "Log", "Now", "Zone", "StateMachineARN"}
	with := func(own ...string) []string { return append(own, always...) }
	advancer := control.AdvancerConfig{Common: common, Reruns: &calls{}}
	tracker := control.TrackerConfig{Common: common, Outcomes: outcomes, Reruns: &calls{}, Later: h.setup.Later, Replays: h.setup.Replays}
	sweeper := control.SweeperConfig{Common: common, Outcomes: outcomes, Reruns: &calls{}, Later: h.setup.Later, Replays: h.setup.Replays}
	rerunner := control.RerunnerConfig{Common: common, Outcomes: outcomes, Definitions: h.setup.Definitions, Fence: h.fence, Work: h.work, Audit: h.audit, Replays: h.setup.Replays}
	for service, c := range map[string]struct {
		config    any
		build     func() error
		mandatory []string
	}{
		"advancer": {&advancer, func() error { _, err := control.NewAdvancer(advancer); return err }, with("Reruns")},
		"tracker":  {&tracker, func() error { _, err := control.NewTracker(tracker); return err }, with("Histories", "Alerts", "Reports", "Replays", "Reruns", "Later")},
		"sweeper":  {&sweeper, func() error { _, err := control.NewSweeper(sweeper); return err }, with("Histories", "Alerts", "Reports", "Replays", "Reruns", "Later")},
		"rerunner": {&rerunner, func() error { _, err := control.NewRerunner(rerunner); return err }, with("Histories", "Alerts", "Reports", "Replays", "Definitions", "Fence", "Work", "Audit")},
	} {
		if err := c.build(); err != nil {
			t.Errorf("%s: %v", service, err)
		}
		for _, name := range c.mandatory {
			field := reflect.ValueOf(c.config).Elem().FieldByName(name)
			full := reflect.ValueOf(field.Interface())
			field.SetZero()
			if err := c.build(); err == nil || !strings.HasSuffix(err.Error(), "the configuration of the "+service+" lacks "+name) {
				t.Errorf("%s without %s: %v", service, name, err)
			}
			field.Set(full)
		}
	}
	advancer.StateMachineARN = "arn:aws:states:eu-west-3:111122223333:execution:import:I"
	if _, err := control.NewAdvancer(advancer); err == nil {
		t.Error("the ARN of an execution was taken for that of a state machine")
	}
}
