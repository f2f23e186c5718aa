package postgres

import (
	"bytes"
	"context"

	"etl-dataloader/internal/fault"
)

// HoldTokenKey stores the check value of the key behind tokens of a version, unless the
// database has one. It fails with *[fault.TokenKeyChanged] if that is another one: tokens
// of two keys would never join, and every known key would be inserted a second time. The
// first to store a value makes others that do so wait for the end of its transaction.
func (t *Tx) HoldTokenKey(ctx context.Context, version int, check []byte) error {
	if _, err := t.tx.Exec(ctx, `INSERT INTO etl.token_key (version, key_check, import_id) VALUES ($1, $2, $3) ON CONFLICT (version) DO NOTHING`,
		version, check, t.unit.ImportID); err != nil {
		return err
	}
	var held []byte
	var first string
	if err := t.tx.QueryRow(ctx, `SELECT key_check, import_id FROM etl.token_key WHERE version = $1`, version).Scan(&held, &first); err != nil {
		return err
	}
	if !bytes.Equal(held, check) {
		return &fault.TokenKeyChanged{ImportID: t.unit.ImportID, First: first}
	}
	return nil
}
