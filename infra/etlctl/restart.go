package main

import (
	"context"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// restartCommand restarts an import.
type restartCommand struct {
	rerunning
	Force bool `help:"${force}"`
}

// Run runs the command.
func (r *restartCommand) Run(ctx context.Context, c *console) error {
	return r.run(ctx, c, control.Request{Mode: etl.KindRestart, Force: r.Force})
}
