package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Version is the version of a file in the landing bucket.
type Version struct {
	Key       string `json:"key"`
	VersionID string `json:"version_id"`
}

// Trace is how often a value occurs in one resource.
type Trace struct {
	Rows    int64 // of the target table
	Events  int64 // of the rows' records, or with the token
	Staged  int64
	Rejects int64     // of the staged records
	Errors  int64     // rows of etl.errors about the staged records
	Files   []Version // from which the rows or staged records came
}

// Trace counts where a value is. target and staged are the conditions on the resource's
// tables. Events are found by client, a token of the column client_id_token, and
// otherwise through the published rows.
func (db *DB) Trace(ctx context.Context, resource string, target, staged Match, client bool) (t Trace, err error) {
	err = db.Query(ctx, "trace in "+resource, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			t = Trace{}
			events := `SELECT count(*) FROM final.events e JOIN t ON (e.import_id, e.generation, e.resource, e.line_number) = (t.import_id, t.generation, $3, t.line_number)`
			if client {
				events = `SELECT count(*) FROM final.events e WHERE e.client_id_token = $1 AND e.resource = $3`
			}
			with := fmt.Sprintf(`WITH t AS (SELECT import_id, generation, line_number FROM %s WHERE %s),
				s AS (SELECT import_id, generation, line_number FROM %s WHERE %s)`,
				Quote("final", resource), target.sql(1), Quote("staging", resource), staged.sql(2))
			if err := tx.QueryRow(ctx, with+` SELECT (SELECT count(*) FROM t), (`+events+`), (SELECT count(*) FROM s),
				(SELECT count(*) FROM etl.rejects r JOIN s ON (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, $3, s.line_number)),
				(SELECT count(*) FROM etl.errors r JOIN s ON (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, $3, s.line_number))`,
				target.Value, staged.Value, resource).Scan(&t.Rows, &t.Events, &t.Staged, &t.Rejects, &t.Errors); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, with+` SELECT DISTINCT f.object_key, f.version_id FROM etl.files f
				JOIN (SELECT * FROM t UNION SELECT * FROM s) o ON (f.import_id, f.generation, f.resource) = (o.import_id, o.generation, $3)
				ORDER BY 1, 2`, target.Value, staged.Value, resource)
			if err != nil {
				return err
			}
			t.Files, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Version])
			return err
		})
	})
	return t, err
}
