package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

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
func (c *Control) Track(ctx context.Context, event StatusEvent) (Tracked, error) {
	arn := event.Detail.ExecutionARN
	importID, ok := importOf(arn)
	if event.Detail.StateMachineARN != c.StateMachineARN || !ok {
		c.Log.InfoContext(ctx, LogForeign, slog.String("execution", executions.Name(arn)))
		return Tracked{}, nil
	}
	imp, err := c.Registry.Import(ctx, importID)
	if errors.Is(err, registry.ErrNotFound) || (err == nil && imp.ExecutionARN != arn) {
		c.Log.InfoContext(ctx, LogForeign, centrallog.ImportID(importID), slog.String("execution", executions.Name(arn)))
		return Tracked{}, nil
	}
	if err != nil {
		return Tracked{}, err
	}
	imp, ended, err := c.follow(ctx, imp)
	trouble := []error{err, c.Advance(ctx, etl.TriggerAutomatic)}
	c.copyState(ctx, imp)
	if ended {
		trouble = append(trouble, c.tell(ctx, imp))
	}
	return Tracked{ImportID: importID, Status: imp.Status}, errors.Join(trouble...)
}

// concludeAgain is how long after an end its conclusion is left to whoever saw the
// end first: longer than a conclusion takes, shorter than the interval of the sweep.
const concludeAgain = 2 * time.Minute

// follow brings the registry up to date with the current execution of imp and
// returns the import as it is now. ended reports whether the caller is to report its
// end, see [Control.tell].
func (c *Control) follow(ctx context.Context, imp registry.Import) (now registry.Import, ended bool, err error) {
	changed := false
	if imp.Status != etl.StatusSucceeded && imp.Status != etl.StatusAbandoned {
		e, exists, err := c.Executions.Describe(ctx, imp.ExecutionARN)
		if err != nil {
			return imp, false, err
		}
		if !exists {
			if imp.Status != etl.StatusRunning {
				return imp, !imp.Settled(), nil
			}
			c.Log.WarnContext(ctx, logNotStarted, centrallog.ImportID(imp.ImportID))
			return imp, false, c.start(ctx, imp, etl.TriggerAutomatic)
		}
		o, err := c.observation(ctx, imp, e)
		if err != nil {
			return imp, false, err
		}
		if imp, changed, err = c.observe(ctx, imp, o); err != nil {
			return imp, false, err
		}
	}
	if imp.Status == etl.StatusRunning || (!changed && imp.Settled()) {
		return imp, false, nil
	}
	return imp, changed || c.Now().Sub(imp.EndedAt) >= concludeAgain, nil
}

// observation returns what e shows of imp's execution.
func (c *Control) observation(ctx context.Context, imp registry.Import, e executions.Execution) (registry.Observation, error) {
	o := registry.Observation{
		ExecutionARN: imp.ExecutionARN,
		Redrives:     e.Redrives,
		At:           c.Now().UTC(),
	}
	if !e.RedrivenAt.IsZero() && imp.Status == etl.StatusRunning && o.Redrives > imp.Redrives() {
		var err error
		if o.FailedStep, o.FailedReason, err = c.missed(ctx, imp, e.RedrivenAt); err != nil {
			return o, err
		}
	}
	switch {
	case e.Active():
		o.Status = etl.StatusRunning
		if !e.RedrivenAt.IsZero() {
			o.At = e.RedrivenAt
		}
		return o, nil
	case e.Status == executions.Succeeded:
		o.Status = etl.StatusSucceeded
	default:
		o.Status = etl.StatusFailed
	}
	if !e.StoppedAt.IsZero() {
		o.At = e.StoppedAt
	}
	if o.Status == etl.StatusSucceeded || o.Moment() <= imp.Observed {
		return o, nil
	}
	f, err := c.failure(ctx, imp, e)
	if err != nil {
		return o, err
	}
	o.State, o.Step, o.Fault, o.Reason, o.Advice = f.State, f.State.Step(), f.Name, f.Message, f.Advice
	return o, nil
}

// missed returns where and why an attempt failed if nobody saw its end before it was
// redriven. It relies on the last fault that the functions reported until then.
func (c *Control) missed(ctx context.Context, imp registry.Import, redriven time.Time) (step etl.Step, reason string, err error) {
	faults, err := c.Registry.Faults(ctx, imp.ImportID, imp.Generation, imp.StartedAt)
	if err != nil {
		return "", "", err
	}
	var last registry.Fault
	for _, f := range faults {
		if f.At.After(last.At) && f.At.Before(redriven) {
			last = f
		}
	}
	if last.State == "" {
		return "", ReasonUnknown, nil
	}
	return last.State.Step(), last.Message, nil
}

// observe writes an observation and logs a redrive that it shows.
func (c *Control) observe(ctx context.Context, before registry.Import, o registry.Observation) (registry.Import, bool, error) {
	imp, changed, err := c.Registry.Observe(ctx, before.ImportID, o)
	if err != nil || !changed || imp.Attempts == before.Attempts {
		return imp, changed, err
	}
	attempts, err := c.Registry.Attempts(ctx, imp.ImportID)
	if err != nil {
		return imp, changed, err
	}
	if len(attempts) > 0 {
		c.logAttempt(ctx, imp.ImportID, attempts[len(attempts)-1])
	}
	return imp, changed, nil
}

// logAttempt logs a re-execution (requirement R7.3).
func (c *Control) logAttempt(ctx context.Context, importID string, a registry.Attempt) {
	c.Log.InfoContext(ctx, LogRerun, centrallog.ImportID(importID), centrallog.Step(etl.StepRerun),
		centrallog.Details(a.FailedReason), slog.String("failed_step", string(a.FailedStep)), slog.String("mode", string(a.Kind)),
		slog.String("trigger", string(a.Trigger)), slog.Int("attempt", a.Number), slog.Int("generation", a.Generation))
}

// tellLimit bounds the time for reporting one import's end. The report of the
// largest import takes a few seconds.
const tellLimit = 30 * time.Second

// tell concludes an import within [tellLimit]. It logs a failure as an error, and
// the sweep tries again. The error it returns serves only to count the call as
// failed: nothing may depend on it.
func (c *Control) tell(ctx context.Context, imp registry.Import) error {
	ctx, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	err := c.conclude(ctx, imp)
	if err != nil {
		c.Log.ErrorContext(ctx, LogUntold, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	}
	return err
}

// conclude plans an automatic redrive if one can help, writes the report of an end,
// logs it, sends the alert, and settles it. The alert goes out even if the report
// cannot be written or the redrive cannot be planned. The sweep repeats what failed,
// so an alert may be sent twice, but is never lost.
func (c *Control) conclude(ctx context.Context, imp registry.Import) error {
	imp, planErr := c.plan(ctx, imp)
	location, reportErr := c.Reports.Write(ctx, imp.ImportID)
	log := c.Log.With(centrallog.ImportID(imp.ImportID), slog.String("status", string(imp.Status)), slog.String("report", location),
		slog.Int("generation", imp.Generation), slog.Int("attempt", imp.Attempts))
	var alertErr error
	switch imp.Status {
	case etl.StatusSucceeded:
		log.InfoContext(ctx, logEnded, centrallog.Step(etl.StepPersistence))
		alertErr = c.Alerts.Alert(ctx, alert.Succeeded(imp.ImportID, imp.Mode, imp.FileDate, location))
	case etl.StatusFailed:
		log.ErrorContext(ctx, LogFailed, centrallog.Step(imp.Step), centrallog.Details(imp.Reason),
			slog.String("state", string(imp.State)), slog.String("error", string(imp.Fault)), slog.String("automatic", c.planned(imp)))
		alertErr = c.Alerts.Alert(ctx, alert.Failed(imp.ImportID, imp.Step, imp.Reason,
			fault.WhatToDo(imp.ImportID, imp.Fault, imp.Advice), c.planned(imp), location))
	}
	if err := errors.Join(planErr, reportErr, alertErr); err != nil {
		return fmt.Errorf("control: conclude import %s: %w", imp.ImportID, err)
	}
	return c.Registry.Settle(ctx, imp)
}
