package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// PurgeStaging drops the staged records of imports that were published, or given
// up, before the given time. Each leaf is a transaction of its own; what cannot
// be locked now is left to the next purge.
func PurgeStaging(ctx context.Context, db *DB, before time.Time) error {
	return db.Query(ctx, "purge staging", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT t.tablename FROM pg_tables t
			JOIN etl.imports i ON t.tablename LIKE 'staging\_%' AND position(lower(replace(i.import_id, 'IMPORT_', '')) || '_g' IN t.tablename) > 0
			WHERE t.schemaname = 'partitions' AND coalesce(i.published_at, i.updated_at) < $1 AND i.status IN ('réussi', 'abandonné')`, before)
		if err != nil {
			return err
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, err := conn.Exec(ctx, `DROP TABLE IF EXISTS `+pgx.Identifier{"partitions", name}.Sanitize()); err != nil {
				return err
			}
		}
		return nil
	})
}
