package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/message"
)

// Audit appends an entry to etl.audit. After a failure it may be called again; if the
// first call did save the entry, it is there twice.
func (db *DB) Audit(ctx context.Context, e audit.Entry) error {
	return db.Query(ctx, "audit of "+e.Action, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO etl.audit (request_id, stage, identity, access_key_id, verified, action, import_id, details, outcome)
				VALUES ($1, $2, $3, NULLIF($4, ''), $5, $6, NULLIF($7, ''), NULLIF($8, '')::jsonb, NULLIF($9, ''))`,
				e.RequestID, e.Stage, message.Text(e.Identity), e.AccessKeyID, e.Verified, e.Action, e.ImportID, string(e.Details), message.Text(e.Outcome))
			return err
		})
	})
}
