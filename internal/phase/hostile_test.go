package phase_test

import (
	"fmt"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
)

// TestSquatter runs the whole line in both modes with the documented rights in a
// database into which another login may connect, and whose schema public is open
// to it, as by default until PostgreSQL 14. That login has filled public with
// look-alikes, its sessions bear the writers' names, and it holds the lock that
// goose takes by default. Nothing of it is called, and it stops nothing.
func TestSquatter(t *testing.T) {
	t.Parallel()
	squatter := server.Login(t)
	admin := server.Granted(t, false)
	postgrestest.Exec(t, postgrestest.Connect(t, admin), `GRANT CREATE ON SCHEMA public TO PUBLIC`)
	squat := postgrestest.Connect(t, squatter.URL(admin))
	called := postgrestest.Squat(t, squat)
	postgrestest.Exec(t, squat, `SELECT pg_advisory_lock(4097083626)`)
	for n := range 8 { // generations 1 and 2 of the first four imports
		name := fmt.Sprintf("etl:IMPORT_20241009_150000_%03d:g%d", n/2+1, n%2+1)
		postgrestest.Exec(t, postgrestest.Connect(t, squatter.URL(admin)), `SELECT set_config('application_name', $1, false)`, name)
	}
	url := server.Owner(admin)
	if _, err := postgrestest.OpenAs(t, url, 2).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := newLineOn(t, url)
	postgrestest.Exec(t, l.conn, `SET search_path = pg_catalog`) // the test's own questions
	history := day().only("paiements")
	initial := l.upload(t, etl.ModeInitial, "2024-10-07", history.csv(t)).all(t)
	l.expectPublished(t, initial, history, map[string]int64{})

	restarted := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t))
	restarted.through(t, "Open", "IndexStaging")
	imp := registry.Import{ImportID: restarted.imp.ImportID, Generation: 1, Mode: etl.ModeDaily, FileDate: "2024-10-08"}
	if generation, err := l.db.Restart(t.Context(), imp, false); err != nil || generation != 2 {
		t.Fatalf("restarted as %d, %v", generation, err)
	}
	imp.Generation = 2
	if err := l.db.Abandon(t.Context(), imp); err != nil {
		t.Fatal(err)
	}
	daily := l.upload(t, etl.ModeDaily, "2024-10-09", day().csv(t)).all(t)
	if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(status, ', ' ORDER BY import_id) FROM etl.imports`); got != "réussi, abandonné, réussi" {
		t.Errorf("the imports are %s", got)
	}
	if got := l.count(t, `SELECT count(*) FROM final.events WHERE import_id = $1`, daily.imp.ImportID); got == 0 {
		t.Error("the day has no events")
	}
	if n := called(); n != 0 {
		t.Errorf("the squatter's code ran %d times", n)
	}
}
