package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// PublishedGeneration returns the generation of the import that readers see, 0 for
// none.
func (t *Tx) PublishedGeneration(ctx context.Context) (generation int, err error) {
	err = t.tx.QueryRow(ctx, `SELECT coalesce(published_generation, 0) FROM etl.imports WHERE import_id = $1`, t.unit.ImportID).Scan(&generation)
	return generation, err
}

// DropPublishedEvents drops the partition of the import's published events. The
// caller holds the exclusive lock on the events.
func (t *Tx) DropPublishedEvents(ctx context.Context) error {
	return t.call(ctx, `etl.drop_published_events($1, $2)`, t.unit.ImportID, t.unit.Generation)
}

// DropReplaced removes what a published generation of the import leaves behind apart
// from its rows in the targets and events, which the caller has replaced in the same
// transaction: detached tables, errors, rejects, incoherences, files and ledger rows.
// Data keys stay.
func (t *Tx) DropReplaced(ctx context.Context, generation int) error {
	if err := dropLeaves(ctx, t.tx, t.unit.ImportID, generation, false); err != nil {
		return err
	}
	if _, err := t.tx.Exec(ctx, `DELETE FROM etl.incoherences WHERE import_id = $1 AND generation = $2`, t.unit.ImportID, generation); err != nil {
		return err
	}
	return dropRecords(ctx, t.tx, t.unit.ImportID, generation)
}

// dropLeaves drops the leaves of one generation that readers do not see; if staged is
// set, only those with staged records.
func dropLeaves(ctx context.Context, tx pgx.Tx, importID string, generation int, staged bool) error {
	_, err := tx.Exec(ctx, `SELECT etl.drop_leaves($1, $2, $3)`, importID, generation, staged)
	return err
}

// dropRecords removes the errors, rejects, ledger rows, files and outages of one
// generation.
func dropRecords(ctx context.Context, tx pgx.Tx, importID string, generation int) error {
	for _, table := range []string{"etl.errors", "etl.rejects", "etl.ledger", "etl.files", "etl.enrichment_outages"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE import_id = $1 AND generation = $2`, importID, generation); err != nil {
			return err
		}
	}
	return nil
}
