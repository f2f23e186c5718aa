package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
)

// Restart ends the generation from of an import: it ends the sessions that still
// write for it, moves the import to the next generation and drops what was
// partially imported, in one transaction. The data key stays. It returns the new
// generation, which is from+1 also if the import never reached the database.
//
// It fails with *[fault.Refused] if that generation was published, unless force
// is set: then readers keep seeing it, with its errors, until a later generation
// is published in its place; only its staged records go. It may be called again
// with the same from after a failure.
func (db *DB) Restart(ctx context.Context, importID string, from int, force bool) (int, error) {
	err := db.retire(ctx, importID, from, force, `UPDATE etl.imports
		SET generation = $2 + 1, status = 'en cours', updated_at = now() WHERE import_id = $1 AND generation IN ($2, $2 + 1)`)
	return from + 1, err
}

// Abandon gives an import up: nothing of its generation, or of a late twin, can
// be written or published any more. What an earlier generation published stays.
// Calling it again changes nothing. It fails with *[fault.Refused] if the
// generation was published.
func (db *DB) Abandon(ctx context.Context, importID string, generation int) error {
	return db.retire(ctx, importID, generation, false, `UPDATE etl.imports
		SET generation = $2 + 1, status = 'abandonné', updated_at = now() WHERE import_id = $1 AND generation IN ($2, $2 + 1)`)
}

func (db *DB) retire(ctx context.Context, importID string, generation int, force bool, update string) error {
	return db.Query(ctx, "retire "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()`, sessionName(importID, generation)); err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			var published int
			err := tx.QueryRow(ctx, `SELECT coalesce(published_generation, 0) FROM etl.imports WHERE import_id = $1 FOR UPDATE`, importID).Scan(&published)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			if published == generation && !force {
				return &fault.Refused{ImportID: importID, Reason: message.AlreadyPublished}
			}
			if _, err := tx.Exec(ctx, update, importID, generation); err != nil {
				return err
			}
			if published == generation {
				return dropLeaves(ctx, tx, importID, generation, staged)
			}
			if err := dropLeaves(ctx, tx, importID, generation, ""); err != nil {
				return err
			}
			return dropRecords(ctx, tx, importID, generation)
		})
	})
}
