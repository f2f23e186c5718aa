package main

import (
	"context"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// redriveCommand resumes an import.
type redriveCommand struct {
	rerunning
	Continue bool     `help:"${continue}"`
	Accept   []string `help:"${accept}" sep:"none"`
}

// Run runs the command.
func (r *redriveCommand) Run(ctx context.Context, c *console) error {
	request := control.Request{Mode: etl.KindResume, Accept: r.Accept}
	if r.Continue {
		request.Mode = etl.KindContinue
	}
	return r.run(ctx, c, request)
}
