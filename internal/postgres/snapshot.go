package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/fault"
)

// snapshotPoll is the interval between checks whether older transactions have ended.
const snapshotPoll = 100 * time.Millisecond

// olderReaders selects the transactions of clients that hold a snapshot of this
// database and might read the target tables. A role without pg_read_all_stats does
// not see the type of another role's backend; but a backend that serves no client,
// such as an autovacuum, has no role.
//
// A login is not a reader if no role that it may become can read a relation of final,
// read a view owned by somebody else, or run a function with somebody else's rights.
// Its snapshot then shows nothing of the product, however old it is.
const olderReaders = `SELECT l.virtualtransaction FROM pg_stat_activity a
	JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'virtualxid' AND l.granted
	WHERE a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid() AND a.datname = current_database()
	AND a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'
	AND EXISTS (SELECT FROM pg_roles r WHERE pg_has_role(a.usesysid, r.oid, 'MEMBER') AND (r.rolsuper
		OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE (n.nspname = 'final' OR c.relkind = 'v' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' AND NOT pg_has_role(a.usesysid, c.relowner, 'MEMBER'))
			AND (has_table_privilege(r.oid, c.oid, 'SELECT') OR has_any_column_privilege(r.oid, c.oid, 'SELECT')))
		OR EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
			WHERE p.prosecdef AND n.nspname NOT LIKE 'pg\_%' AND NOT pg_has_role(a.usesysid, p.proowner, 'MEMBER') AND has_function_privilege(r.oid, p.oid, 'EXECUTE'))))`

// WaitForOlderSnapshots waits, as CREATE INDEX CONCURRENTLY does, until every
// transaction that now holds a snapshot and might read the target tables has ended.
// Otherwise a REPEATABLE READ transaction whose snapshot is older than the last loaded
// row would see the swapped-in table without that row. It fails with
// *[fault.Transient] if they have not ended within limit.
func WaitForOlderSnapshots(ctx context.Context, db *DB, limit time.Duration) error {
	const op = "wait for older readers"
	return db.Query(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, olderReaders)
		if err != nil {
			return err
		}
		older, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(older) == 0 {
			return err
		}
		end := time.NewTimer(limit)
		defer end.Stop()
		tick := time.NewTicker(snapshotPoll)
		defer tick.Stop()
		for {
			open, who, err := stillOpen(ctx, conn, older)
			if err != nil {
				return err
			}
			if open == 0 {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-end.C:
				return &fault.Transient{Op: op, Err: errors.New(oldReaders(open, who))}
			case <-tick.C:
			}
		}
	})
}

// shownReaders is how many sessions a message names.
const shownReaders = 3

// stillOpen returns how many of the transactions are still open, and names some of
// their sessions.
func stillOpen(ctx context.Context, conn *pgx.Conn, older []string) (open int, who []string, err error) {
	rows, err := conn.Query(ctx, `SELECT l.pid, coalesce(a.usename, '?') FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'virtualxid' AND l.granted AND l.virtualtransaction = ANY($1) ORDER BY l.pid`, older)
	if err != nil {
		return 0, nil, err
	}
	var pid int32
	var role string
	_, err = pgx.ForEachRow(rows, []any{&pid, &role}, func() error {
		if open++; open <= shownReaders {
			who = append(who, textSession(pid, role))
		}
		return nil
	})
	return open, who, err
}
