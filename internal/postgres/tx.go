package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Tx is the transaction in which a unit is persisted. Its methods are the
// statements that phases run in it.
type Tx struct{ tx pgx.Tx }

// NewTx wraps a transaction that the caller ends.
func NewTx(tx pgx.Tx) *Tx { return &Tx{tx: tx} }

// Execute runs a statement that another package wrote, or several without
// arguments, and returns how many rows the last one wrote.
func (t *Tx) Execute(ctx context.Context, sql string, args ...any) (rows int64, err error) {
	tag, err := t.tx.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

// Count returns the one number that a statement of another package yields.
func (t *Tx) Count(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = t.tx.QueryRow(ctx, sql, args...).Scan(&n)
	return n, err
}

// Quote quotes the parts of a qualified name.
func Quote(parts ...string) string { return pgx.Identifier(parts).Sanitize() }
