package postgres

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
)

// Copy pipes a COPY binary stream of these columns into a leaf, byte for byte, and
// returns the number of rows.
func (t *Tx) Copy(ctx context.Context, leaf Leaf, columns []contract.Column, stream io.Reader) (int64, error) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return copyFrom(ctx, t.tx, leaf.Table(), names, stream)
}

// copyFrom pipes a stream into a table, whose name is quoted.
func copyFrom(ctx context.Context, tx pgx.Tx, table string, columns []string, stream io.Reader) (int64, error) {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = Quote(c)
	}
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, stream,
		fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", table, strings.Join(quoted, ", ")))
	return tag.RowsAffected(), err
}
