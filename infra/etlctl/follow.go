package main

import (
	"context"
	"errors"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// Intervals between polls. The registry answers in milliseconds; a person reads a few
// lines per second.
const (
	shortestPause = 300 * time.Millisecond // after something changed
	longestPause  = 2 * time.Second
	longestLook   = 30 * time.Second // between two reads of every unit of an import
	lookShare     = 10               // reading every unit takes at most 1/10 of the time
)

// How long polls wait for what should soon be over.
const (
	// patience is how long nothing must change before etlctl concludes that nothing
	// will: longer than a function takes from an arrival to a start.
	patience = 20 * time.Second
	// settling is how long etlctl waits for the report of an import that ended.
	settling = time.Minute
	// mute is how long the registry may go without answering.
	mute = 2 * time.Minute
)

// follower follows imports by polling the registry. It holds no state.
type follower struct {
	imports imports
	show    display
	now     func() time.Time
	pause   func(ctx context.Context, d time.Duration) error
}

// rhythm is the pause between the polls of a loop. It grows while nothing changes.
type rhythm struct{ next time.Duration }

func (r *rhythm) reset() { r.next = shortestPause }

func (r *rhythm) pause() time.Duration {
	d := max(r.next, shortestPause)
	r.next = min(d*3/2, longestPause)
	return d
}

// poll calls look, with pauses, until it is done. It tolerates a registry that does not
// answer for a while, and tells the operator.
func (f follower) poll(ctx context.Context, look func(beat *rhythm) (done bool, err error)) error {
	var beat rhythm
	var failing time.Time
	for {
		done, err := look(&beat)
		_, transient := errors.AsType[*fault.Transient](err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !transient:
			return err
		case err == nil && done:
			return nil
		case err == nil:
			failing = time.Time{}
		case failing.IsZero():
			failing = f.now()
			f.show.note(textNotAnswering(err))
		case f.now().Sub(failing) > mute:
			return err
		}
		if err := f.pause(ctx, beat.pause()); err != nil {
			return err
		}
	}
}

// toEnd follows an import until it is neither «en cours» nor about to be, and its end is
// settled, that is, reported. It returns what is known of the import then. If somebody
// redrives the import meanwhile, toEnd keeps following it.
func (f follower) toEnd(ctx context.Context, importID string) (registry.Status, error) {
	defer f.show.stop()
	var last registry.Status
	var nextLook, ended time.Time
	attempt, status := 0, etl.Status("")
	err := f.poll(ctx, func(beat *rhythm) (bool, error) {
		imp, err := f.imports.Import(ctx, importID)
		if err != nil {
			return false, err
		}
		changed := imp.Attempts != attempt || imp.Status != status
		now := f.now()
		if changed || !now.Before(nextLook) {
			began := now
			if last, err = f.imports.Status(ctx, importID); err != nil {
				return false, err
			}
			f.tell(last, attempt, status)
			imp, attempt, status = last.Import, last.Import.Attempts, last.Import.Status
			now = f.now()
			nextLook = now.Add(min(max(lookShare*now.Sub(began), shortestPause), longestLook))
		}
		if changed {
			beat.reset()
		}
		if imp.Status == etl.StatusRunning {
			ended = time.Time{}
			return false, nil
		}
		if ended.IsZero() {
			ended = now
		}
		return imp.Settled() || now.Sub(ended) > settling, nil
	})
	if err != nil {
		return last, err
	}
	// The last units may have been recorded after the last look.
	return f.imports.Status(ctx, importID)
}

// tell shows what is new about an import since the attempt and status shown last.
func (f follower) tell(s registry.Status, attempt int, status etl.Status) {
	for _, a := range s.Attempts {
		if a.Number > attempt {
			f.show.note(textAttempt(a.Number, a.Kind, a.Trigger, a.Generation))
		}
	}
	now := textImport(s.Import.ImportID, s.Import.Mode, s.Import.FileDate, s.Import.Status)
	if s.Import.Status == etl.StatusRunning && s.Import.Status != status {
		f.show.note(now)
	}
	f.show.progress(s)
	if s.Import.Status != etl.StatusRunning && s.Import.Status != status {
		f.show.note(now)
	}
}
