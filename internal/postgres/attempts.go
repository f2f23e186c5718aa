package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// RecordAttempts copies the attempts of an import from the registry, which is
// authoritative, into etl.attempts. It may be repeated, with the same attempts or
// more.
func (db *DB) RecordAttempts(ctx context.Context, importID string, attempts []registry.Attempt) error {
	return db.Query(ctx, "record the attempts of "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return recordAttempts(ctx, tx, importID, attempts) })
	})
}

// RecordAttemptsAs does the same on behalf of a phase of a generation whose last
// attempt is running, and marks the import as running in etl.imports. It fails with
// *[fault.Superseded] if the generation is no longer the current one.
func (db *DB) RecordAttemptsAs(ctx context.Context, importID string, generation int, attempts []registry.Attempt) error {
	return db.Query(ctx, "record the attempts of "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := fence(ctx, tx, importID, generation); err != nil {
				return err
			}
			if err := running(ctx, tx, importID, attempts); err != nil {
				return err
			}
			return recordAttempts(ctx, tx, importID, attempts)
		})
	})
}

func recordAttempts(ctx context.Context, tx pgx.Tx, importID string, attempts []registry.Attempt) error {
	for _, a := range attempts {
		if _, err := tx.Exec(ctx, `INSERT INTO etl.attempts
			(import_id, attempt, generation, kind, trigger, execution_arn, failed_step, failed_reason, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, NULLIF($7, ''), NULLIF($8, ''), $9)
			ON CONFLICT (import_id, attempt) DO UPDATE SET (generation, kind, trigger, execution_arn, failed_step, failed_reason, created_at) =
			(EXCLUDED.generation, EXCLUDED.kind, EXCLUDED.trigger, EXCLUDED.execution_arn, EXCLUDED.failed_step, EXCLUDED.failed_reason, EXCLUDED.created_at)`,
			importID, a.Number, a.Generation, a.Kind, a.Trigger, a.ExecutionARN, message.Text(a.FailedStep), message.Text(a.FailedReason), a.At); err != nil {
			return err
		}
	}
	return nil
}
