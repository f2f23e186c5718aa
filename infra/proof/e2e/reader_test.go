//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// watched are the tables that a reader counts: all that an import publishes in
// one go.
var watched = []string{"clients", "ventes", "produits", "events"} //nolint:gochecknoglobals // a constant list

// counts are the rows of the watched tables at one moment.
type counts [4]int64

// reader polls the published tables while an import runs, as a reporting tool
// would: in single statements under READ COMMITTED, and in transactions of
// several statements under REPEATABLE READ.
type reader struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu   sync.Mutex
	seen map[string]map[counts]int // by isolation level: how often
	errs []error
}

// watch starts a reader; each isolation level has a connection of its own.
func (s *system) watch(t *testing.T) *reader {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &reader{stop: stop, seen: map[string]map[counts]int{}}
	for level, look := range map[string]func(context.Context, *pgx.Conn) (counts, error){
		"READ COMMITTED": oneStatement, "REPEATABLE READ": oneTransaction,
	} {
		conn, err := pgx.Connect(ctx, s.Env["DATABASE_URL"])
		if err != nil {
			t.Fatal(err)
		}
		r.seen[level] = map[counts]int{}
		r.done.Go(func() { r.poll(ctx, conn, level, look) })
	}
	t.Cleanup(func() {
		stop()
		r.done.Wait()
	})
	return r
}

// poll looks until the reader is stopped. The pause leaves the machine to the
// import, whose publication takes longer than it.
func (r *reader) poll(ctx context.Context, conn *pgx.Conn, level string, look func(context.Context, *pgx.Conn) (counts, error)) {
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := look(context.WithoutCancel(ctx), conn)
		r.mu.Lock()
		if err != nil {
			r.errs = append(r.errs, fmt.Errorf("%s: %w", level, err))
		} else {
			r.seen[level][got]++
		}
		r.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// polls is how often the reader has looked so far.
func (r *reader) polls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := 0
	for _, seen := range r.seen {
		for _, times := range seen {
			total += times
		}
	}
	return total
}

// oneStatement counts all tables in one statement.
func oneStatement(ctx context.Context, conn *pgx.Conn) (c counts, err error) {
	parts := make([]string, len(watched))
	into := make([]any, len(watched))
	for i, table := range watched {
		parts[i], into[i] = "(SELECT count(*) FROM final."+table+")", &c[i]
	}
	err = conn.QueryRow(ctx, "SELECT "+strings.Join(parts, ", ")).Scan(into...)
	return c, err
}

// oneTransaction counts the tables one after the other in one snapshot.
func oneTransaction(ctx context.Context, conn *pgx.Conn) (c counts, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		for i, table := range watched {
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM final."+table).Scan(&c[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return c, err
}

// sawOnly stops the reader and checks that it saw the tables as they were before
// the import and as they are after it, both, and nothing else.
func (r *reader) sawOnly(t *testing.T, before, after counts) {
	t.Helper()
	until(t, "the readers to see what was published", func() (bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, seen := range r.seen {
			if seen[after] == 0 && len(r.errs) == 0 {
				return false, nil
			}
		}
		return true, nil
	})
	r.stop()
	r.done.Wait()
	for _, err := range r.errs {
		t.Errorf("a reader was disturbed: %v", err)
	}
	const enough = 20
	for level, seen := range r.seen {
		polls := 0
		for got, times := range seen {
			polls += times
			if got != before && got != after {
				t.Errorf("%s: %d times %v = %v, neither as before %v nor as after %v", level, times, watched, got, before, after)
			}
		}
		if seen[before] < enough {
			t.Errorf("%s: of %d polls %d saw the tables as before and %d as after", level, polls, seen[before], seen[after])
		}
		t.Logf("%s: %d polls, %v then %v", level, polls, before, after)
	}
}

// count counts the watched tables now.
func (s *system) count(t *testing.T) (c counts, err error) {
	t.Helper()
	conn, err := s.db.Acquire(t.Context())
	if err != nil {
		return c, err
	}
	defer conn.Release()
	return oneStatement(t.Context(), conn.Conn())
}

// sleeper is a reader that took its snapshot long before it looks: PostgreSQL
// lets it see rows by that snapshot, but tables as they are now.
type sleeper struct{ tx pgx.Tx }

// sleep starts a transaction whose snapshot is taken now.
func (s *system) sleep(t *testing.T) sleeper {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.Env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT count(*) FROM etl.imports"); err != nil {
		t.Fatal(err)
	}
	return sleeper{tx}
}

// wake counts the watched tables by the snapshot, and ends the transaction.
func (z sleeper) wake(t *testing.T) (c counts) {
	t.Helper()
	for i, table := range watched {
		if err := z.tx.QueryRow(t.Context(), "SELECT count(*) FROM final."+table).Scan(&c[i]); err != nil {
			t.Fatalf("a reader was disturbed: %v", err)
		}
	}
	if err := z.tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}
