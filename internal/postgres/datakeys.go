package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// DataKey is the data key of an import, wrapped.
type DataKey struct {
	ID         uint32
	Ciphertext []byte
}

// StoreDataKey stores the wrapped data key of an import, unless the import has one.
func (db *DB) StoreDataKey(ctx context.Context, importID string, ciphertext []byte) error {
	return db.Query(ctx, "store the data key of "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `INSERT INTO etl.data_keys (import_id, ciphertext) VALUES ($1, $2) ON CONFLICT (import_id) DO NOTHING`,
			importID, ciphertext)
		return err
	})
}

// DataKey returns the data key of an import; ok is false if it has none.
func (db *DB) DataKey(ctx context.Context, importID string) (key DataKey, ok bool, err error) {
	err = db.Query(ctx, "data key of "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT key_id, ciphertext FROM etl.data_keys WHERE import_id = $1`, importID)
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&key.ID, &key.Ciphertext}, func() error {
			ok = true
			return nil
		})
		return err
	})
	return key, ok, err
}
