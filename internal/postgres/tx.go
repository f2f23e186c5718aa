package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Tx is the transaction in which a unit is persisted. Its methods act on the unit's
// import, at the unit's generation.
type Tx struct {
	tx   pgx.Tx
	unit Unit
}

// NewTx returns the Tx of a unit within a transaction that the caller ends. [Once]
// makes one with fence and ledger row.
func NewTx(tx pgx.Tx, unit Unit) *Tx { return &Tx{tx: tx, unit: unit} }

// Execute runs a statement that another package wrote, or several without
// arguments, and returns how many rows the last one wrote.
func (t *Tx) Execute(ctx context.Context, sql string, args ...any) (rows int64, err error) {
	tag, err := t.tx.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

// call calls a function of the owner, which does what the loader's login has no right
// to do itself. Arguments are never NULL: the functions do nothing then.
func (t *Tx) call(ctx context.Context, function string, args ...any) error {
	_, err := t.tx.Exec(ctx, `SELECT `+function, args...)
	return err
}

// Count returns the single number that a statement of another package yields.
func (t *Tx) Count(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = t.tx.QueryRow(ctx, sql, args...).Scan(&n)
	return n, err
}

// each calls visit for each row of a query, after reading the row into destinations.
func (t *Tx) each(ctx context.Context, destinations []any, visit func() error, sql string, args ...any) error {
	rows, err := t.tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, destinations, visit)
	return err
}

// Quote quotes the parts of a qualified name.
func Quote(parts ...string) string { return pgx.Identifier(parts).Sanitize() }
