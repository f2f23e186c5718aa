package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// Replays is what services need that begin or follow replays: the state machine that asks
// the sources of a published import again. Both fields are mandatory.
type Replays struct {
	Executions      Executions
	StateMachineARN string
}

func (r Replays) mandatory() []field {
	return []field{{"Replays", r.Executions != nil && r.StateMachineARN != ""}}
}

// replayer begins the replays of imports, follows them and reports their ends.
type replayer struct {
	Common
	Outcomes
	replays Replays
}

// replayInput is the input of the execution of a replay. The states add to it.
type replayInput struct {
	Import   input          `json:"import"`
	Replay   int            `json:"replay"`
	Source   string         `json:"source"`
	Answer   replayAnswer   `json:"answer"`
	Progress replayProgress `json:"progress"`
}

type (
	replayAnswer struct {
		Turn Turn `json:"turn"`
	}
	replayProgress struct {
		Runs int `json:"runs"`
	}
)

// begin begins a replay, or redrives the last one if it failed and asked for the same. One
// that ended because its execution may not go on is followed by another one, which
// continues where it stopped.
func (r replayer) begin(ctx context.Context, imp registry.Import, source string, asked registry.Pending) (Answer, error) {
	over := imp.Replay.Fault == etl.FaultIncompatible || imp.Replay.Fault == etl.FaultSuperseded
	if imp.Replay.Status == etl.StatusFailed && imp.Replay.Source == source && !over {
		if now, redriven, err := r.redrive(ctx, imp, asked); err != nil || redriven {
			a := answer(now, etl.KindEnrich, textReplayResumed(imp.ImportID))
			a.Execution = now.Replay.ExecutionARN
			return a, err
		}
	}
	now, begun, err := r.Registry.BeginReplay(ctx, imp, source, asked, func(name string) string { return executions.ARN(r.replays.StateMachineARN, name) })
	if err != nil {
		return Answer{}, refusal(imp.ImportID, err)
	}
	if !begun && now.Replay.Source != source {
		return Answer{}, &fault.Refused{ImportID: imp.ImportID, Reason: RefusedReplaying(now.Replay.Source)}
	}
	r.logAttempt(ctx, imp, now)
	if err := r.start(ctx, now); err != nil {
		return Answer{}, err
	}
	a := answer(now, etl.KindEnrich, textReplayBegun(imp.ImportID, source))
	if !begun {
		a.Message = textReplayRuns(imp.ImportID)
	}
	a.Execution = now.Replay.ExecutionARN
	return a, nil
}

// start starts the execution of the current replay, which may be running already.
func (r replayer) start(ctx context.Context, imp registry.Import) error {
	body, err := json.Marshal(replayInput{
		Import: input{imp.ImportID, imp.Generation, imp.Mode, imp.FileDate}, Replay: imp.Replay.Number, Source: imp.Replay.Source,
	})
	if err != nil {
		return fmt.Errorf("control: encode the input of the replay of %s: %w", imp.ImportID, err)
	}
	started, err := r.replays.Executions.Start(ctx, executions.Name(imp.Replay.ExecutionARN), string(body))
	if err == nil && started {
		r.log(imp).InfoContext(ctx, logReplayStarted)
	}
	return err
}

// redrive redrives the execution of a replay that failed. redriven is false if Step
// Functions does not allow it.
func (r replayer) redrive(ctx context.Context, imp registry.Import, asked registry.Pending) (now registry.Import, redriven bool, err error) {
	e, exists, err := r.replays.Executions.Describe(ctx, imp.Replay.ExecutionARN)
	if err != nil || !exists || e.Fixed {
		return imp, false, err
	}
	redrives, at := e.Redrives+1, r.Now().UTC()
	_, redriven, err = r.replays.Executions.Redrive(ctx, imp.Replay.ExecutionARN, fmt.Sprintf("%s-r%d", executions.Name(imp.Replay.ExecutionARN), redrives))
	if err != nil || !redriven {
		return imp, false, err
	}
	now, _, err = r.Registry.ObserveReplay(ctx, imp.ImportID, registry.Observation{
		ExecutionARN: imp.Replay.ExecutionARN, Redrives: redrives, Status: etl.StatusRunning, At: at,
	}, asked)
	r.logAttempt(ctx, imp, now)
	return now, true, err
}

// logAttempt logs the attempt that an import has more than before, if there is one. It is
// recorded already, so one that cannot be read stays unlogged.
func (r replayer) logAttempt(ctx context.Context, before, now registry.Import) {
	if now.Attempts <= before.Attempts {
		return
	}
	if attempts, err := r.Registry.Attempts(ctx, now.ImportID); err == nil && len(attempts) > 0 {
		runner{r.Common}.logAttempt(ctx, now.ImportID, attempts[len(attempts)-1])
	}
}

// stop stops the execution of a replay whose import starts over.
func (r replayer) stop(ctx context.Context, imp registry.Import) error {
	if !imp.Replay.Open() {
		return nil
	}
	e, exists, err := r.replays.Executions.Describe(ctx, imp.Replay.ExecutionARN)
	if err != nil || !exists || !e.Active() {
		return err
	}
	return r.replays.Executions.Stop(ctx, imp.Replay.ExecutionARN, string(etl.FaultSuperseded))
}

// follow brings the registry up to date with the execution of the import's replay. ended
// reports whether the caller is to report its end.
func (r replayer) follow(ctx context.Context, imp registry.Import) (now registry.Import, ended bool, err error) {
	if imp.Replay.Number == 0 || imp.Replay.Status == etl.StatusSucceeded || imp.Replay.Status == etl.StatusAbandoned {
		return imp, imp.Replay.Open(), nil
	}
	e, exists, err := r.replays.Executions.Describe(ctx, imp.Replay.ExecutionARN)
	if err != nil {
		return imp, false, err
	}
	if !exists {
		if !imp.Replay.Active() {
			return imp, imp.Replay.Open(), nil
		}
		return imp, false, r.start(ctx, imp)
	}
	o, err := r.observation(ctx, imp, e)
	if err != nil {
		return imp, false, err
	}
	now, changed, err := r.Registry.ObserveReplay(ctx, imp.ImportID, o, registry.Pending{})
	if err != nil {
		return imp, false, err
	}
	r.logAttempt(ctx, imp, now)
	imp = now
	if imp.Replay.Active() {
		return imp, false, nil
	}
	return imp, changed || imp.Replay.Open() && r.Now().Sub(imp.Replay.EndedAt) >= concludeAgain, nil
}

// observation returns what e shows of the import's replay.
func (r replayer) observation(ctx context.Context, imp registry.Import, e executions.Execution) (registry.Observation, error) {
	o := registry.Observation{ExecutionARN: e.ARN, Redrives: e.Redrives, At: r.Now().UTC(), Status: etl.StatusFailed}
	switch {
	case e.Active():
		o.Status = etl.StatusRunning
		return o, nil
	case e.Status == executions.Succeeded:
		o.Status = etl.StatusSucceeded
		return o, nil
	case e.Status == executions.Aborted:
		o.Fault, o.Reason = etl.Fault(e.Status), ReasonStopped
		return o, nil
	}
	faults, err := r.Registry.Faults(ctx, imp.ImportID, imp.Generation, imp.Replay.StartedAt)
	if err != nil {
		return o, err
	}
	if f, known := newest(faults, etl.StateReplay, e.Error); known {
		o.Fault, o.Reason = f.Name, f.Message
		return o, nil
	}
	o.Fault = fault.NameOf(e.Error, e.Cause)
	o.Reason = reason(e.Status, executions.Place{Error: e.Error, Cause: e.Cause})
	return o, nil
}

// tell reports the end of a replay: it renews the report of the import, logs the end and
// sends an alert with what was completed and what remains. It may be repeated. A failure
// is logged, and the sweep tries again.
func (r replayer) tell(ctx context.Context, imp registry.Import) error {
	ctx, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	_, _, err := r.Reports.Write(ctx, imp.ImportID)
	if err == nil {
		err = r.conclude(ctx, imp)
	}
	if err != nil {
		r.log(imp).ErrorContext(ctx, LogReplayUntold, centrallog.Details(err.Error()))
	}
	return err
}

func (r replayer) conclude(ctx context.Context, imp registry.Import) error {
	status, err := r.Registry.Status(ctx, imp.ImportID)
	if err != nil {
		return err
	}
	resolved, left := status.Replayed(imp.Replay.Number)
	log := r.log(imp).With(slog.String("status", string(imp.Replay.Status)), slog.Int64("resolved", resolved), slog.Int64("left", left))
	text := alert.Replayed(imp.ImportID, imp.Replay.Source, resolved, left)
	if imp.Replay.Status == etl.StatusFailed {
		log.ErrorContext(ctx, LogReplayFailed, centrallog.Details(imp.Replay.Reason))
		text = alert.ReplayFailed(imp.ImportID, imp.Replay.Source, imp.Replay.Reason, resolved, left)
	} else {
		log.InfoContext(ctx, LogReplayEnded)
	}
	if err := r.Alerts.Alert(ctx, text); err != nil {
		return err
	}
	return r.Registry.SettleReplay(ctx, imp)
}

func (r replayer) log(imp registry.Import) *slog.Logger {
	return r.Log.With(centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepTransformation), slog.Int("replay", imp.Replay.Number))
}

// Turn is the answer to a replay that asks whether it may go on.
type Turn struct {
	Loops       int `json:"loops"`        // how often it has asked
	WaitSeconds int `json:"wait_seconds"` // 0: it may
}

// Bounds of the turns of a replay. The history of an execution that has asked so often is
// still redrivable.
const (
	maxLoops  = 1000
	shortLoop = time.Minute     // between the first turns that it has to wait for
	manyLoops = 60              // after so many
	longLoop  = 5 * time.Minute // between the others
)

// turn answers a replay that is about to go on. If a date may start, the slot is released,
// and the date starts; if another import holds the slot, the replay waits as well.
// Otherwise it takes the slot, or keeps it. It fails with *fault.Superseded if the replay
// is no longer the import's current one.
func (r *Rerunner) turn(ctx context.Context, request Request) (Answer, error) {
	current := func(imp registry.Import) error {
		if imp.Status != etl.StatusSucceeded || imp.Replay.Number != request.Replay || imp.Replay.Status == etl.StatusAbandoned {
			return &fault.Superseded{ImportID: imp.ImportID, Generation: imp.Generation}
		}
		return nil
	}
	imp, err := r.config.Registry.Import(ctx, request.ImportID)
	if err == nil {
		err = current(imp)
	}
	if err != nil {
		return Answer{}, err
	}
	if request.Loops >= maxLoops {
		return Answer{}, &fault.Incompatible{Object: imp.ImportID, Reason: historyFull, Continue: true}
	}
	turn := Turn{Loops: request.Loops + 1}
	free, err := r.yield(ctx, imp)
	if err != nil {
		return Answer{}, err
	}
	if free {
		_, err = r.config.Registry.TakeSlot(ctx, imp.ImportID, current)
	}
	if _, taken := errors.AsType[*registry.TakenError](err); !free || taken {
		turn.WaitSeconds = int(shortLoop / time.Second)
		if turn.Loops > manyLoops {
			turn.WaitSeconds = int(longLoop / time.Second)
		}
		err = nil
	}
	a := answer(imp, etl.KindTurn, "")
	a.Turn = &turn
	return a, err
}

// yield lets a date start that may, and reports whether there is none.
func (r *Rerunner) yield(ctx context.Context, imp registry.Import) (free bool, err error) {
	due, err := r.advancer.due(ctx)
	if err != nil || !due {
		return err == nil, err
	}
	if err := r.config.Registry.YieldSlot(ctx, imp.ImportID); err != nil {
		return false, err
	}
	return false, r.advancer.Advance(ctx, etl.TriggerAutomatic)
}

// enrich asks the sources of a published import again.
func (r *Rerunner) enrich(ctx context.Context, request Request, imp registry.Import, asked registry.Pending) (Answer, error) {
	switch {
	case request.Force:
		return Answer{}, refused(request, RefusedForce)
	case imp.Status == etl.StatusRunning:
		return Answer{}, refused(request, RefusedEnrichRunning)
	case imp.Status == etl.StatusFailed:
		return Answer{}, refused(request, RefusedEnrichFailed(imp.ImportID))
	case imp.Status != etl.StatusSucceeded:
		return Answer{}, refused(request, RefusedEnrichUnpublished)
	}
	if request.Source != "" && !r.knows(request.Source) {
		return Answer{}, refused(request, RefusedSource(request.Source, r.config.Sources))
	}
	imp, ended, err := r.replayer.follow(ctx, imp)
	if err != nil {
		return Answer{}, err
	}
	if ended {
		_ = r.replayer.tell(ctx, imp) // it logs a failure, which does not stop the request
	}
	return r.replayer.begin(ctx, imp, request.Source, asked)
}

// knows reports whether there is a source of that name.
func (r *Rerunner) knows(source string) bool { return slices.Contains(r.config.Sources, source) }
