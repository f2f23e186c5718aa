package postgres

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/message"
)

// AuditStage says when an [AuditEntry] was written.
type AuditStage string

// The stages.
const (
	AuditAsked AuditStage = "asked" // before the deed
	AuditDone  AuditStage = "done"  // after it
)

// AuditEntry is what etl.audit records of a person's request, before the deed and
// after it.
type AuditEntry struct {
	RequestID   string // a UUID, the same in both entries
	Stage       AuditStage
	Identity    string // ARN of whoever asked
	AccessKeyID string // of the key that signed the request; "" if none is known
	Verified    bool   // whether AWS vouches for Identity
	Action      string // such as "restart" or "reveal"
	ImportID    string // "" for a request that concerns none
	// Details is a JSON object with what else was asked, never a value of a file; nil
	// for nothing.
	Details json.RawMessage
	Outcome string // what became of it; only of AuditDone, which must have one
}

// Audit appends an entry to etl.audit. After a failure it may be called again; if the
// first call did save the entry, it is there twice.
func (db *DB) Audit(ctx context.Context, e AuditEntry) error {
	return db.Query(ctx, "audit of "+e.Action, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO etl.audit (request_id, stage, identity, access_key_id, verified, action, import_id, details, outcome)
				VALUES ($1, $2, $3, NULLIF($4, ''), $5, $6, NULLIF($7, ''), NULLIF($8, '')::jsonb, NULLIF($9, ''))`,
				e.RequestID, e.Stage, message.Text(e.Identity), e.AccessKeyID, e.Verified, e.Action, e.ImportID, string(e.Details), message.Text(e.Outcome))
			return err
		})
	})
}
