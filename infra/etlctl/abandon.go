package main

import (
	"context"
	"time"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// abandonCommand abandons an import.
type abandonCommand struct {
	ImportID string        `arg:"" name:"import_id" help:"${import_id}"`
	Timeout  time.Duration `help:"${timeout}" default:"60m"`
}

// Run runs the command.
func (a *abandonCommand) Run(ctx context.Context, c *console) error {
	r := rerunning{ImportID: a.ImportID, NoFollow: true, Timeout: a.Timeout}
	return r.run(ctx, c, control.Request{Mode: etl.KindAbandon})
}
