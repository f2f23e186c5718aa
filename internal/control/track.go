package control

import (
	"context"
	"errors"
	"log/slog"
	"regexp"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/registry"
)

// TrackerConfig is what a [Tracker] needs; Reruns and Later are mandatory.
type TrackerConfig struct {
	Common
	Outcomes
	Reruns Reruns // carries out what needs the database
	Later  Later  // schedules the planned redrives

	Replays Replays
}

// Tracker follows the executions of imports as Step Functions announces their changes.
type Tracker struct {
	config    TrackerConfig
	advancer  *Advancer
	watcher   watcher
	concluder concluder
	replayer  replayer
}

// NewTracker returns a tracker; it fails if a mandatory field is missing.
func NewTracker(config TrackerConfig) (*Tracker, error) {
	if err := check("tracker", config.Common, config.Outcomes.mandatory(), config.Replays.mandatory(),
		[]field{{"Reruns", config.Reruns != nil}, {"Later", config.Later != nil}}); err != nil {
		return nil, err
	}
	return &Tracker{
		config:    config,
		advancer:  newAdvancer(config.Common, config.Reruns),
		watcher:   watcher{runner{config.Common}, config.Histories},
		concluder: concluder{config.Common, config.Outcomes, config.Later},
		replayer:  replayer{config.Common, config.Outcomes, config.Replays},
	}, nil
}

// StatusEvent is the part of "Step Functions Execution Status Change" that matters.
// Its status is not trusted: such events come late, twice, in any order or not at
// all.
type StatusEvent struct {
	Detail struct {
		ExecutionARN    string `json:"executionArn"`
		StateMachineARN string `json:"stateMachineArn"`
		Status          string `json:"status"`
	} `json:"detail"`
}

// Tracked is the answer to a status event.
type Tracked struct {
	ImportID string     `json:"import_id,omitempty"` // empty: the event was ignored
	Status   etl.Status `json:"status,omitempty"`    // of the import, now
}

// Track brings the registry up to date with the execution that the event names,
// lets the next date start, and reports an end by report, log and alert. If one of
// these fails, it still does the others. It is idempotent. It fails with
// *fault.Transient if a service did not answer.
func (t *Tracker) Track(ctx context.Context, event StatusEvent) (Tracked, error) {
	arn := event.Detail.ExecutionARN
	importID, ok := importOf(arn)
	if event.Detail.StateMachineARN == t.config.Replays.StateMachineARN && ok {
		return t.replayed(ctx, importID, arn)
	}
	if event.Detail.StateMachineARN != t.config.StateMachineARN || !ok {
		t.config.Log.InfoContext(ctx, LogForeign, slog.String("execution", executions.Name(arn)))
		return Tracked{}, nil
	}
	imp, err := t.config.Registry.Import(ctx, importID)
	if errors.Is(err, registry.ErrNotFound) || (err == nil && imp.ExecutionARN != arn) {
		t.config.Log.InfoContext(ctx, LogForeign, centrallog.ImportID(importID), slog.String("execution", executions.Name(arn)))
		return Tracked{}, nil
	}
	if err != nil {
		return Tracked{}, err
	}
	imp, ended, err := t.watcher.follow(ctx, imp)
	trouble := []error{err, t.advancer.Advance(ctx, etl.TriggerAutomatic)}
	copyState(ctx, t.config.Reruns, t.config.Log, imp)
	if ended {
		trouble = append(trouble, t.concluder.tell(ctx, imp))
	}
	return Tracked{ImportID: importID, Status: imp.Status}, errors.Join(trouble...)
}

// replayed is [Tracker.Track] for the execution of a replay.
func (t *Tracker) replayed(ctx context.Context, importID, arn string) (Tracked, error) {
	imp, err := t.config.Registry.Import(ctx, importID)
	if errors.Is(err, registry.ErrNotFound) || (err == nil && imp.Replay.ExecutionARN != arn) {
		t.config.Log.InfoContext(ctx, LogForeign, centrallog.ImportID(importID), slog.String("execution", executions.Name(arn)))
		return Tracked{}, nil
	}
	if err != nil {
		return Tracked{}, err
	}
	attempts := imp.Attempts
	imp, ended, err := t.replayer.follow(ctx, imp)
	trouble := []error{err, t.advancer.Advance(ctx, etl.TriggerAutomatic)}
	if imp.Attempts > attempts { // redriven in the console
		record(ctx, t.config.Reruns, t.config.Log, imp)
	}
	if ended {
		trouble = append(trouble, t.replayer.tell(ctx, imp))
	}
	return Tracked{ImportID: importID, Status: imp.Replay.Status}, errors.Join(trouble...)
}

// importName is what executions are called, those of replays too.
var importName = regexp.MustCompile(`^(IMPORT_\d{8}_\d{6}_\d{3,})(?:-e?\d+)?$`)

// importOf returns the import_id in the ARN of an execution, if there is one.
func importOf(executionARN string) (string, bool) {
	m := importName.FindStringSubmatch(executions.Name(executionARN))
	if m == nil {
		return "", false
	}
	return m[1], true
}

// copyState asks for the database's copy of an import's state to be updated. If the
// request fails, it logs that; each sweep asks again.
func copyState(ctx context.Context, reruns Reruns, log *slog.Logger, imp registry.Import) {
	if imp.Unrecorded() {
		record(ctx, reruns, log, imp)
	}
}

// record asks for the database's copy of an import to be updated.
func record(ctx context.Context, reruns Reruns, log *slog.Logger, imp registry.Import) {
	if err := reruns.Ask(ctx, Request{ImportID: imp.ImportID, Mode: etl.KindRecord}); err != nil {
		log.WarnContext(ctx, logStateLater, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	}
}
