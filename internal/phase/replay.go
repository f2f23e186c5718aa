package phase

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// ReplayAlias is the alias of the function that asks sources by which a replay invokes it.
const ReplayAlias = "replay"

// ReplayIn is a published import whose sources are to be asked again, and what the run
// before returned.
type ReplayIn struct {
	Import   Import   `json:"import"`
	Replay   int      `json:"replay"` // its number
	Source   string   `json:"source"` // empty: all
	Attempt  int      `json:"attempt"`
	Progress Replayed `json:"progress"` // zero at first
}

// Replayed tells how far a replay has come. The machine hands it to the next run, which it
// starts after WaitSeconds, until Done is set.
type Replayed struct {
	Done        bool              `json:"done"`
	WaitSeconds int               `json:"wait_seconds"` // until the next run, because no source answers
	Runs        int               `json:"runs"`         // so far
	Resources   map[string]Paused `json:"resources"`    // that are done, or wait
}

// Paused is a resource that a replay is done with, or whose source gives no answer.
type Paused struct {
	Done   bool      `json:"done"`
	Waits  int       `json:"waits"`          // in a row, since the source last answered
	Until  time.Time `json:"until,omitzero"` // when the source is asked again
	Silent Silent    `json:"silent"`         // that no unit has counted yet
}

// Replay asks the sources again for the records of a published import that stayed
// unenriched, and appends events that complete theirs. It is an [Enrich] by its
// configuration: sources, limits, patience and keys are the same. The keys come from the
// events, so a replay needs no work object.
type Replay struct {
	Enrich
	// UnitEvents bounds a unit, and RunTime a run, after which a waiting date may start.
	UnitEvents int           // 0 is 10,000
	RunTime    time.Duration // 0 is 2 min
}

// Bounds of a replay by default.
const (
	unitEvents = 10_000
	runTime    = 2 * time.Minute
)

// Run asks resource by resource and unit by unit, until all is done, its time is up, or no
// source answers. A unit is at most so many events, in the order of their ids. What a
// source answered for them is appended in one transaction with the unit's row in the
// ledger, so a function that is killed loses at most the answers of one unit. A resource
// whose source is down lets the others go first.
//
// It fails with *[fault.Superseded] if the import was restarted or another replay began,
// and with *[fault.Incompatible] after 1,000 runs: a new replay then goes on.
func (p *Replay) Run(ctx context.Context, in ReplayIn) (Replayed, error) {
	if in.Progress.Runs >= maxRuns {
		return Replayed{}, &fault.Incompatible{Object: in.Import.ImportID, Reason: historyFull, Continue: true}
	}
	if err := p.admit(ctx, &in); err != nil {
		return Replayed{}, err
	}
	out := Replayed{Runs: in.Progress.Runs + 1, Resources: map[string]Paused{}}
	end, done := p.Now().Add(cmp.Or(p.RunTime, runTime)), true
	for _, r := range p.Contract.Resources {
		if r.Enrichment == nil || in.Source != "" && r.Enrichment.Source != in.Source {
			continue
		}
		paused := in.Progress.Resources[r.Name]
		if !paused.Done && !paused.Until.After(p.Now()) {
			if err := p.replay(ctx, in, r, &paused, end); err != nil {
				return Replayed{}, err
			}
		}
		out.Resources[r.Name] = paused
		done = done && paused.Done
	}
	out.Done = done
	out.WaitSeconds = p.pause(out.Resources)
	return out, nil
}

// admit checks that the replay is the import's current one, and adds the import's key.
func (p *Replay) admit(ctx context.Context, in *ReplayIn) error {
	imp, err := p.Attempts.Import(ctx, in.Import.ImportID)
	if err != nil {
		return err
	}
	if imp.Status != etl.StatusSucceeded || imp.Generation != in.Import.Generation || imp.Replay.Number != in.Replay || imp.Replay.Status == etl.StatusAbandoned {
		return &fault.Superseded{ImportID: in.Import.ImportID, Generation: in.Import.Generation}
	}
	key, ok, err := p.DB.DataKey(ctx, in.Import.ImportID)
	if err == nil && !ok {
		err = fmt.Errorf("import %s has no data key", in.Import.ImportID)
	}
	in.Import.KeyID, in.Import.WrappedKey = key.ID, key.Ciphertext
	return err
}

// pause returns for how many seconds no source needs to be asked.
func (p *Replay) pause(resources map[string]Paused) int {
	soonest := time.Duration(-1)
	for _, r := range resources {
		if wait := r.Until.Sub(p.Now()); !r.Done && (soonest < 0 || wait < soonest) {
			soonest = max(wait, 0)
		}
	}
	return int((max(soonest, 0) + time.Second - 1) / time.Second)
}

// replay goes on with a resource until it is done, time is up, or its source is down.
func (p *Replay) replay(ctx context.Context, in ReplayIn, r *contract.Resource, paused *Paused, end time.Time) error {
	enricher, err := p.Enrichers(r.Enrichment.Source, in.Import.Mode)
	if err != nil {
		return err
	}
	unit := in.Import.unit(etl.StateReplay, r.Name, 0)
	defer p.returnShare(ctx, r, unit.String())
	if until := p.until(ctx, enricher); until.Before(end) {
		end = until
	}
	for paused.Until = (time.Time{}); !paused.Done && paused.Until.IsZero() && p.Now().Before(end); {
		var after uuid.UUID
		if unit.Chunk, after, err = p.next(ctx, in, unit); err != nil {
			return err
		}
		events, err := p.DB.Unenriched(ctx, unit, r, after, cmp.Or(p.UnitEvents, unitEvents))
		if err != nil {
			return err
		}
		if paused.Done = len(events) == 0; paused.Done {
			return nil
		}
		u := &replayedUnit{Replay: p, in: in, unit: unit, after: after, events: events, paused: paused, enricher: enricher}
		if err := u.run(ctx, r, end); err != nil {
			return err
		}
	}
	return nil
}

// next returns the number of the next unit of a resource, counted through all replays, and
// the event that the last one of this replay ended with.
func (p *Replay) next(ctx context.Context, in ReplayIn, unit postgres.Unit) (number int, after uuid.UUID, err error) {
	results, err := p.DB.LedgerResults(ctx, unit)
	if err != nil {
		return 0, after, err
	}
	for _, result := range results {
		var counted Counted
		if err := json.Unmarshal(result, &counted); err != nil {
			return 0, after, fmt.Errorf("result of %s: %w", unit, err)
		}
		if counted.Replay == in.Replay {
			after = counted.Until
		}
	}
	return len(results), after, nil
}

// Counted is what a unit of a replay did. The ledger has it.
type Counted struct {
	registry.Asked
	Until uuid.UUID `json:"until"` // the event that it ended with
}

// record logs and records what a unit did.
func (p *Replay) record(ctx context.Context, in ReplayIn, unit postgres.Unit, counted Counted, started time.Time) {
	asked := counted.Asked
	p.done(ctx, in.Import, "", registry.Progress{
		State: etl.StateReplay, Resource: unit.Resource, Chunk: unit.Chunk, Read: asked.Asked + asked.Skipped,
		Enriched: asked.Answered, NotEnriched: asked.NotEnriched(), Persisted: asked.Resolved, Enrichment: &asked,
	}, started, eventsReplayed)
}
