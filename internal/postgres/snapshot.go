package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
)

// snapshotPoll is how often the end of older transactions is looked for.
const snapshotPoll = 100 * time.Millisecond

// WaitForOlderSnapshots returns when every transaction that now holds a snapshot
// has ended, as CREATE INDEX CONCURRENTLY does: a REPEATABLE READ transaction
// whose snapshot is older than the last loaded row would see a table that is
// swapped in without that row. It fails with *[fault.Transient] if they have not
// ended within limit.
func WaitForOlderSnapshots(ctx context.Context, db *DB, limit time.Duration) error {
	const op = "wait for older readers"
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return db.Query(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT l.virtualtransaction FROM pg_stat_activity a
			JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'virtualxid' AND l.granted
			WHERE a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid() AND a.datname = current_database()
			AND coalesce(a.backend_type, 'client backend') = 'client backend'`)
		if err != nil {
			return err
		}
		older, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(older) == 0 {
			return err
		}
		tick := time.NewTicker(snapshotPoll)
		defer tick.Stop()
		for {
			var open int
			if err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE locktype = 'virtualxid' AND virtualtransaction = ANY($1)`, older).Scan(&open); err != nil {
				return err
			}
			if open == 0 {
				return nil
			}
			select {
			case <-ctx.Done():
				return &fault.Transient{Op: op, Err: errors.New(message.OldReaders(open))}
			case <-tick.C:
			}
		}
	})
}
