//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
)

// obstacle makes PostgreSQL refuse the ledger row of a unit, and with it the
// unit's transaction, the way a full disk would: the machine retries, then the
// execution fails at that step.
type obstacle struct {
	phase, resource string
	chunk           int
}

// obstacleSQL is a trigger of the test's own, outside the product's schemas.
const obstacleSQL = `
	CREATE SCHEMA IF NOT EXISTS e2e;
	CREATE TABLE IF NOT EXISTS e2e.obstacles (phase text, resource text, chunk integer);
	GRANT USAGE ON SCHEMA e2e TO etl_loader; GRANT SELECT ON e2e.obstacles TO etl_loader;
	CREATE OR REPLACE FUNCTION e2e.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF EXISTS (SELECT FROM e2e.obstacles o WHERE (o.phase, o.resource, o.chunk) = (NEW.phase, NEW.resource, NEW.chunk)) THEN
			RAISE EXCEPTION 'an obstacle of the test' USING ERRCODE = '53100';
		END IF;
		RETURN NEW;
	END $$;
	CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON etl.ledger FOR EACH ROW EXECUTE FUNCTION e2e.refuse();`

// place puts an obstacle in the way until it is cleared.
func (s *system) place(t *testing.T, o obstacle) {
	t.Helper()
	s.exec(t, obstacleSQL)
	s.exec(t, `INSERT INTO e2e.obstacles VALUES ($1, $2, $3)`, o.phase, o.resource, o.chunk)
}

// clear removes all obstacles, if there are any, and the means to place them.
func (s *system) clear(t *testing.T) {
	t.Helper()
	s.exec(t, `DROP SCHEMA IF EXISTS e2e CASCADE`)
}

func (s *system) exec(t *testing.T, statement string, arguments ...any) {
	t.Helper()
	if _, err := s.db.Exec(t.Context(), statement, arguments...); err != nil {
		t.Fatal(err)
	}
}

// rowCounter is PostgreSQL's own count of what was inserted into a table since
// it exists, whether it was committed or not.
func (s *system) rowCounter(t *testing.T, table string) int64 {
	t.Helper()
	var inserted int64
	if err := s.db.QueryRow(t.Context(), `SELECT n_tup_ins FROM pg_stat_user_tables WHERE schemaname = 'partitions' AND relname = $1`, table).Scan(&inserted); err != nil {
		t.Fatalf("partitions.%s: %v", table, err)
	}
	return inserted
}

// flushCounters makes the counters complete: a session reports what it did late,
// but at its end at the latest, so the idle sessions of the product are ended.
func (s *system) flushCounters(t *testing.T) {
	t.Helper()
	until(t, "the product's sessions to end", func() (bool, error) {
		var open int
		err := s.db.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
			WHERE application_name LIKE 'etl%' AND datname = current_database() AND pid <> pg_backend_pid()`).Scan(&open)
		return open == 0, err
	})
}

// leaf is the name of a table of one import, such as staging_ventes_….
func leaf(kind, resource string, imp stack.Import, generation string) string {
	parts := []string{kind, resource, strings.ToLower(strings.TrimPrefix(imp.ImportID, "IMPORT_")), generation}
	if resource == "" {
		parts = []string{kind, parts[2], generation}
	}
	return strings.Join(parts, "_")
}

// unit is a row of the ledger.
type unit struct {
	Phase, Resource string
	Chunk           int
	CreatedAt       string
}

// ledger returns the finished units of a generation.
func (s *system) ledger(t *testing.T, imp stack.Import) []unit {
	t.Helper()
	rows, err := s.db.Query(t.Context(), `SELECT phase, resource, chunk, created_at::text FROM etl.ledger
		WHERE import_id = $1 AND generation = $2`, imp.ImportID, imp.Generation)
	if err != nil {
		t.Fatal(err)
	}
	units, err := pgx.CollectRows(rows, pgx.RowToStructByPos[unit])
	if err != nil {
		t.Fatal(err)
	}
	return units
}
