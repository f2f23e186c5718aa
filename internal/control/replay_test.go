package control_test

import (
	"strings"
	"testing"
	"time"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// published returns a house with an import that succeeded.
func published(t *testing.T) (*house, registry.Import) {
	t.Helper()
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	h.inbox.alerts = nil
	return h, imp
}

// enrich asks for a replay, as anne.
func (h *house) enrich(importID, source string) (control.Answer, error) {
	return h.rerunner.Rerun(h.t.Context(), caller.Identity{ARN: anne}, control.Request{ImportID: importID, Mode: etl.KindEnrich, Source: source})
}

// mustEnrich begins a replay.
func (h *house) mustEnrich(importID string) registry.Import {
	h.t.Helper()
	if _, err := h.enrich(importID, ""); err != nil {
		h.t.Fatal(err)
	}
	return h.load(importID)
}

// turn asks whether the current replay may go on, and returns for how long it waits.
func (h *house) turn(imp registry.Import, loops int) int {
	h.t.Helper()
	a, err := h.rerunner.Rerun(h.t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: etl.KindTurn, Replay: imp.Replay.Number, Loops: loops})
	if err != nil {
		h.t.Fatal(err)
	}
	if a.Turn.Loops != loops+1 {
		h.t.Errorf("turn %d is followed by %d", loops, a.Turn.Loops)
	}
	return a.Turn.WaitSeconds
}

// endReplay ends the execution of an import's replay and hands the event to track.
func (h *house) endReplay(imp registry.Import, status sfntypes.ExecutionStatus, name string) registry.Import {
	h.t.Helper()
	h.clock.Move(time.Minute)
	h.machine.end(imp.Replay.ExecutionARN, status, name, "")
	if err := h.trackReplay(imp); err != nil {
		h.t.Fatalf("track: %v", err)
	}
	return h.load(imp.ImportID)
}

func (h *house) trackReplay(imp registry.Import) error {
	var event control.StatusEvent
	event.Detail.ExecutionARN, event.Detail.StateMachineARN = imp.Replay.ExecutionARN, replayARN
	_, err := h.tracker.Track(h.t.Context(), event)
	return err
}

func (h *house) slot() string {
	h.t.Helper()
	holder, err := h.registry.Slot(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return holder
}

// TestReplayRuns: a person's request starts one execution, whatever is asked meanwhile.
// Its end is told once, with what it completed and what remains.
func TestReplayRuns(t *testing.T) {
	h, imp := published(t)
	a, err := h.enrich(imp.ImportID, "")
	if err != nil || a.Kind != etl.KindEnrich || !strings.HasSuffix(a.Execution, ":enrich:"+imp.ImportID+"-e1") {
		t.Fatalf("%+v, %v", a, err)
	}
	imp = h.load(imp.ImportID)
	want := `{"import":{"import_id":"` + imp.ImportID + `","generation":1,"mode":"daily","file_date":"2024-10-08"},` +
		`"replay":1,"source":"","answer":{"turn":{"loops":0,"wait_seconds":0}},"progress":{"runs":0}}`
	if got := h.machine.executions[imp.Replay.ExecutionARN].input; got != want {
		t.Errorf("its input is %s", got)
	}
	if again, err := h.enrich(imp.ImportID, ""); err != nil || again.Execution != a.Execution || again.Message == a.Message {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	if _, err := h.enrich(imp.ImportID, "clients"); refused(err) != control.RefusedReplaying("") {
		t.Errorf("asked for one source: %v", err)
	}
	for unit, asked := range []registry.Asked{
		{Source: "clients", Replay: 1, Asked: 40, Answered: 38, Resolved: 37, Failed: map[string]int64{"timeout": 2}, Skipped: 1},
		{Source: "clients", Replay: 1, Asked: 5, NotFound: 5, Resolved: 5},
	} {
		p := registry.Progress{State: etl.StateReplay, Resource: "clients", Chunk: unit, Enrichment: &asked}
		if err := h.registry.RecordProgress(t.Context(), imp.ImportID, 1, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.registry.RecordProgress(t.Context(), imp.ImportID, 1, registry.Progress{State: etl.StateEnrich, Resource: "clients", NotEnriched: 50}); err != nil {
		t.Fatal(err)
	}
	imp = h.endReplay(imp, succeeded, "")
	if imp.Replay.Status != etl.StatusSucceeded || imp.Replay.Open() || h.slot() != "" {
		t.Errorf("replay %+v, slot %q", imp.Replay, h.slot())
	}
	if diff := cmp.Diff([]alert.Alert{alert.Replayed(imp.ImportID, "", 42, 8)}, h.inbox.alerts); diff != "" {
		t.Errorf("alerts (-want +got)\n%s", diff)
	}
	if err := h.trackReplay(imp); err != nil {
		t.Error(err)
	}
	h.sweep(control.SweepEvent{})
	if h.machine.starts != 2 || len(h.inbox.alerts) != 1 || imp.Status != etl.StatusSucceeded {
		t.Errorf("%d starts, %d alerts, the import is %s", h.machine.starts, len(h.inbox.alerts), imp.Status)
	}
	if diff := cmp.Diff([]string{"start file", "enrich command"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got)\n%s", diff)
	}
	if n := len(h.audit.entries); n != 6 || h.audit.entries[0].Action != "enrich" {
		t.Errorf("%d entries in the audit, want 6", n)
	}
	if second := h.mustEnrich(imp.ImportID); second.Replay.Number != 2 || !strings.HasSuffix(second.Replay.ExecutionARN, "-e2") {
		t.Errorf("the next replay is %+v", second.Replay)
	}
}

// TestReplayRefused: only a published import is replayed, and whoever asks too early is
// told what to do.
func TestReplayRefused(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.importOf(daily, "2024-10-08")
	expect := func(what, source, want string) {
		t.Helper()
		if _, err := h.enrich(imp.ImportID, source); refused(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	expect("running", "", control.RefusedEnrichRunning)
	h.end(imp, failed, "Unexpected")
	expect("failed", "", control.RefusedEnrichFailed(imp.ImportID))
	if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
		t.Fatal(err)
	}
	h.end(imp, succeeded, "")
	expect("an unknown source", "x\x1b", control.RefusedSource("x\x1b", []string{"clients", "produits"}))
	by := caller.Identity{ARN: anne}
	if _, err := h.rerunner.Rerun(t.Context(), by, control.Request{ImportID: imp.ImportID, Mode: etl.KindEnrich, Force: true}); refused(err) != control.RefusedForce {
		t.Errorf("forced: %v", err)
	}
	if _, err := h.rerunner.Rerun(t.Context(), by, control.Request{ImportID: imp.ImportID, Mode: etl.KindTurn, Replay: 1}); refused(err) != control.RefusedMode {
		t.Errorf("a person takes a turn: %v", err)
	}
	if got := h.load(imp.ImportID); got.Replay.Number != 0 || h.machine.starts != 1 {
		t.Errorf("replay %+v", got.Replay)
	}
	h2, abandoned := failedImport(t, "Unexpected")
	if _, err := h2.rerun(abandoned.ImportID, etl.KindAbandon); err != nil {
		t.Fatal(err)
	}
	if _, err := h2.enrich(abandoned.ImportID, ""); refused(err) != control.RefusedEnrichUnpublished {
		t.Errorf("abandoned: %v", err)
	}
}

// TestReplayYields: a replay holds the slot while it works. A date that waits starts at the
// next turn, and the replay waits until it has ended.
func TestReplayYields(t *testing.T) {
	h, imp := published(t)
	imp = h.mustEnrich(imp.ImportID)
	if wait := h.turn(imp, 0); wait != 0 || h.slot() != imp.ImportID {
		t.Fatalf("the first turn waits %d s, the slot is %q", wait, h.slot())
	}
	h.arrive(files(daily, "2024-10-09")...)
	h.sweep(control.SweepEvent{})
	if h.hasImport(daily, "2024-10-09") || h.slot() != imp.ImportID {
		t.Fatal("the date starts although the replay works")
	}
	if wait := h.turn(imp, 1); wait != 60 {
		t.Errorf("the replay waits %d s for the date", wait)
	}
	next := h.importOf(daily, "2024-10-09")
	if h.slot() != next.ImportID {
		t.Fatalf("the slot is %q", h.slot())
	}
	if wait := h.turn(imp, 60); wait != 300 || h.slot() != next.ImportID {
		t.Errorf("after many turns the replay waits %d s, the slot is %q", wait, h.slot())
	}
	h.end(next, failed, "Unexpected")
	if wait := h.turn(imp, 2); wait != 60 {
		t.Errorf("the replay goes on (%d s) over an import that failed", wait)
	}
	if _, err := h.rerun(next.ImportID, etl.KindResume); err != nil {
		t.Fatal(err)
	}
	h.end(next, succeeded, "")
	if wait := h.turn(imp, 3); wait != 0 || h.slot() != imp.ImportID {
		t.Errorf("then it waits %d s, the slot is %q", wait, h.slot())
	}
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: etl.KindTurn, Replay: 1, Loops: 1000}); fault.Name(fault.Lift(err)) != etl.FaultIncompatible {
		t.Errorf("after 1,000 turns: %v", err)
	}
	h.endReplay(imp, succeeded, "")
	if h.slot() != "" {
		t.Errorf("at the end the slot is %q", h.slot())
	}
}

// TestReplayRedriven: a replay that failed is told, and goes on in the same execution when
// it is asked for again, or redriven in the console.
func TestReplayRedriven(t *testing.T) {
	h, imp := published(t)
	imp = h.mustEnrich(imp.ImportID)
	h.turn(imp, 0)
	h.clock.Move(time.Second)
	if err := h.registry.RecordFault(t.Context(), imp.ImportID, 1, registry.Fault{State: etl.StateReplay, Name: "Unexpected", Message: "la raison"}); err != nil {
		t.Fatal(err)
	}
	imp = h.endReplay(imp, failed, "Unexpected")
	if imp.Replay.Reason != "la raison" || imp.Replay.Open() || h.slot() != "" || imp.Status != etl.StatusSucceeded {
		t.Fatalf("replay %+v, slot %q", imp.Replay, h.slot())
	}
	if diff := cmp.Diff([]alert.Alert{alert.ReplayFailed(imp.ImportID, "", "la raison", 0, 0)}, h.inbox.alerts); diff != "" {
		t.Errorf("alerts (-want +got)\n%s", diff)
	}
	answer, err := h.enrich(imp.ImportID, "")
	imp = h.load(imp.ImportID)
	if err != nil || !imp.Replay.Active() || imp.Replay.Number != 1 || h.machine.redrives != 1 || h.machine.starts != 2 || answer.Execution != imp.Replay.ExecutionARN {
		t.Fatalf("%v, replay %+v, %d redrives, %d starts, answer %+v", err, imp.Replay, h.machine.redrives, h.machine.starts, answer)
	}
	imp = h.endReplay(imp, failed, "Sandbox.Timedout")
	e := h.machine.executions[imp.Replay.ExecutionARN] // redriven in the console
	e.status, e.redrives, e.error = sfntypes.ExecutionStatusRunning, 2, ""
	if err := h.trackReplay(imp); err != nil {
		t.Fatal(err)
	}
	if imp = h.load(imp.ImportID); !imp.Replay.Active() || h.turn(imp, 0) != 0 {
		t.Errorf("redriven in the console: %+v", imp.Replay)
	}
	if got := len(h.fence.attempts); got != 4 {
		t.Errorf("the database has %d attempts, want 4", got)
	}
	imp = h.endReplay(imp, failed, "Unexpected")
	h.machine.executions[imp.Replay.ExecutionARN].tooOld = true
	if imp = h.mustEnrich(imp.ImportID); imp.Replay.Number != 2 {
		t.Errorf("what cannot be redriven is followed by %+v", imp.Replay)
	}
	if n := len(h.logged(control.LogRerun)); n != 4 {
		t.Errorf("%d re-executions in the log, want 4", n)
	}
	want := []string{"start file", "enrich command", "enrich command", "enrich console", "enrich command"}
	if diff := cmp.Diff(want, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got)\n%s", diff)
	}
}

// TestReplayLostCalls: whatever call is lost when a replay begins, it runs once, and the
// sweep makes up for what nobody repeats. An end that nobody told is told later.
func TestReplayLostCalls(t *testing.T) {
	for _, fail := range []string{"Start", "Start saved"} {
		h, imp := published(t)
		h.machine.fail = fail
		if _, err := h.enrich(imp.ImportID, ""); err == nil {
			t.Fatal("no error")
		}
		h.sweep(control.SweepEvent{})
		imp = h.load(imp.ImportID)
		if e := h.machine.executions[imp.Replay.ExecutionARN]; e == nil || !imp.Replay.Active() || h.machine.starts != 2 {
			t.Fatalf("%s: replay %+v, %d starts", fail, imp.Replay, h.machine.starts)
		}
		h.turn(imp, 0)
		h.sweep(control.SweepEvent{})
		if h.slot() != imp.ImportID {
			t.Errorf("%s: the sweep takes the slot from a replay", fail)
		}
		h.inbox.fail = true
		h.machine.end(imp.Replay.ExecutionARN, succeeded, "", "")
		if err := h.trackReplay(imp); err == nil {
			t.Errorf("%s: an alert that fails is no error", fail)
		}
		h.clock.Move(5 * time.Minute)
		h.sweep(control.SweepEvent{})
		if subjects := h.inbox.subjects(); len(subjects) != 1 || h.load(imp.ImportID).Replay.Open() || h.slot() != "" {
			t.Errorf("%s: alerts %v, slot %q", fail, subjects, h.slot())
		}
	}
	for _, fail := range []string{"Redrive", "Redrive saved"} {
		h, imp := published(t)
		imp = h.endReplay(h.mustEnrich(imp.ImportID), failed, "Unexpected")
		h.machine.fail = fail
		if _, err := h.enrich(imp.ImportID, ""); err == nil {
			t.Fatal("no error")
		}
		imp = h.mustEnrich(imp.ImportID)
		if !imp.Replay.Active() || imp.Replay.Number != 1 || h.machine.redrives != 1 {
			t.Errorf("%s: replay %+v, %d redrives", fail, imp.Replay, h.machine.redrives)
		}
	}
}

// TestRestartDuringReplay: a restart stops the replay of what it replaces.
func TestRestartDuringReplay(t *testing.T) {
	h, imp := published(t)
	imp = h.mustEnrich(imp.ImportID)
	h.turn(imp, 0)
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{ARN: anne}, control.Request{ImportID: imp.ImportID, Mode: etl.KindRestart, Force: true}); err != nil {
		t.Fatal(err)
	}
	now := h.load(imp.ImportID)
	if e := h.machine.executions[imp.Replay.ExecutionARN]; e.status != sfntypes.ExecutionStatusAborted || now.Replay.Status != etl.StatusAbandoned || now.Replay.Open() {
		t.Errorf("its execution is %s, the replay %+v", e.status, now.Replay)
	}
	if h.slot() != imp.ImportID || now.Generation != 2 {
		t.Errorf("the slot is %q, the generation %d", h.slot(), now.Generation)
	}
	turn := control.Request{ImportID: imp.ImportID, Mode: etl.KindTurn, Replay: 1}
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, turn); fault.Name(fault.Lift(err)) != etl.FaultSuperseded {
		t.Errorf("its next turn: %v", err)
	}
	if err := h.trackReplay(imp); err != nil {
		t.Error(err)
	}
	h.end(now, succeeded, "")
	if subjects := h.inbox.subjects(); len(subjects) != 1 || strings.Contains(subjects[0], "rejeu") {
		t.Errorf("alerts %v", subjects)
	}
	if again := h.mustEnrich(imp.ImportID); again.Replay.Number != 2 || !again.Replay.Active() {
		t.Errorf("the replay of the new generation is %+v", again.Replay)
	}
}

// TestRestartAfterReplay: a replay that failed before its import was started over belongs to
// the generation before: it is not redriven.
func TestRestartAfterReplay(t *testing.T) {
	h, imp := published(t)
	imp = h.endReplay(h.mustEnrich(imp.ImportID), failed, "Unexpected")
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{ARN: anne}, control.Request{ImportID: imp.ImportID, Mode: etl.KindRestart, Force: true}); err != nil {
		t.Fatal(err)
	}
	h.end(h.load(imp.ImportID), succeeded, "")
	if again := h.mustEnrich(imp.ImportID); again.Replay.Number != 2 || !again.Replay.Active() || h.machine.redrives != 0 {
		t.Errorf("the replay of the new generation is %+v, %d redrives", again.Replay, h.machine.redrives)
	}
}

// TestReplayGoesOn: a replay whose execution may not go on, since its history is full, is
// followed by another one.
func TestReplayGoesOn(t *testing.T) {
	for _, name := range []etl.Fault{etl.FaultIncompatible, etl.FaultSuperseded} {
		h, imp := published(t)
		imp = h.endReplay(h.mustEnrich(imp.ImportID), failed, string(name))
		answer, err := h.enrich(imp.ImportID, "")
		if now := h.load(imp.ImportID); err != nil || now.Replay.Number != 2 || h.machine.redrives != 0 || answer.Execution != now.Replay.ExecutionARN {
			t.Errorf("%s: %v, replay %+v, %d redrives, answer %+v", name, err, now.Replay, h.machine.redrives, answer)
		}
	}
}

// TestRestartDuringReplayFails: a restart that comes to nothing leaves the slot to the replay
// at work.
func TestRestartDuringReplayFails(t *testing.T) {
	h, imp := published(t)
	imp = h.mustEnrich(imp.ImportID)
	h.turn(imp, 0)
	h.fence.fail = "before"
	if _, err := h.force(imp.ImportID); err == nil {
		t.Fatal("the fence did not fail")
	}
	if h.slot() != imp.ImportID {
		t.Errorf("the slot is %q", h.slot())
	}
	if imp = h.endReplay(h.load(imp.ImportID), succeeded, ""); h.slot() != "" {
		t.Errorf("after the replay the slot is %q", h.slot())
	}
}

// TestReplayRedrivenUnseen: a replay that was redriven in the console is an attempt in the
// database also if the sweep sees it first.
func TestReplayRedrivenUnseen(t *testing.T) {
	h, imp := published(t)
	h.inbox.fail = true
	imp = h.mustEnrich(imp.ImportID)
	h.machine.end(imp.Replay.ExecutionARN, failed, "Unexpected", "")
	if err := h.trackReplay(imp); err == nil { // nobody was told, so the sweep looks at it
		t.Fatal("the alert did not fail")
	}
	before := len(h.fence.attempts)
	e := h.machine.executions[imp.Replay.ExecutionARN]
	e.status, e.redrives, e.error = sfntypes.ExecutionStatusRunning, 1, ""
	h.sweep(control.SweepEvent{})
	if got := len(h.fence.attempts); got != before+1 || !h.load(imp.ImportID).Replay.Active() {
		t.Errorf("the database has %d attempts, want %d", got, before+1)
	}
}

// TestReplayWhileRestarting: a replay does not begin while a restart is under way.
func TestReplayWhileRestarting(t *testing.T) {
	h, imp := published(t)
	if _, err := h.registry.Claim(t.Context(), imp, registry.Pending{Kind: etl.KindRestart, Trigger: etl.TriggerCommand}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.enrich(imp.ImportID, ""); refused(err) == "" {
		t.Errorf("got %v, want a refusal", err)
	}
}
