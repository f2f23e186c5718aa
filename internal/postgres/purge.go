package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/internal/etl"
)

// maxPurged is how many leaves one purge drops; an import has ten. With the longest
// wait for each lock that takes a minute and a half. A shortened retention makes
// thousands due at once, but a day adds only ten, so the next purges catch up.
const maxPurged = 500

// PurgeStaging drops the staged records of imports that were published, or given
// up, before the given time, the oldest first and at most 500 tables. Each leaf is
// dropped in its own transaction; one that cannot be locked is left to the next purge.
func PurgeStaging(ctx context.Context, db *DB, before time.Time) error {
	return db.Query(ctx, "purge staging", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT t.tablename FROM pg_tables t
			JOIN etl.imports i ON t.tablename LIKE 'staging\_%' AND position(lower(replace(i.import_id, 'IMPORT_', '')) || '_g' IN t.tablename) > 0
			WHERE t.schemaname = 'partitions' AND coalesce(i.published_at, i.updated_at) < $1 AND i.status IN ($3, $4)
			ORDER BY coalesce(i.published_at, i.updated_at), t.tablename LIMIT $2`, before, maxPurged, etl.StatusSucceeded, etl.StatusAbandoned)
		if err != nil {
			return err
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := purgeLeaf(ctx, conn, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// purgeLeaf drops a leaf, unless somebody is reading it: it does not wait long for
// the lock, because everybody else would queue behind it.
func purgeLeaf(ctx context.Context, conn *pgx.Conn, name string) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '200ms'`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT etl.purge_leaf($1)`, name)
		return err
	})
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && server.Code == lockNotAvailable {
		return nil
	}
	return err
}

// lockNotAvailable is the SQLSTATE of a lock that was not granted in time.
const lockNotAvailable = "55P03"
