package postgres

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Copy pipes a COPY binary stream into a table and returns the number of rows.
// table is quoted by the caller; columns are quoted here.
func Copy(ctx context.Context, tx pgx.Tx, table string, columns []string, stream io.Reader) (int64, error) {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, stream,
		fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", table, strings.Join(quoted, ", ")))
	return tag.RowsAffected(), err
}
