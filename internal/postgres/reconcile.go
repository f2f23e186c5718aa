package postgres

import (
	"context"
	"fmt"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
)

// FileTotals are the settled numbers of records of a file, by outcome.
type FileTotals struct {
	Resource              string
	Read, Valid, Rejected int64
}

// EachFile calls visit for each file of the import.
func (t *Tx) EachFile(ctx context.Context, visit func(FileTotals)) error {
	var f FileTotals
	return t.each(ctx, []any{&f.Resource, &f.Read, &f.Valid, &f.Rejected}, func() error {
		visit(f)
		return nil
	}, `SELECT resource, records, valid, rejected FROM etl.files WHERE import_id = $1 AND generation = $2`, t.unit.ImportID, t.unit.Generation)
}

// EachResult calls visit for the stored JSON result of each unit of a phase.
func (t *Tx) EachResult(ctx context.Context, phase string, visit func(resource string, result []byte) error) error {
	var resource string
	var result []byte
	return t.each(ctx, []any{&resource, &result}, func() error { return visit(resource, result) },
		`SELECT resource, result FROM etl.ledger WHERE import_id = $1 AND generation = $2 AND phase = $3`, t.unit.ImportID, t.unit.Generation, phase)
}

// ReconciledEvents returns how many events of a resource Reconcile proved.
func (t *Tx) ReconciledEvents(ctx context.Context, resource string) (events int64, err error) {
	err = t.tx.QueryRow(ctx, `SELECT (result->'events'->>$4)::bigint FROM etl.ledger
			WHERE import_id = $1 AND generation = $2 AND phase = $3 AND resource = ''`,
		t.unit.ImportID, t.unit.Generation, "Reconcile", resource).Scan(&events)
	return events, err
}

// Rows returns the numbers of rows of two leaves.
func (t *Tx) Rows(ctx context.Context, a, b Leaf) (ofA, ofB int64, err error) {
	err = t.tx.QueryRow(ctx, fmt.Sprintf(`SELECT (SELECT count(*) FROM %s), (SELECT count(*) FROM %s)`, a.Table(), b.Table())).Scan(&ofA, &ofB)
	return ofA, ofB, err
}

// EventTotals adds up, by resource, what is in a leaf of events.
func (t *Tx) EventTotals(ctx context.Context, leaf Leaf) (map[string]event.Summary, error) {
	totals := map[string]event.Summary{}
	var resource, sum string
	var count, notEnriched int64
	err := t.each(ctx, []any{&resource, &count, &notEnriched, &sum}, func() error {
		s := event.Summary{Events: count, NotEnriched: notEnriched}
		if err := s.Checksum.UnmarshalText([]byte(sum)); err != nil {
			return err
		}
		totals[resource] = s
		return nil
	}, fmt.Sprintf(`SELECT resource, count(*), count(*) FILTER (WHERE enrichment = '%s'), sum(%s)::text
		FROM %s GROUP BY resource`, etl.EnrichmentFailed, event.ChecksumSQL, leaf.Table()))
	return totals, err
}

// StoreEnrichmentErrors stores in the error table the records of a resource that, by a
// leaf of events, could not be enriched; they are not rejects. In details, the
// placeholder cause is replaced by the cause of each. It returns how many there are of
// each cause.
func (t *Tx) StoreEnrichmentErrors(ctx context.Context, leaf Leaf, resource string, step etl.Step, details, cause string) (map[string]int64, error) {
	causes := map[string]int64{}
	var code string
	var records int64
	err := t.each(ctx, []any{&code, &records}, func() error {
		causes[code] = records
		return nil
	}, fmt.Sprintf(`WITH failed AS (
			SELECT import_id, generation, resource, line_number, coalesce(data->>$5, '') AS cause
			FROM %s WHERE resource = $3 AND enrichment = '%s'),
		stored AS (
			INSERT INTO etl.errors (import_id, generation, file, resource, chunk, line_number, rule, error_details, processing_step)
			SELECT import_id, generation, f.file, resource, NULL, line_number, 'enrichment', replace($1, $4, cause), $2
			FROM failed JOIN etl.files f USING (import_id, generation, resource))
		SELECT cause, count(*) FROM failed GROUP BY cause`,
		leaf.Table(), etl.EnrichmentFailed), details, step, resource, cause, event.ErrorMember)
	return causes, err
}
