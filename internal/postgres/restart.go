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
// It fails with *[fault.Refused] if the import was published, and may be called
// again with the same from after a failure.
func (db *DB) Restart(ctx context.Context, importID string, from int) (int, error) {
	err := db.retire(ctx, importID, from, `UPDATE etl.imports
		SET generation = $2 + 1, status = 'en cours', updated_at = now() WHERE import_id = $1 AND generation IN ($2, $2 + 1)`)
	return from + 1, err
}

// Abandon gives an import up: nothing of its generation, or of a late twin, can
// be written or published any more. Calling it again changes nothing.
func (db *DB) Abandon(ctx context.Context, importID string, generation int) error {
	return db.retire(ctx, importID, generation, `UPDATE etl.imports
		SET generation = $2 + 1, status = 'abandonné', updated_at = now() WHERE import_id = $1 AND generation IN ($2, $2 + 1)`)
}

func (db *DB) retire(ctx context.Context, importID string, generation int, update string) error {
	return db.Query(ctx, "retire "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()`, sessionName(importID, generation)); err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			var status string
			err := tx.QueryRow(ctx, `SELECT status FROM etl.imports WHERE import_id = $1 FOR UPDATE`, importID).Scan(&status)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			if status == message.StatusSucceeded {
				return &fault.Refused{ImportID: importID, Reason: message.AlreadyPublished}
			}
			if _, err := tx.Exec(ctx, update, importID, generation); err != nil {
				return err
			}
			return dropGeneration(ctx, tx, importID, generation)
		})
	})
}

// dropGeneration removes the detached tables, errors, rejects and ledger rows of
// one generation.
func dropGeneration(ctx context.Context, tx pgx.Tx, importID string, generation int) error {
	suffix := Leaf{Kind: Events, ImportID: importID, Generation: generation}.Name()[len(Events):]
	rows, err := tx.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = 'partitions' AND right(tablename, length($1)) = $1`, suffix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := tx.Exec(ctx, `DROP TABLE `+pgx.Identifier{"partitions", name}.Sanitize()); err != nil {
			return err
		}
	}
	for _, table := range []string{"etl.errors", "etl.rejects", "etl.ledger", "etl.files"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE import_id = $1 AND generation = $2`, importID, generation); err != nil {
			return err
		}
	}
	return nil
}
