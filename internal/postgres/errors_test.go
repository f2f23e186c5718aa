package postgres_test

import (
	"context"
	"math"
	"testing"

	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

// readSoFar is the number of rows that the transaction has read from the tables of
// etl.
const readSoFar = `SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_xact_user_tables WHERE schemaname = 'etl'`

// TestRejectErrors: the errors of a chunk are read for its rejects, and none of
// those of other chunks, in whatever order the chunks come.
func TestRejectErrors(t *testing.T) {
	t.Parallel()
	const chunks, errors = 100, 50
	o := open(t)
	postgrestest.Exec(t, o.conn, `INSERT INTO etl.errors SELECT $1, 1, 'f', 'plain', (n - 2) / $2::int, n, 'x', rule, 'Texte.', 'étape'
		FROM generate_series(2, 1 + $2::int * $3::int) n, unnest('{required,type}'::text[]) rule`, importID, errors, chunks)
	o.inTxOf(t, o.conn, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Execute(ctx, `SET LOCAL enable_seqscan = off`); err != nil { // so small a table may well be read whole
			return err
		}
		before := postgrestest.Scan[int64](t, o.conn, readSoFar)
		for chunk := chunks - 1; chunk >= 0; chunk-- {
			last := int64(1 + (chunk+1)*errors)
			if chunk == chunks-1 {
				last = math.MaxInt64
			}
			unit := postgres.Unit{ImportID: importID, Generation: 1, Phase: "Validate", Resource: "plain", Chunk: chunk}
			if err := postgres.RejectErrors(ctx, tx, unit, postgres.Lines{First: int64(2 + chunk*errors), Last: last}); err != nil {
				return err
			}
		}
		if n := o.count(t, `SELECT count(*) FROM etl.rejects`); n != chunks*errors {
			t.Errorf("%d rejects", n)
		}
		read := postgrestest.Scan[int64](t, o.conn, readSoFar) - before
		if most := int64(4 * chunks * errors); read > most { // two errors a line, and the count above
			t.Errorf("%d rows are read for %d errors", read, 2*chunks*errors)
		}
		return nil
	})
}
