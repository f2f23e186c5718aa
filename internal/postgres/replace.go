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
	names, err := tableNames(ctx, t.tx, `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'final.events'::regclass AND pg_get_expr(c.relpartbound, c.oid) = 'FOR VALUES IN (' || quote_literal($1) || ')'`, t.unit.ImportID)
	if err != nil {
		return err
	}
	return dropTables(ctx, t.tx, names)
}

// DropReplaced removes what a published generation of the import leaves behind apart
// from its rows in the targets and events, which the caller has replaced in the same
// transaction: detached tables, errors, rejects, incoherences, files and ledger rows.
// Data keys stay.
func (t *Tx) DropReplaced(ctx context.Context, generation int) error {
	if err := dropLeaves(ctx, t.tx, t.unit.ImportID, generation, detached); err != nil {
		return err
	}
	if _, err := t.tx.Exec(ctx, `DELETE FROM etl.incoherences WHERE import_id = $1 AND generation = $2`, t.unit.ImportID, generation); err != nil {
		return err
	}
	return dropRecords(ctx, t.tx, t.unit.ImportID, generation)
}

// detached is the condition that readers of final do not see the leaf t.
const detached = ` AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class parent ON parent.oid = i.inhparent
	WHERE i.inhrelid = ('partitions.' || quote_ident(t.tablename))::regclass AND parent.relnamespace = 'final'::regnamespace)`

// staged is the condition that the leaf t holds staged records.
const staged = ` AND t.tablename LIKE 'staging\_%'`

// dropLeaves drops the leaves of one generation that also satisfy a condition.
func dropLeaves(ctx context.Context, tx pgx.Tx, importID string, generation int, condition string) error {
	suffix := Leaf{Kind: Events, ImportID: importID, Generation: generation}.Name()[len(Events):]
	names, err := tableNames(ctx, tx, `SELECT tablename FROM pg_tables t
		WHERE schemaname = 'partitions' AND right(tablename, length($1)) = $1`+condition, suffix)
	if err != nil {
		return err
	}
	return dropTables(ctx, tx, names)
}

func tableNames(ctx context.Context, tx pgx.Tx, query, argument string) ([]string, error) {
	rows, err := tx.Query(ctx, query, argument)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func dropTables(ctx context.Context, tx pgx.Tx, names []string) error {
	for _, name := range names {
		if _, err := tx.Exec(ctx, `DROP TABLE `+pgx.Identifier{"partitions", name}.Sanitize()); err != nil {
			return err
		}
	}
	return nil
}

// dropRecords removes the errors, rejects, ledger rows and files of one
// generation.
func dropRecords(ctx context.Context, tx pgx.Tx, importID string, generation int) error {
	for _, table := range []string{"etl.errors", "etl.rejects", "etl.ledger", "etl.files"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE import_id = $1 AND generation = $2`, importID, generation); err != nil {
			return err
		}
	}
	return nil
}
