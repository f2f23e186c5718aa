package setrule

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

// treeShape is a file whose shape is hard on a careless statement. The keys are 1
// to size, in the order of lines.
type treeShape struct {
	name   string
	parent string // SQL: the parent of the key n among size
	wrong  bool   // every record is to be rejected
}

var treeShapes = []treeShape{
	{"cycle", "n % size + 1", true},
	{"chain", "nullif(n - 1, 0)", false},
	{"chain backwards", "nullif(n + 1, size + 1)", false},
	{"chain without its root", "coalesce(nullif(n - 1, 0), size + 1)", true},
	{"chain below a record of its own parent", "greatest(n - 1, 1)", true},
	{"star", "CASE WHEN n > 1 THEN 1 END", false},
	{"star without its root", "size + 1", true},
	{"pairs", "n + CASE n % 2 WHEN 1 THEN 1 ELSE -1 END", true},
	{"tree", "nullif(n / 10, 0)", false},
}

// fill stages so many records of a shape in a transaction.
func (f *forest) fill(tb testing.TB, shape treeShape, size int) pgx.Tx {
	tb.Helper()
	tx, err := f.conn.Begin(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(tb.Context())) })
	f.load(tb, tx, f.pkg.Resource("plain"), fmt.Sprintf(
		`(SELECT n + 1 AS line_number, n AS key, %s AS parent, false AS rejected FROM generate_series(1, %[2]d::bigint) n, (VALUES (%[2]d::bigint)) s(size)) r`, shape.parent, size))
	return tx
}

// check compares the number of rejects, and of their reasons, with the shape's.
func (shape treeShape) check(tb testing.TB, tx pgx.Tx, size int) {
	tb.Helper()
	want := 0
	if shape.wrong {
		want = size
	}
	for _, table := range []string{"errors", "rejects"} {
		if n := postgrestest.Scan[int](tb, tx.Conn(), `SELECT count(*)::int FROM etl.`+table); n != want {
			tb.Errorf("%d %s, want %d", n, table, want)
		}
	}
}

// touching counts the rows that statements read from tables and indexes before
// the tables are dropped.
type touching struct {
	*postgres.Tx
	rows       int64
	statements int64
}

// readSoFar is the number of rows that the transaction has read from tables that
// are there now.
const readSoFar = `SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_xact_user_tables WHERE schemaname IN ('partitions', 'etl')`

func (t *touching) Execute(ctx context.Context, sql string, args ...any) (int64, error) {
	t.statements++
	if strings.Contains(sql, "etl.drop_scratch(") {
		var err error
		if t.rows, err = t.Count(ctx, readSoFar); err != nil {
			return 0, err
		}
	}
	return t.Tx.Execute(ctx, sql, args...)
}

// TestTreeGrowth: whatever the shape, the rows that are read grow as the file,
// and the statements hardly.
func TestTreeGrowth(t *testing.T) {
	t.Parallel()
	const (
		size          = 5000
		rowsARecord   = 40
		maxStatements = 150 // four and a few a round, log(5000)/log(4/3) rounds
	)
	f := newForest(t)
	for _, shape := range treeShapes {
		t.Run(shape.name, func(t *testing.T) {
			tx := f.fill(t, shape, size)
			before := postgrestest.Scan[int64](t, f.conn, readSoFar)
			counted := &touching{Tx: transactionOf(tx)}
			if err := applyAll(t.Context(), counted, f.scope, f.pkg, "plain"); err != nil {
				t.Fatal(err)
			}
			if read := counted.rows - before; counted.rows == 0 || read > size*rowsARecord || counted.statements > maxStatements {
				t.Errorf("%d rows read for %d records, by %d statements", read, size, counted.statements)
			}
			shape.check(t, tx, size)
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// maxBackendMemory is what a session of the database may take for a relation of a
// resource to itself.
const maxBackendMemory = 256 << 20

// TestTreeMemory: the session that judges a cycle, a chain or a star of 100,000
// records stays far below the bound. The server must run on this machine, as the
// one of the local stack does: it is watched from outside.
func TestTreeMemory(t *testing.T) {
	t.Parallel()
	const size = 100_000
	f := newForest(t)
	for _, shape := range treeShapes {
		if !slices.Contains([]string{"cycle", "chain below a record of its own parent", "star"}, shape.name) {
			continue // of the same kind as these
		}
		t.Run(shape.name, func(t *testing.T) {
			used := f.measure(t, shape, size)
			if used.peak > maxBackendMemory {
				t.Errorf("%d MiB", used.peak>>20)
			}
		})
	}
}

// treeUse is what a shape took.
type treeUse struct {
	seconds, cpu float64
	before, peak int64 // bytes of memory of the session's own
}

// measure applies the rules to so many records of a shape, watching the session.
func (f *forest) measure(tb testing.TB, shape treeShape, size int) treeUse {
	tb.Helper()
	tx := f.fill(tb, shape, size)
	session := watch(tb, postgrestest.Scan[int](tb, f.conn, `SELECT pg_backend_pid()`))
	began := time.Now()
	if err := applyAll(tb.Context(), transactionOf(tx), f.scope, f.pkg, "plain"); err != nil {
		tb.Fatal(err)
	}
	used := session.stop()
	used.seconds = time.Since(began).Seconds()
	shape.check(tb, tx, size)
	if err := tx.Rollback(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return used
}

// watched is a process of the database whose memory is looked at all the time.
type watched struct {
	pid  int
	end  chan struct{}
	done sync.WaitGroup
	used treeUse
}

func watch(tb testing.TB, pid int) *watched {
	tb.Helper()
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || !bytes.HasPrefix(name, []byte("postgres")) {
		tb.Fatalf("process %d is no session of PostgreSQL on this machine (%q, %v)", pid, name, err)
	}
	w := &watched{pid: pid, end: make(chan struct{})}
	w.used.before, w.used.cpu = w.memory(), -w.cpu()
	w.done.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			w.used.peak = max(w.used.peak, w.memory())
			select {
			case <-w.end:
				return
			case <-tick.C:
			}
		}
	})
	return w
}

func (w *watched) stop() treeUse {
	close(w.end)
	w.done.Wait()
	w.used.cpu += w.cpu()
	return w.used
}

// memory is the process's own resident memory, without what it shares with the
// other processes of the database.
func (w *watched) memory() int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.pid))
	_, after, _ := bytes.Cut(text, []byte("RssAnon:"))
	fields := bytes.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return n << 10
}

// cpu is the processor time that the process has used, in seconds.
func (w *watched) cpu() float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.pid))
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	var ticks float64
	for _, f := range fields[11:13] { // user and system, in hundredths (proc(5))
		n, _ := strconv.ParseFloat(string(f), 64)
		ticks += n
	}
	return ticks / 100
}

// BenchmarkSetRulesTrees measures a relation of a resource to itself over ROWS
// records (1 million unless the environment says otherwise) of every shape. It
// fails above a minute of the session's processor time, or above 256 MiB of its
// memory.
func BenchmarkSetRulesTrees(b *testing.B) {
	size, err := strconv.Atoi(os.Getenv("ROWS"))
	if err != nil {
		size = 1_000_000
	}
	for _, shape := range treeShapes {
		b.Run(shape.name, func(b *testing.B) {
			used := newForest(b).measure(b, shape, size)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(used.seconds, "s")
			b.ReportMetric(used.cpu, "CPU-s")
			b.ReportMetric(float64(used.before>>20), "MiB-before")
			b.ReportMetric(float64(used.peak>>20), "MiB-peak")
			if used.peak > maxBackendMemory || used.cpu > time.Minute.Seconds() {
				b.Errorf("%+v", used)
			}
		})
	}
}
