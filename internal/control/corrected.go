package control

import (
	"context"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// corrected reports whether an import failed because of refused files, newer
// versions of all of them have arrived, and it may restart automatically.
func (c *Control) corrected(ctx context.Context, imp registry.Import) (bool, error) {
	arrivals, err := c.Registry.Arrivals(ctx, imp.Mode, imp.FileDate)
	if err != nil {
		return false, err
	}
	return queue.Corrected(imp, queue.Files{There: arrivals, Missing: c.Names.Missing(arrivals)}), nil
}

// restartCorrected returns the request for the restart that corrected files cause.
func restartCorrected(imp registry.Import) Request {
	return Request{ImportID: imp.ImportID, Mode: etl.KindRestart, Trigger: etl.TriggerFile, Attempt: imp.Attempts}
}

// Reruns passes re-executions to the function that has access to the database.
type Reruns interface {
	// Ask delivers the request soon, at least once. It fails with *fault.Transient if
	// the service did not answer.
	Ask(ctx context.Context, request Request) error
}

// ask carries out a request: itself if it has access to the database, else through
// the function that has.
func (c *Control) ask(ctx context.Context, request Request) error {
	switch {
	case c.Fence != nil:
		_, err := c.Rerun(ctx, request)
		return err
	case c.Reruns != nil:
		return c.Reruns.Ask(ctx, request)
	default:
		return nil // the sweep does it
	}
}

// copyState asks for the database's copy of an import's state to be updated. If the
// request fails, it logs that; each sweep asks again.
func (c *Control) copyState(ctx context.Context, imp registry.Import) {
	if !imp.Unrecorded() {
		return
	}
	if err := c.ask(ctx, Request{ImportID: imp.ImportID, Mode: etl.KindRecord}); err != nil {
		c.Log.WarnContext(ctx, logStateLater, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	}
}
