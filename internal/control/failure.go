package control

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// failure finds out where and why an execution failed. It uses the fault that the
// function reported in this attempt if its name matches the execution's error.
// Otherwise it uses the history, which also covers functions that were killed, and
// leads from a Distributed Map to the child that failed.
func (w watcher) failure(ctx context.Context, imp registry.Import, e executions.Execution) (registry.Fault, error) {
	faults, err := w.Registry.Faults(ctx, imp.ImportID, imp.Generation, attemptStart(imp, e))
	if err != nil {
		return registry.Fault{}, err
	}
	if e.Status == executions.Aborted {
		// Whatever else failed meanwhile, it ended because a person stopped it.
		f := registry.Fault{State: w.locate(ctx, imp, e).State, Name: etl.Fault(e.Status), Message: ReasonStopped, Advice: string(fault.Redrive)}
		return f, nil
	}
	f, known := newest(faults, "", e.Error)
	if !known {
		place := w.locate(ctx, imp, e)
		if f, known = newest(faults, place.State, place.Error); !known {
			f, known = newest(faults, "", place.Error)
		}
		if !known {
			f = registry.Fault{State: place.State, Name: fault.NameOf(place.Error, place.Cause), Message: reason(e.Status, place), Advice: string(fault.Redrive)}
			if f.Name == "" {
				f.Name = etl.Fault(e.Status)
			}
		}
	}
	if f.Name == etl.FaultMissingFiles {
		arrivals, err := w.Registry.Arrivals(ctx, imp.Mode, imp.FileDate)
		if err != nil {
			return registry.Fault{}, err
		}
		f.Message = ReasonMissingFiles(w.Names.Missing(arrivals))
	}
	return f, nil
}

// attemptStart returns when the current attempt of the execution began, according to
// the registry or Step Functions, whichever is later.
func attemptStart(imp registry.Import, e executions.Execution) (at time.Time) {
	at = imp.StartedAt
	if e.RedrivenAt.After(at) {
		at = e.RedrivenAt
	}
	return at
}

// newest returns the latest fault with that name, in that state unless it is empty.
func newest(faults []registry.Fault, state etl.State, name etl.Fault) (best registry.Fault, found bool) {
	for _, f := range faults {
		if f.Name != name || (state != "" && f.State != state) {
			continue
		}
		if !found || f.At.After(best.At) {
			best, found = f, true
		}
	}
	return best, found
}

// reason returns the text for a failure that no function reported.
func reason(ended executions.Status, p executions.Place) string {
	switch {
	case ended == executions.TimedOut && p.Cause == "":
		return ReasonTimedOut
	case p.Error == "":
		return ReasonUnknown
	default:
		return reasonError(fault.NameOf(p.Error, p.Cause), plainCause(p.Cause))
	}
}

// locate reads the history of an execution. What it cannot read stays unknown; the
// failure is recorded and an alert sent regardless.
func (w watcher) locate(ctx context.Context, imp registry.Import, e executions.Execution) executions.Place {
	p, err := w.histories.Locate(ctx, e)
	if err != nil {
		w.Log.WarnContext(ctx, logNoHistory, centrallog.ImportID(imp.ImportID), slog.String("error_details", err.Error()))
	}
	return p
}

// plainCause returns the message in a function's cause. Errors never contain values
// from the data.
func plainCause(cause string) string {
	var body struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &body) == nil && body.Message != "" {
		cause = body.Message
	}
	return message.Text(cause)
}
