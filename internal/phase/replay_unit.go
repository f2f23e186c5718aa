package phase

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// replayedUnit is a unit of a replay at work.
type replayedUnit struct {
	*Replay
	answerSealer
	in       ReplayIn
	unit     postgres.Unit
	after    uuid.UUID // the event before the first
	events   []postgres.Unenriched
	paused   *Paused
	enricher Enricher

	current []int // places in events of those that no newer import has changed
	keys    *chunkKeys
}

// run asks for the events of the unit, and appends what the source answered.
func (u *replayedUnit) run(ctx context.Context, r *contract.Resource, end time.Time) error {
	started := u.Now()
	u.answerSealer = answerSealer{resource: r, values: u.opener(ctx, u.in.Import, r), chunk: u.unit.Chunk}
	defer u.values.wipe()
	if err := u.readKeys(); err != nil {
		return err
	}
	var got enrichment.Answers
	if len(u.current) > 0 {
		var asked bool
		var err error
		if got, asked, err = u.ask(ctx, end); err != nil || !asked {
			return err
		}
	}
	if len(got.Outcomes) > 0 || len(u.current) == 0 {
		if err := u.persist(ctx, got, started); err != nil {
			return err
		}
		u.paused.Waits = 0
	}
	if got.Outage == nil {
		return nil
	}
	return u.down(ctx, got.Outage, started)
}

// readKeys decrypts the keys of the events that no newer import has changed.
func (u *replayedUnit) readKeys() (err error) {
	for place, e := range u.events {
		if !e.Stale {
			u.current = append(u.current, place)
		}
	}
	u.keys, err = readKeys(u.resource, u.values.open, func(visit func(line int64, row [][]byte) error) error {
		for _, place := range u.current {
			e := u.events[place]
			row, err := event.Row(u.resource, e.Data)
			if err != nil {
				return err
			}
			if err := visit(e.Line, row); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// ask asks for the keys. asked is false if others have all calls of the source.
func (u *replayedUnit) ask(ctx context.Context, end time.Time) (got enrichment.Answers, asked bool, err error) {
	share, err := u.share(ctx, u.enricher, u.resource, u.in.Import.unit(etl.StateReplay, u.resource.Name, 0).String())
	if err != nil {
		return got, false, err
	}
	if share.Calls == 0 {
		u.paused.Until = u.Now().Add(shareWait)
		return got, false, nil
	}
	keys := u.keys.distinct
	if u.paused.Waits > 0 { // one call finds out whether the source is back
		share.Calls, keys = 1, keys[:min(len(keys), u.enricher.BatchSize())]
	}
	if part := u.Now().Add(cmp.Or(u.PartTime, partTime)); part.Before(end) {
		end = part
	}
	got = u.enricher.Start(u.keys.distinct).Ask(ctx, keys, share, end)
	if err := ctx.Err(); err != nil {
		return got, false, &fault.Transient{Op: "replay " + u.resource.Name, Err: err}
	}
	return got, true, nil
}

// persist appends the completions of the events whose keys have an answer. The unit ends
// before the first event without one.
func (u *replayedUnit) persist(ctx context.Context, got enrichment.Answers, started time.Time) error {
	completions, counted, err := u.answers(got)
	if err != nil {
		return err
	}
	counted, err = postgres.Once(ctx, u.DB, u.unit, func(ctx context.Context, tx *postgres.Tx) (Counted, error) {
		if got.Calls > 0 {
			if err := tx.SourceAnswered(ctx, u.resource.Enrichment.Source, u.Now()); err != nil {
				return counted, err
			}
		}
		var err error
		counted.Resolved, err = tx.Complete(ctx, u.resource, event.CompletionType(u.resource), completions)
		counted.Skipped += int64(len(completions)) - counted.Resolved
		return counted, err
	})
	if err != nil {
		return err
	}
	u.paused.Silent = Silent{}
	u.record(ctx, u.in, u.unit, counted, started)
	return nil
}

// answers returns the completions that the outcomes of the first keys make, and counts the
// events.
func (u *replayedUnit) answers(got enrichment.Answers) (completions []postgres.Completion, counted Counted, err error) {
	outcomes := make([]*enrichment.Outcome, len(u.current))
	for key := range got.Outcomes {
		for _, place := range u.keys.of(key) {
			outcomes[place] = &got.Outcomes[key]
		}
	}
	counted = u.counted()
	counted.Calls, counted.Dropped = int64(got.Calls), droppedOf(got.Outcomes)
	prefix := true // of the events whose keys have an answer
	next := 0
	for i, e := range u.events {
		var o *enrichment.Outcome
		if !e.Stale {
			o = outcomes[next]
			prefix = prefix && o != nil
			next++
		}
		if prefix {
			counted.Until = u.events[i].ID
		}
		switch {
		case e.Stale && prefix:
			counted.Skipped++
		case o == nil || o.Status == etl.EnrichmentFailed && !prefix: // it is asked for again
		case o.Status == etl.EnrichmentFailed:
			counted.Count(o.Status, string(o.Code))
		default:
			c, err := u.completion(e, next-1, *o)
			if err != nil {
				return nil, counted, err
			}
			completions = append(completions, c)
			counted.Count(o.Status, "")
		}
	}
	return completions, counted, nil
}

// counted returns the counts of a unit that has not done anything.
func (u *replayedUnit) counted() Counted {
	return Counted{Until: u.after, Asked: registry.Asked{
		Source: u.resource.Enrichment.Source, Replay: u.in.Replay, Waits: u.paused.Silent.Waits, WaitSeconds: float64(u.paused.Silent.Seconds),
	}}
}

// completion makes the event that completes another.
func (u *replayedUnit) completion(e postgres.Unenriched, place int, o enrichment.Outcome) (c postgres.Completion, err error) {
	answer, err := u.answer(u.keys.record(place), o)
	if err != nil {
		return c, err
	}
	c = postgres.Completion{First: e.ID, ID: event.CompletionID(e.ID), Status: answer.Status}
	c.Data, err = event.CompletionData(u.resource, e.Data, answer.Values)
	return c, err
}

// down decides what becomes of the events without an answer while the source is down: the
// machine waits, or, once the patience with it is spent, the replay leaves them as they are.
func (u *replayedUnit) down(ctx context.Context, outage *enrichment.Outage, started time.Time) error {
	wait, spent, err := u.outage(ctx, outage, outageOf{Import: u.in.Import, Unit: u.unit, Source: u.resource.Enrichment.Source, Waits: u.paused.Waits})
	if err != nil {
		return err
	}
	if spent {
		return u.giveUp(ctx, string(outage.Code), started)
	}
	u.paused.Waits++
	u.paused.Until = u.Now().Add(wait)
	u.paused.Silent.add(wait)
	return nil
}

// giveUp ends the replay of the resource, and counts what it leaves.
func (u *replayedUnit) giveUp(ctx context.Context, code string, started time.Time) error {
	unit := u.unit
	number, after, err := u.next(ctx, u.in, unit)
	if err != nil {
		return err
	}
	unit.Chunk = number
	counted, err := postgres.Once(ctx, u.DB, unit, func(ctx context.Context, tx *postgres.Tx) (Counted, error) {
		left, stale, err := tx.Left(ctx, u.resource, after)
		counted := u.counted()
		counted.Until, counted.Skipped, counted.Asked.Asked = uuid.Max, stale, left-stale
		if left > stale {
			counted.Failed = map[string]int64{code: left - stale}
		}
		return counted, err
	})
	if err != nil {
		return err
	}
	u.paused.Done, u.paused.Silent = true, Silent{}
	u.record(ctx, u.in, unit, counted, started)
	return nil
}
