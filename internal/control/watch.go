package control

import (
	"context"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/registry"
)

// Histories locates the failure of an execution; *executions.Machine implements
// it. If there is an error, the place is as precise as was established before it.
type Histories interface {
	Locate(ctx context.Context, e executions.Execution) (executions.Place, error)
}

// watcher brings the registry up to date with the executions of imports.
type watcher struct {
	runner
	histories Histories
}

// concludeAgain is how long after an end its conclusion is left to whoever saw the
// end first: longer than a conclusion takes, shorter than the interval of the sweep.
const concludeAgain = 2 * time.Minute

// follow brings the registry up to date with the current execution of imp and
// returns the import as it is now. ended reports whether the caller is to report its
// end, see [concluder.tell].
func (w watcher) follow(ctx context.Context, imp registry.Import) (now registry.Import, ended bool, err error) {
	changed := false
	if imp.Status != etl.StatusSucceeded && imp.Status != etl.StatusAbandoned {
		e, exists, err := w.Executions.Describe(ctx, imp.ExecutionARN)
		if err != nil {
			return imp, false, err
		}
		if !exists {
			if imp.Status != etl.StatusRunning {
				return imp, !imp.Settled(), nil
			}
			w.Log.WarnContext(ctx, logNotStarted, centrallog.ImportID(imp.ImportID))
			return imp, false, w.start(ctx, imp, etl.TriggerAutomatic)
		}
		o, err := w.observation(ctx, imp, e)
		if err != nil {
			return imp, false, err
		}
		if imp, changed, err = w.observe(ctx, imp, o); err != nil {
			return imp, false, err
		}
	}
	if imp.Status == etl.StatusRunning || (!changed && imp.Settled()) {
		return imp, false, nil
	}
	return imp, changed || w.Now().Sub(imp.EndedAt) >= concludeAgain, nil
}

// observation returns what e shows of imp's execution.
func (w watcher) observation(ctx context.Context, imp registry.Import, e executions.Execution) (registry.Observation, error) {
	o := registry.Observation{
		ExecutionARN: imp.ExecutionARN,
		Redrives:     e.Redrives,
		RedrivenAt:   e.RedrivenAt,
		At:           w.Now().UTC(),
	}
	if !e.RedrivenAt.IsZero() && imp.Status == etl.StatusRunning && o.Redrives > imp.Redrives() {
		var err error
		if o.FailedStep, o.FailedReason, err = w.missed(ctx, imp, e.RedrivenAt); err != nil {
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
	f, err := w.failure(ctx, imp, e)
	if err != nil {
		return o, err
	}
	o.State, o.Step, o.Fault, o.Reason, o.Advice = f.State, f.State.Step(), f.Name, f.Message, f.Advice
	return o, nil
}

// missed returns where and why an attempt failed if nobody saw its end before it was
// redriven. It relies on the last fault that the functions reported until then.
func (w watcher) missed(ctx context.Context, imp registry.Import, redriven time.Time) (step etl.Step, reason string, err error) {
	faults, err := w.Registry.Faults(ctx, imp.ImportID, imp.Generation, imp.StartedAt)
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
