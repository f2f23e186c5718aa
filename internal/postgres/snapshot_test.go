package postgres_test

import (
	"strings"
	"testing"

	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestWhoIsAReader: what serves no client is waited for neither by a role that
// sees the types of all backends nor by one that does not (pg_read_all_stats):
// then the type is NULL, and so is the role of an autovacuum.
func TestWhoIsAReader(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	b.migrated(t)
	reader := postgrestest.Connect(t, b.squat)
	postgrestest.Exec(t, reader, `BEGIN ISOLATION LEVEL REPEATABLE READ`)
	pid := postgrestest.Scan[int](t, reader, `SELECT pg_backend_pid()`)
	if postgrestest.Scan[bool](t, b.conn, `SELECT backend_type IS NOT NULL OR usesysid IS NULL FROM pg_stat_activity WHERE pid = $1`, pid) {
		t.Fatal("the product's role sees more of another's session than it is allowed")
	}
	for name, c := range map[string]struct {
		seen string // of pg_stat_activity: type of the backend and its role
		want int
	}{
		"a client":                         {`'client backend', 10::oid`, 1},
		"a client whose type is hidden":    {`NULL, 10::oid`, 1},
		"an autovacuum":                    {`'autovacuum worker', NULL::oid`, 0},
		"an autovacuum, its type hidden":   {`NULL, NULL::oid`, 0},
		"a worker of a client's statement": {`'parallel worker', 10::oid`, 0},
	} {
		simulated := `(SELECT pid, backend_xmin, datname, s.backend_type, s.usesysid FROM pg_stat_activity
			CROSS JOIN (SELECT ` + c.seen + `) s(backend_type, usesysid) WHERE pid = $1) a`
		query := strings.Replace(postgres.OlderReaders, "pg_stat_activity a", simulated, 1)
		if got := b.count(t, `SELECT count(*) FROM (`+query+`) q`, pid); got != c.want {
			t.Errorf("%s is counted %d times, want %d", name, got, c.want)
		}
	}
}
