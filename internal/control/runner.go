package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// runner moves imports from one execution to the next: it starts, redrives, replaces
// and stops executions, and records each step in the registry. It needs no database.
type runner struct{ Common }

// input is the input of an execution. A redrive reuses it, so it holds nothing that
// may change.
type input struct {
	ImportID   string   `json:"import_id"`
	Generation int      `json:"generation"`
	Mode       etl.Mode `json:"mode"`
	FileDate   string   `json:"file_date"`
}

// start starts the current execution of an import. The execution may already be
// running.
func (r runner) start(ctx context.Context, imp registry.Import, trigger etl.Trigger) error {
	body, err := json.Marshal(input{imp.ImportID, imp.Generation, imp.Mode, imp.FileDate})
	if err != nil {
		return fmt.Errorf("control: encode the input of %s: %w", imp.ImportID, err)
	}
	started, err := r.Executions.Start(ctx, executions.Name(imp.ExecutionARN), string(body))
	if err != nil || !started {
		return err
	}
	r.Log.InfoContext(ctx, logStarted, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepLoading),
		slog.String("mode", string(imp.Mode)), slog.String("file_date", imp.FileDate),
		slog.Int("generation", imp.Generation), slog.String("trigger", string(trigger)))
	return nil
}

// stop stops the execution of a fenced-off generation, which somebody may have
// redriven in the console meanwhile.
func (r runner) stop(ctx context.Context, imp registry.Import) error {
	e, exists, err := r.Executions.Describe(ctx, imp.ExecutionARN)
	if err != nil || !exists || e.Status != executions.Running {
		return err
	}
	return r.Executions.Stop(ctx, imp.ExecutionARN, "Superseded")
}

// claim claims an import for a re-execution. If something prevents that, it fails
// with a refusal that people understand.
func (r runner) claim(ctx context.Context, imp registry.Import, p registry.Pending) (registry.Import, error) {
	claimed, err := r.Registry.Claim(ctx, imp, p)
	return claimed, refusal(imp.ImportID, err)
}

func refusal(importID string, err error) error {
	if taken, ok := errors.AsType[*registry.TakenError](err); ok {
		return &fault.Refused{ImportID: importID, Reason: RefusedTaken(taken.Holder)}
	}
	if pending, ok := errors.AsType[*registry.PendingError](err); ok {
		return &fault.Refused{ImportID: importID, Reason: refusedPending(pending.Kind)}
	}
	if _, ok := errors.AsType[*registry.ChangedError](err); ok {
		return &fault.Refused{ImportID: importID, Reason: refusedChanged}
	}
	return err
}

// begin moves a claimed import to a new execution and starts it.
func (r runner) begin(ctx context.Context, claimed registry.Import, generation int) (registry.Import, error) {
	begun, err := r.Registry.Begin(ctx, claimed, generation, r.executionARN)
	if err != nil {
		return claimed, refusal(claimed.ImportID, err)
	}
	r.logAttempt(ctx, begun.ImportID, registry.Attempt{
		Number: begun.Attempts, Kind: claimed.Pending.Kind, Trigger: claimed.Pending.Trigger, By: claimed.Pending.By,
		Generation: begun.Generation, FailedStep: claimed.Step, FailedReason: claimed.Reason,
	})
	return begun, r.start(ctx, begun, claimed.Pending.Trigger)
}

// withdrawLimit bounds the time in which a claim is withdrawn.
const withdrawLimit = 5 * time.Second

// giveUp withdraws a claim after a failure, so that the request can be repeated
// at once. It has a time limit of its own, since the failure may be a timeout.
func (r runner) giveUp(ctx context.Context, claimed registry.Import, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawLimit)
	defer cancel()
	return errors.Join(err, r.Registry.Withdraw(ctx, claimed))
}

// observe writes an observation and logs a redrive that it shows.
func (r runner) observe(ctx context.Context, before registry.Import, o registry.Observation) (registry.Import, bool, error) {
	imp, changed, err := r.Registry.Observe(ctx, before.ImportID, o)
	if err != nil || !changed || imp.Attempts == before.Attempts {
		return imp, changed, err
	}
	attempts, err := r.Registry.Attempts(ctx, imp.ImportID)
	if err != nil {
		return imp, changed, err
	}
	if len(attempts) > 0 {
		r.logAttempt(ctx, imp.ImportID, attempts[len(attempts)-1])
	}
	return imp, changed, nil
}

// logAttempt logs a re-execution (requirement R7.3).
func (r runner) logAttempt(ctx context.Context, importID string, a registry.Attempt) {
	r.Log.InfoContext(ctx, LogRerun, centrallog.ImportID(importID), centrallog.Step(etl.StepRerun),
		centrallog.Details(a.FailedReason), slog.String("failed_step", string(a.FailedStep)), slog.String("mode", string(a.Kind)),
		slog.String("trigger", string(a.Trigger)), slog.String("by", a.By), slog.Int("attempt", a.Number), slog.Int("generation", a.Generation))
}
