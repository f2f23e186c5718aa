package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// Unit identifies a piece of work that is persisted once: a chunk in a phase, a
// resource in a phase (Chunk 0), or a whole phase (Resource "", Chunk 0).
type Unit struct {
	ImportID   string
	Generation int
	Phase      etl.State
	Resource   string
	Chunk      int
}

// String names the unit in errors.
func (u Unit) String() string {
	return fmt.Sprintf("%s %s g%d %s %d", u.Phase, u.ImportID, u.Generation, u.Resource, u.Chunk)
}

// Object is the work object that a unit was persisted from.
type Object struct {
	Key       string `json:"key"`
	VersionID string `json:"version_id"`
	Checksum  string `json:"checksum"` // of the whole object
}

// Once runs write in one transaction with the unit's ledger row and returns its
// result. If the unit was persisted before, it does not call write and returns the
// stored result. The result must survive JSON.
//
// It fails with *[fault.Superseded] if the import is no longer at the unit's
// generation, and with *[fault.Transient] if PostgreSQL did not answer. It may then be
// called again, even if the commit did happen.
func Once[R any](ctx context.Context, db *DB, unit Unit, write func(context.Context, *Tx) (R, error)) (R, error) {
	return OnceFrom(ctx, db, unit, Object{}, write)
}

// OnceFrom is [Once] for a unit that is persisted from a work object, which the
// ledger row then names.
func OnceFrom[R any](ctx context.Context, db *DB, unit Unit, from Object, write func(context.Context, *Tx) (R, error)) (R, error) {
	var result R
	err := db.Query(ctx, unit.String(), func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			stored, done, err := claim(ctx, tx, unit, from)
			if err != nil {
				return err
			}
			if done {
				return json.Unmarshal(stored, &result)
			}
			if result, err = write(ctx, NewTx(tx, unit)); err != nil {
				return err
			}
			text, err := json.Marshal(result)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE etl.ledger SET result = $6
				WHERE (import_id, generation, phase, resource, chunk) = ($1, $2, $3, $4, $5)`,
				unit.ImportID, unit.Generation, unit.Phase, unit.Resource, unit.Chunk, string(text))
			return err
		})
	})
	return result, err
}

// claim takes the fence and the unit's ledger row. done means that the unit was
// persisted before; stored is its result.
func claim(ctx context.Context, tx pgx.Tx, unit Unit, from Object) (stored []byte, done bool, err error) {
	if err := fence(ctx, tx, unit.ImportID, unit.Generation); err != nil {
		return nil, false, err
	}
	tag, err := tx.Exec(ctx, `INSERT INTO etl.ledger
		(import_id, generation, phase, resource, chunk, object_key, object_version, object_checksum)
		VALUES ($1, $2, $3, $4, $5, NULLIF($6, ''), NULLIF($7, ''), NULLIF($8, ''))
		ON CONFLICT DO NOTHING`,
		unit.ImportID, unit.Generation, unit.Phase, unit.Resource, unit.Chunk, from.Key, from.VersionID, from.Checksum)
	if err != nil {
		return nil, false, err
	}
	if tag.RowsAffected() == 1 {
		return nil, false, nil
	}
	err = tx.QueryRow(ctx, `SELECT result FROM etl.ledger
		WHERE (import_id, generation, phase, resource, chunk) = ($1, $2, $3, $4, $5)`,
		unit.ImportID, unit.Generation, unit.Phase, unit.Resource, unit.Chunk).Scan(&stored)
	return stored, true, err
}

// fence locks the import's row at the writer's generation until the transaction
// ends, and names the session after import and generation, so that a restart can end
// it. The lock does not block updates of the status. fence fails with
// *[fault.Superseded] if the import is at another generation, abandoned or unknown.
func fence(ctx context.Context, tx pgx.Tx, importID string, generation int) error {
	var name string
	err := tx.QueryRow(ctx, `SELECT set_config('application_name', $3, true) FROM etl.imports
		WHERE import_id = $1 AND generation = $2 AND status <> $4 FOR KEY SHARE`,
		importID, generation, sessionName(importID, generation), etl.StatusAbandoned).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return &fault.Superseded{ImportID: importID, Generation: generation}
	}
	return err
}

// sessionName returns an application_name within PostgreSQL's limit of 63 bytes.
func sessionName(importID string, generation int) string {
	return fmt.Sprintf("etl:%s:g%d", importID, generation)
}

// LedgerObject returns the work object that a unit was persisted from; ok is
// false if the unit is not in the ledger.
func (db *DB) LedgerObject(ctx context.Context, unit Unit) (object Object, ok bool, err error) {
	err = db.Query(ctx, unit.String(), func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT object_key, object_version, object_checksum FROM etl.ledger
			WHERE (import_id, generation, phase, resource, chunk) = ($1, $2, $3, $4, $5) AND object_key IS NOT NULL`,
			unit.ImportID, unit.Generation, unit.Phase, unit.Resource, unit.Chunk).
			Scan(&object.Key, &object.VersionID, &object.Checksum)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Object{}, false, nil
	}
	return object, err == nil, err
}
