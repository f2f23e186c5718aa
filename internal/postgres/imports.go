package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// Enter creates the row of an import when its generation opens. It may be repeated.
// It fails with *[fault.Superseded] if the row is at another generation or the import
// is abandoned.
func (db *DB) Enter(ctx context.Context, imp registry.Import, contractHash string) error {
	return db.Query(ctx, "open "+imp.ImportID, func(ctx context.Context, conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, `INSERT INTO etl.imports AS i (import_id, mode, file_date, status, generation, contract_hash)
			VALUES ($1, $2, $3, $6, $4, $5)
			ON CONFLICT (import_id) DO UPDATE SET contract_hash = EXCLUDED.contract_hash,
				updated_at = CASE WHEN i.contract_hash = EXCLUDED.contract_hash THEN i.updated_at ELSE now() END
			WHERE i.generation = EXCLUDED.generation AND i.status <> $7`,
			imp.ImportID, imp.Mode, imp.FileDate, imp.Generation, contractHash, etl.StatusRunning, etl.StatusAbandoned)
		if err == nil && tag.RowsAffected() == 0 {
			err = &fault.Superseded{ImportID: imp.ImportID, Generation: imp.Generation}
		}
		return err
	})
}

// RecordState copies the state of an import (running, or failed, where and why) from
// the registry, which is authoritative. It may be repeated and may come late: the
// state of an earlier attempt or generation changes nothing, nor does that of an
// import abandoned or published by then. An import that never reached the database
// gets a row.
func (db *DB) RecordState(ctx context.Context, imp registry.Import) error {
	failed := imp.Status == etl.StatusFailed
	if !failed && imp.Status != etl.StatusRunning {
		return nil // Publish and Abandon write what they did in their own transactions
	}
	return db.Query(ctx, "record the state of "+imp.ImportID, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `INSERT INTO etl.imports AS i (import_id, mode, file_date, status, generation, contract_hash, attempt, failed_step, failed_reason)
			VALUES ($1, $2, $3, $4, $5, '', $6, NULLIF($7, ''), NULLIF($8, ''))
			ON CONFLICT (import_id) DO UPDATE SET (status, attempt, failed_step, failed_reason, updated_at) =
				(EXCLUDED.status, EXCLUDED.attempt, EXCLUDED.failed_step, EXCLUDED.failed_reason, now())
			WHERE i.generation = EXCLUDED.generation AND i.status <> $9 AND i.published_generation IS DISTINCT FROM i.generation
				AND (i.attempt, i.status = $10) < (EXCLUDED.attempt, EXCLUDED.status = $10)`,
			imp.ImportID, imp.Mode, imp.FileDate, imp.Status, imp.Generation, imp.Attempts, imp.Step, imp.Reason,
			etl.StatusAbandoned, etl.StatusFailed)
		return err
	})
}

// running corrects the status after a failure, in the transaction of an attempt that
// holds the fence.
func running(ctx context.Context, tx pgx.Tx, importID string, attempts []registry.Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE etl.imports SET status = $3, attempt = $2, failed_step = NULL, failed_reason = NULL, updated_at = now()
		WHERE import_id = $1 AND published_generation IS DISTINCT FROM generation AND (attempt, status = $4) < ($2, false)`,
		importID, attempts[len(attempts)-1].Number, etl.StatusRunning, etl.StatusFailed)
	return err
}
