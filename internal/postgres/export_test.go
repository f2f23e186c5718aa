package postgres

import (
	"context"
	"io"
)

// OlderReaders is the query for sessions with snapshots.
const OlderReaders = olderReaders

// RejectErrors rejects the records of a chunk that have errors.
func RejectErrors(ctx context.Context, tx *Tx, chunk Unit, lines Lines) error {
	return NewTx(tx.tx, chunk).rejectErrors(ctx, lines)
}

// CopyFrom pipes a stream into a table.
func CopyFrom(ctx context.Context, tx *Tx, table string, columns []string, stream io.Reader) (int64, error) {
	return copyFrom(ctx, tx.tx, table, columns, stream)
}
