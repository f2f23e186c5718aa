package control

import (
	"context"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// corrected reports whether an import failed because of refused files, all of
// which have a newer version by now, and may start again by itself.
func (c *Control) corrected(ctx context.Context, imp registry.Import) (bool, error) {
	arrivals, err := c.Registry.Arrivals(ctx, imp.Mode, imp.FileDate)
	if err != nil {
		return false, err
	}
	return queue.Corrected(imp, queue.Files{There: arrivals, Missing: c.Names.Missing(arrivals)}), nil
}

// restartCorrected is the request of the restart that corrected files cause.
func restartCorrected(imp registry.Import) Request {
	return Request{ImportID: imp.ImportID, Mode: etl.KindRestart, Trigger: etl.TriggerFile, Attempt: imp.Attempts}
}

// Reruns has re-executions made by the function that has the database.
type Reruns interface {
	// Ask has request made soon, at least once. It fails with *fault.Transient where
	// the service did not answer.
	Ask(ctx context.Context, request Request) error
}

// ask has a request made: at once where the database is at hand, else by the
// function that has it.
func (c *Control) ask(ctx context.Context, request Request) error {
	switch {
	case c.Fence != nil:
		_, err := c.Rerun(ctx, request)
		return err
	case c.Reruns != nil:
		return c.Reruns.Ask(ctx, request)
	default:
		return nil // the sweep does
	}
}

// copyState has the database's copy of an import's state brought up to date. That
// it cannot be is logged and keeps nobody from anything: each sweep asks again.
func (c *Control) copyState(ctx context.Context, imp registry.Import) {
	if !imp.Unrecorded() {
		return
	}
	if err := c.ask(ctx, Request{ImportID: imp.ImportID, Mode: etl.KindRecord}); err != nil {
		c.Log.WarnContext(ctx, message.LogStateLater, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	}
}
