package phase

import (
	"context"
	"encoding/json"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// Reconciled counts the verified events of each resource, and the records that could
// not be enriched, by source and cause.
type Reconciled struct {
	Events      map[string]int64            `json:"events"`
	NotEnriched map[string]map[string]int64 `json:"not_enriched,omitempty"`
}

// Reconcile verifies that the detached tables contain exactly what was to be written:
// read = valid + rejected, an event and a target row for each valid record, and the sum
// of the events' checksums. A mismatch fails the import before any reader has seen it.
// Reconcile also stores in the error table what could not be enriched.
type Reconcile struct {
	Common
	DB *postgres.DB
}

// Run verifies the import once. It fails with *[fault.Mismatch] if something differs.
func (p *Reconcile) Run(ctx context.Context, in ImportIn) (Reconciled, error) {
	started := p.Now()
	out, err := postgres.Once(ctx, p.DB, in.Import.unit(etl.StateReconcile, "", 0), func(ctx context.Context, tx *postgres.Tx) (Reconciled, error) {
		return p.prove(ctx, tx, in.Import)
	})
	if err != nil {
		return Reconciled{}, err
	}
	for resource, events := range out.Events {
		p.done(ctx, in.Import, "", registry.Progress{State: etl.StateReconcile, Resource: resource, Valid: events, Persisted: events}, started, importReconciled)
	}
	return out, nil
}

// meant is what should be there for a resource, by the results of the earlier phases.
type meant struct {
	read, valid, rejected int64
	events                event.Summary
}

func (p *Reconcile) prove(ctx context.Context, tx *postgres.Tx, imp Import) (Reconciled, error) {
	want, err := countsOf(ctx, tx)
	if err != nil {
		return Reconciled{}, err
	}
	got, err := tx.EventTotals(ctx, imp.leaf(postgres.Events, ""))
	if err != nil {
		return Reconciled{}, err
	}
	out := Reconciled{Events: map[string]int64{}}
	for _, r := range p.Contract.Resources {
		w, g := want[r.Name], got[r.Name]
		staged, targets, err := tx.Rows(ctx, imp.leaf(postgres.Staging, r.Name), imp.leaf(postgres.Target, r.Name))
		if err != nil {
			return out, err
		}
		for _, c := range []struct {
			what      string
			want, got any
		}{
			{countRecordsStored, w.read, staged},
			{countRecordsJudged, w.read, w.valid + w.rejected},
			{countEvents, w.valid, g.Events},
			{countEventsTransformed, w.valid, w.events.Events},
			{countTargetRows, w.valid, targets},
			{countEventsNotEnriched, w.events.NotEnriched, g.NotEnriched},
			{countChecksum, w.events.Checksum.String(), g.Checksum.String()},
		} {
			if c.want != c.got {
				return out, &fault.Mismatch{ImportID: imp.ImportID, Reason: CountMismatch(c.what, r.Name, c.want, c.got)}
			}
		}
		out.Events[r.Name] = g.Events
		if g.NotEnriched > 0 {
			causes, err := tx.StoreEnrichmentErrors(ctx, imp.leaf(postgres.Events, ""), r.Name, etl.StepTransformation,
				NotEnriched(r.Enrichment.Source, causePlaceholder), causePlaceholder)
			if err != nil {
				return out, err
			}
			out.addNotEnriched(r.Enrichment.Source, causes)
		}
	}
	return out, nil
}

// addNotEnriched adds records that a source did not enrich; several resources may have
// the same source.
func (r *Reconciled) addNotEnriched(source string, causes map[string]int64) {
	if r.NotEnriched == nil {
		r.NotEnriched = map[string]map[string]int64{}
	}
	if r.NotEnriched[source] == nil {
		r.NotEnriched[source] = map[string]int64{}
	}
	for cause, n := range causes {
		r.NotEnriched[source][cause] += n
	}
}

// countsOf adds up, by resource, what the earlier phases counted.
func countsOf(ctx context.Context, tx *postgres.Tx) (map[string]meant, error) {
	want := map[string]meant{}
	if err := tx.EachFile(ctx, func(f postgres.FileTotals) {
		want[f.Resource] = meant{read: f.Read, valid: f.Valid, rejected: f.Rejected}
	}); err != nil {
		return nil, err
	}
	err := tx.EachResult(ctx, "Prepare", func(resource string, result []byte) error {
		var prepared Prepared
		if err := json.Unmarshal(result, &prepared); err != nil {
			return err
		}
		m := want[resource]
		m.events.Merge(prepared.Summary)
		want[resource] = m
		return nil
	})
	return want, err
}

// causePlaceholder stands for the cause of each record in a text, and the database
// replaces it.
const causePlaceholder = "{cause}"
