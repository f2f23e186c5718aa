package registry

import (
	"context"
	"fmt"
	"time"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// RecordProgress stores what a unit of a state has done, with the registry's time.
// The last call for a unit counts.
func (r *Registry) RecordProgress(ctx context.Context, importID string, generation int, p Progress) error {
	p.key = progressKey(importID, generation, p.State, p.Resource, p.Chunk)
	p.FinishedAt = r.now().UTC()
	return r.put(ctx, p)
}

// plan is the item that holds the number of chunks of each resource.
type plan struct {
	key
	Chunks map[string]int `dynamodbav:"chunks"`
}

func planKey(importID string, generation int) key {
	return key{PK: importPK(importID), SK: fmt.Sprintf("PLAN#%04d", generation)}
}

// RecordPlan stores the number of chunks of each resource, so that progress can
// be shown against a total.
func (r *Registry) RecordPlan(ctx context.Context, importID string, generation int, chunks map[string]int) error {
	return r.put(ctx, plan{key: planKey(importID, generation), Chunks: chunks})
}

// RecordFault stores the last fault of a state, or of one resource in it, with the
// registry's time.
func (r *Registry) RecordFault(ctx context.Context, importID string, generation int, f Fault) error {
	f.key = key{PK: importPK(importID), SK: fmt.Sprintf("FAULT#%04d#%s#%s", generation, f.State, f.Resource)}
	f.At = r.now().UTC()
	f.Name, f.Message = message.Text(f.Name), message.Text(f.Message)
	return r.put(ctx, f)
}

// Faults returns the faults of a generation that were reported at or after since.
func (r *Registry) Faults(ctx context.Context, importID string, generation int, since time.Time) ([]Fault, error) {
	all, err := query[Fault](ctx, r, importPK(importID), fmt.Sprintf("FAULT#%04d#", generation))
	if err != nil {
		return nil, err
	}
	recent := all[:0]
	for _, f := range all {
		if !f.At.Before(since) {
			recent = append(recent, f)
		}
	}
	return recent, nil
}

// Attempts returns the attempts of an import, oldest first.
func (r *Registry) Attempts(ctx context.Context, importID string) ([]Attempt, error) {
	return query[Attempt](ctx, r, importPK(importID), "ATTEMPT#")
}

// NameConsole records who asked for a redrive in the console: by, of the redrive of an
// execution that was made at a time, give or take within. A name once recorded stands.
// It returns the attempt; found is false if there is no such redrive, if the product
// itself made it, or if somebody else is named.
func (r *Registry) NameConsole(ctx context.Context, importID, executionARN string, at time.Time, within time.Duration, by caller.Identity,
) (named Attempt, found bool, err error) {
	attempts, err := r.Attempts(ctx, importID)
	if err != nil {
		return Attempt{}, false, err
	}
	for _, a := range attempts {
		distance := a.At.Sub(at).Abs()
		if a.ExecutionARN == executionARN && a.Kind == etl.KindResume && distance <= within && (!found || distance < named.At.Sub(at).Abs()) {
			named, found = a, true
		}
	}
	switch {
	case !found || named.Trigger != etl.TriggerConsole:
		return Attempt{}, false, nil
	case named.Caller == by:
		return named, true, nil
	case named.By != "":
		return Attempt{}, false, nil
	}
	named.By, named.Caller = by.String(), by
	return named, true, r.put(ctx, named)
}

// AttemptsNow returns the attempts of an import as its execution sees them. redrives
// is how often that execution was redriven. If the current redrive has not been
// observed yet, it is appended as [Registry.Observe] will record it.
func (r *Registry) AttemptsNow(ctx context.Context, importID, executionARN string, redrives int) ([]Attempt, error) {
	imp, err := r.Import(ctx, importID)
	if err != nil {
		return nil, err
	}
	attempts, err := r.Attempts(ctx, importID)
	if err != nil || imp.ExecutionARN != executionARN || redrives <= imp.Redrives() || len(attempts) > imp.Attempts {
		return attempts, err
	}
	return append(attempts, imp.attempt(imp.redrive(redrives), r.now().UTC())), nil
}
