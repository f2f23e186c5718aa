package phase

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// Reconciled counts the events of each resource that were proven.
type Reconciled struct {
	Events map[string]int64 `json:"events"`
}

// Reconcile proves, on the detached tables, that what is there is what was meant
// to be written: read = valid + rejected, an event and a target row for each
// valid record, and the sum of the events' checksums. A mismatch fails an import
// that no reader has seen. What could not be enriched it puts into the error table.
type Reconcile struct {
	Common
	DB *postgres.DB
}

// Run proves the import once. It fails with *[fault.Mismatch].
func (p *Reconcile) Run(ctx context.Context, in ImportIn) (Reconciled, error) {
	started := p.Now()
	out, err := postgres.Once(ctx, p.DB, in.Import.unit("Reconcile", "", 0), func(ctx context.Context, tx pgx.Tx) (Reconciled, error) {
		return p.prove(ctx, tx, in.Import)
	})
	if err != nil {
		return Reconciled{}, err
	}
	for resource, events := range out.Events {
		p.done(ctx, in.Import, "", registry.Progress{State: "Reconcile", Resource: resource, Valid: events, Persisted: events}, started, message.ImportReconciled)
	}
	return out, nil
}

// meant is what the phases stored of a resource.
type meant struct {
	read, valid, rejected int64
	events                event.Summary
}

func (p *Reconcile) prove(ctx context.Context, tx pgx.Tx, imp Import) (Reconciled, error) {
	want, err := p.meant(ctx, tx, imp)
	if err != nil {
		return Reconciled{}, err
	}
	got, err := p.events(ctx, tx, imp)
	if err != nil {
		return Reconciled{}, err
	}
	out := Reconciled{Events: map[string]int64{}}
	for _, r := range p.Contract.Resources {
		w, g := want[r.Name], got[r.Name]
		var staged, targets int64
		if err := tx.QueryRow(ctx, fmt.Sprintf(`SELECT (SELECT count(*) FROM %s), (SELECT count(*) FROM %s)`,
			imp.leaf(postgres.Staging, r.Name).Table(), imp.leaf(postgres.Target, r.Name).Table())).Scan(&staged, &targets); err != nil {
			return out, err
		}
		for _, c := range []struct {
			what      string
			want, got any
		}{
			{"enregistrements persistés", w.read, staged},
			{"enregistrements valides et rejetés", w.read, w.valid + w.rejected},
			{"événements", w.valid, g.Events},
			{"événements transformés", w.valid, w.events.Events},
			{"lignes cibles", w.valid, targets},
			{"événements non enrichis", w.events.NotEnriched, g.NotEnriched},
			{"somme de contrôle", w.events.Checksum.String(), g.Checksum.String()},
		} {
			if c.want != c.got {
				return out, &fault.Mismatch{ImportID: imp.ImportID, Reason: message.CountMismatch(c.what, r.Name, c.want, c.got)}
			}
		}
		out.Events[r.Name] = g.Events
		if g.NotEnriched > 0 {
			if err := p.enrichmentErrors(ctx, tx, imp, r); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// meant adds up, by resource, what was counted on the way.
func (p *Reconcile) meant(ctx context.Context, tx pgx.Tx, imp Import) (map[string]meant, error) {
	want := map[string]meant{}
	rows, err := tx.Query(ctx, `SELECT resource, records, valid, rejected FROM etl.files WHERE import_id = $1 AND generation = $2`, imp.ImportID, imp.Generation)
	if err != nil {
		return nil, err
	}
	var resource string
	var m meant
	if _, err := pgx.ForEachRow(rows, []any{&resource, &m.read, &m.valid, &m.rejected}, func() error {
		want[resource] = m
		return nil
	}); err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `SELECT resource, result FROM etl.ledger WHERE import_id = $1 AND generation = $2 AND phase = 'Prepare'`, imp.ImportID, imp.Generation)
	if err != nil {
		return nil, err
	}
	var text []byte
	_, err = pgx.ForEachRow(rows, []any{&resource, &text}, func() error {
		var prepared Prepared
		if err := json.Unmarshal(text, &prepared); err != nil {
			return err
		}
		m := want[resource]
		m.events.Merge(prepared.Summary)
		want[resource] = m
		return nil
	})
	return want, err
}

// events counts what is in the detached events table.
func (p *Reconcile) events(ctx context.Context, tx pgx.Tx, imp Import) (map[string]event.Summary, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(`SELECT resource, count(*), count(*) FILTER (WHERE enrichment = '%s'), sum(%s)::text
		FROM %s GROUP BY resource`, event.EnrichmentFailed, event.ChecksumSQL, imp.leaf(postgres.Events, "").Table()))
	if err != nil {
		return nil, err
	}
	got := map[string]event.Summary{}
	var resource, sum string
	var count, notEnriched int64
	_, err = pgx.ForEachRow(rows, []any{&resource, &count, &notEnriched, &sum}, func() error {
		s := event.Summary{Events: count, NotEnriched: notEnriched}
		if err := s.Checksum.UnmarshalText([]byte(sum)); err != nil {
			return err
		}
		got[resource] = s
		return nil
	})
	return got, err
}

// causePlaceholder stands for the cause of each record in a text that the database
// completes.
const causePlaceholder = "{cause}"

// enrichmentErrors puts the records of a resource that could not be enriched into
// the error table; they are no rejects.
func (p *Reconcile) enrichmentErrors(ctx context.Context, tx pgx.Tx, imp Import, r *contract.Resource) error {
	_, err := tx.Exec(ctx, fmt.Sprintf(`INSERT INTO etl.errors (import_id, generation, file, resource, chunk, line_number, rule, error_details, processing_step)
		SELECT import_id, generation, f.file, resource, NULL, line_number, 'enrichment', replace($1, $4, data->>$5), $2
		FROM %s JOIN etl.files f USING (import_id, generation, resource) WHERE resource = $3 AND enrichment = '%s'`,
		imp.leaf(postgres.Events, "").Table(), event.EnrichmentFailed),
		message.NotEnriched(r.Enrichment.Source, causePlaceholder), message.StepTransformation, r.Name, causePlaceholder, event.ErrorMember)
	return err
}
