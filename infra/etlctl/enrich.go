package main

import (
	"context"
	"time"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// enrichCommand asks the sources of a published import again.
type enrichCommand struct {
	ImportID string        `arg:"" name:"import_id" help:"${import_id}"`
	Source   string        `help:"${enrich_source}" placeholder:"NOM"`
	NoFollow bool          `help:"${enrich_no_follow}"`
	Timeout  time.Duration `help:"${enrich_timeout}" default:"60m"`
}

// Run runs the command.
func (e *enrichCommand) Run(ctx context.Context, c *console) error {
	r := rerunning{ImportID: e.ImportID, NoFollow: e.NoFollow, Timeout: e.Timeout}
	return r.runThen(ctx, c, control.Request{Mode: etl.KindEnrich, Source: e.Source}, func(ctx context.Context, f follower, work string) error {
		return c.replayFollowed(ctx, f, e.ImportID, e.Timeout)
	})
}

// replayFollowed follows the last replay of an import to its end, shows its outcome, and
// returns toldError unless it succeeded.
func (c *console) replayFollowed(ctx context.Context, f follower, importID string, limit time.Duration) error {
	s, err := f.toReplayEnd(ctx, importID)
	if err != nil {
		return stopped(ctx, err, importID, limit)
	}
	showReplays(c.out, s)
	if s.Import.Replay.Status != etl.StatusSucceeded {
		return toldError{}
	}
	return nil
}

// toReplayEnd follows the last replay of an import until it no longer runs, and returns
// what is known of the import then.
func (f follower) toReplayEnd(ctx context.Context, importID string) (registry.Status, error) {
	defer f.show.stop()
	resolved := int64(-1)
	err := f.poll(ctx, func(beat *rhythm) (bool, error) {
		s, err := f.imports.Status(ctx, importID)
		if err != nil {
			return false, err
		}
		if done, left := s.Replayed(s.Import.Replay.Number); done != resolved {
			resolved = done
			beat.reset()
			f.show.note(textReplayProgress(done, left))
		}
		return !s.Import.Replay.Active(), nil
	})
	if err != nil {
		return registry.Status{}, err
	}
	return f.imports.Status(ctx, importID)
}
