package phase

import (
	"fmt"
	"testing"

	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/record"
)

// read returns how many rows a function reads, in a transaction that is rolled
// back, from the tables that fill makes.
func (f *forest) read(t *testing.T, fill, run func(s *setRules) error) int64 {
	t.Helper()
	tx, err := f.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &setRules{tx: tx, imp: f.imp, pkg: f.pkg, resource: f.pkg.Resource("plain")}
	if err := fill(s); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), setRuleSettings); err != nil {
		t.Fatal(err)
	}
	before := postgrestest.Scan[int64](t, f.conn, readSoFar)
	if err := run(s); err != nil {
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
		if n := f.read(t, func(s *setRules) error {
			f.load(t, s.tx, f.pkg.Resource("plain"), rowsOf(size, "n", "NULL::bigint"))
			f.load(t, s.tx, f.pkg.Resource("loose"), rowsOf(size, "n", parent))
			return nil
		}, func(s *setRules) error {
			s.resource = f.pkg.Resource("loose")
			return s.relation(t.Context(), relation)
		}); n > 2*size*rowsARecord {
			t.Errorf("parent %s: %d rows are read for %d records", parent, n, 2*size)
		}
	}
	if n := f.read(t, func(s *setRules) error {
		f.load(t, s.tx, s.resource, rowsOf(size, "1", "NULL::bigint"))
		return nil
	}, func(s *setRules) error { return s.unique(t.Context(), "primaryKey", s.resource.Key) }); n > size*rowsARecord {
		t.Errorf("one key: %d rows are read for %d records", n, size)
	}
}

// TestRejectErrors: the errors of a chunk are read for its rejects, and none of
// those of other chunks, in whatever order the chunks come.
func TestRejectErrors(t *testing.T) {
	t.Parallel()
	const chunks, errors = 100, 50
	f := newForest(t)
	in := func(chunk int) ChunkIn {
		c := Chunk{File: File{Resource: "plain"}, Range: record.Chunk{Index: chunk, FirstLine: int64(2 + chunk*errors)}}
		if chunk < chunks-1 {
			c.NextLine = int64(2 + (chunk+1)*errors)
		}
		return ChunkIn{Import: f.imp, Chunk: c}
	}
	read := f.read(t, func(s *setRules) error {
		f.exec(t, `INSERT INTO etl.errors SELECT $1, 1, 'f', 'plain', (n - 2) / $2::int, n, 'x', rule, 'Texte.', 'étape'
			FROM generate_series(2, 1 + $2::int * $3::int) n, unnest('{required,type}'::text[]) rule`, f.imp.ImportID, errors, chunks)
		return nil
	}, func(s *setRules) error {
		f.exec(t, `SET LOCAL enable_seqscan = off`) // so small a table may well be read whole
		for chunk := chunks - 1; chunk >= 0; chunk-- {
			if err := rejectErrors(t.Context(), s.tx, in(chunk)); err != nil {
				return err
			}
		}
		if n := postgrestest.Scan[int](t, f.conn, `SELECT count(*)::int FROM etl.rejects`); n != chunks*errors {
			t.Errorf("%d rejects", n)
		}
		return nil
	})
	if most := int64(4 * chunks * errors); read > most { // two errors a line, and the count above
		t.Errorf("%d rows are read for %d errors", read, 2*chunks*errors)
	}
}
