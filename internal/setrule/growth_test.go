package setrule

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/postgres/postgrestest"
)

// read returns how many rows a function reads, in a transaction that is rolled
// back, from the tables that fill makes.
func (f *forest) read(t *testing.T, fill func(pgx.Tx), run func(*writer) error) int64 {
	t.Helper()
	tx, err := f.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{tx: transactionOf(tx), scope: f.scope, pkg: f.pkg, resource: f.pkg.Resource("plain")}
	fill(tx)
	if _, err := tx.Exec(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	before := postgrestest.Scan[int64](t, f.conn, readSoFar)
	if err := run(w); err != nil {
		t.Fatal(err)
	}
	after := postgrestest.Scan[int64](t, f.conn, readSoFar)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	return after - before
}

// rowsOf is a table expression for load: so many rows with a key and a parent.
func rowsOf(size int, key, parent string) string {
	return fmt.Sprintf(`(SELECT n + 1 AS line_number, %s AS key, %s AS parent, n %% 2 = 0 AS rejected FROM generate_series(1, %d::bigint) n) r`, key, parent, size)
}

// TestSetRulesGrowth: a file in which every record has the same key, and one whose
// records all have the same parent, are read once or twice, also if the planner
// takes the rejects for far fewer than they are.
func TestSetRulesGrowth(t *testing.T) {
	t.Parallel()
	const size, rowsARecord = 20_000, 5
	f := newForest(t)
	for _, parent := range []string{"1", "n", "n + 1000000"} {
		f.exec(t, `INSERT INTO etl.rejects SELECT 'other', 1, 'plain', n FROM generate_series(1, 50000) n ON CONFLICT DO NOTHING; ANALYZE etl.rejects`)
		relation := f.pkg.Resource("loose").Relations[0]
		relation.Resource = "plain"
		if n := f.read(t, func(tx pgx.Tx) {
			f.load(t, tx, f.pkg.Resource("plain"), rowsOf(size, "n", "NULL::bigint"))
			f.load(t, tx, f.pkg.Resource("loose"), rowsOf(size, "n", parent))
		}, func(w *writer) error {
			w.resource = f.pkg.Resource("loose")
			return w.relation(t.Context(), relation)
		}); n > 2*size*rowsARecord {
			t.Errorf("parent %s: %d rows are read for %d records", parent, n, 2*size)
		}
	}
	if n := f.read(t, func(tx pgx.Tx) {
		f.load(t, tx, f.pkg.Resource("plain"), rowsOf(size, "1", "NULL::bigint"))
	}, func(w *writer) error { return w.unique(t.Context(), "primaryKey", w.resource.Key) }); n > size*rowsARecord {
		t.Errorf("one key: %d rows are read for %d records", n, size)
	}
}
