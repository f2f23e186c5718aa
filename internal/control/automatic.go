package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// Later schedules requests for a re-execution.
type Later interface {
	// Ask schedules the request for a time, to the minute. A second call with the
	// same name changes nothing, even if its other arguments differ. It fails with
	// *fault.Transient if the service did not answer.
	Ask(ctx context.Context, name string, at time.Time, request Request) error
}

// lostAfter is how long a planned redrive may be overdue before its schedule counts
// as lost. It exceeds EventBridge Scheduler's precision of a minute plus the
// function's start-up time.
const lostAfter = 5 * time.Minute

// delay is the pause before the nth automatic redrive since the last progress:
// 1, 5, 15, 30, 45 … times the base.
func (c *Control) delay(n int) time.Duration {
	switch n {
	case 1:
		return c.RedriveDelay
	case 2:
		return 5 * c.RedriveDelay
	default:
		return time.Duration(n-2) * 15 * c.RedriveDelay
	}
}

// plan decides whether a failed import is redriven automatically, and schedules the
// redrive. It may be repeated: a decision, once made, stands. The import returned
// shows the decision even if there is an error.
func (c *Control) plan(ctx context.Context, imp registry.Import) (registry.Import, error) {
	if c.Redrives <= 0 || imp.Status != etl.StatusFailed || !fault.Retryable(imp.Fault) {
		return imp, nil
	}
	if !imp.Decided() {
		units, err := c.Registry.Units(ctx, imp.ImportID, imp.Generation)
		if err != nil {
			return imp, err
		}
		if imp, err = c.Registry.PlanRedrive(ctx, imp, units, c.Redrives, c.delay); err != nil {
			return imp, err
		}
	}
	if imp.Automatic.At.IsZero() || c.Later == nil {
		return imp, nil // without schedules, the sweep resumes it
	}
	at := imp.Automatic.At
	if soon := c.Now().Add(time.Second); at.Before(soon) {
		at = soon
	}
	return imp, c.Later.Ask(ctx, fmt.Sprintf("%s-a%d", imp.ImportID, imp.Attempts), at, automatic(imp))
}

// automatic returns the request for the redrive planned for imp.
func automatic(imp registry.Import) Request {
	return Request{ImportID: imp.ImportID, Mode: etl.KindResume, Trigger: etl.TriggerAutomatic, Attempt: imp.Attempts}
}

// planned returns what an alert says about an automatic redrive.
func (c *Control) planned(imp registry.Import) string {
	if imp.Fault == "InvalidFile" && slices.ContainsFunc(imp.Files, func(f registry.SealedFile) bool { return f.Status == etl.FileRejected }) {
		return FilesCorrected(imp.FileRestarts, queue.FileRestarts)
	}
	if !imp.Decided() {
		return ""
	}
	return AutomaticRedrive(imp.Automatic.Used, imp.Automatic.Limit, imp.Automatic.At)
}

// overdue resumes a failed import whose planned redrive never came because its
// schedule was lost or could not be created.
func (c *Control) overdue(ctx context.Context, imp registry.Import) error {
	at := imp.Automatic.At
	if imp.Status != etl.StatusFailed || at.IsZero() || c.Now().Sub(at) < lostAfter {
		return nil
	}
	_, err := c.resume(ctx, imp, registry.Pending{Trigger: etl.TriggerAutomatic})
	if _, refused := errors.AsType[*fault.Refused](err); refused {
		return nil // somebody else got there first
	}
	return err
}

// stale reports whether a planned re-execution is for a failure that is out of
// date: the import is running again, or ran again and failed again.
func stale(request Request, imp registry.Import) bool {
	if request.Attempt == 0 {
		return false
	}
	unplanned := request.Trigger == etl.TriggerAutomatic && imp.Automatic.At.IsZero()
	return request.Attempt != imp.Attempts || imp.Status != etl.StatusFailed || unplanned
}
