package postgres_test

import (
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
)

// stateOf is what SQL users read of an import's state.
func (o *opened) stateOf(t *testing.T, importID string) string {
	t.Helper()
	return postgrestest.Scan[string](t, o.conn, `SELECT concat_ws('|', status, generation, attempt, coalesce(failed_step, '-'), coalesce(failed_reason, '-'))
		FROM etl.imports WHERE import_id = $1`, importID)
}

// TestRecordState: of copies that come late or twice the newest state stands; what
// an import published, and that it was given up, no copy overwrites.
func TestRecordState(t *testing.T) {
	t.Parallel()
	o := open(t)
	record := func(attempt, generation int, status etl.Status, step etl.Step, want string) {
		t.Helper()
		imp := numbered("IMPORT_20241009_150000_777", generation)
		imp.Attempts, imp.Status, imp.Step = attempt, status, step
		if step != "" {
			imp.Reason = "raison"
		}
		if err := o.db.RecordState(t.Context(), imp); err != nil {
			t.Fatal(err)
		}
		if got := o.stateOf(t, imp.ImportID); got != want {
			t.Errorf("attempt %d of generation %d %s: %s, want %s", attempt, generation, status, got, want)
		}
	}
	old := numbered("IMPORT_20241009_150000_777", 1)
	record(1, 1, etl.StatusFailed, "Chargement", "échoué|1|1|Chargement|raison") // it had no row
	if err := o.db.Enter(t.Context(), old, "hash"); err != nil {
		t.Fatal(err)
	}
	record(2, 1, etl.StatusRunning, "", "en cours|1|2|-|-")
	record(1, 1, etl.StatusFailed, "Chargement", "en cours|1|2|-|-") // late
	record(2, 1, etl.StatusFailed, "Validation", "échoué|1|2|Validation|raison")
	record(2, 1, etl.StatusRunning, "", "échoué|1|2|Validation|raison") // late
	record(2, 1, etl.StatusFailed, "Validation", "échoué|1|2|Validation|raison")
	attempts := []registry.Attempt{{Number: 1, Generation: 1}, {Number: 2, Generation: 1}, {Number: 3, Generation: 1}}
	if err := o.db.RecordAttemptsAs(t.Context(), old.ImportID, 1, attempts); err != nil {
		t.Fatal(err)
	}
	if got := o.stateOf(t, old.ImportID); got != "en cours|1|3|-|-" {
		t.Errorf("a phase that runs leaves %s", got)
	}
	record(3, 1, etl.StatusFailed, "Validation", "échoué|1|3|Validation|raison")
	if _, err := o.db.Restart(t.Context(), old, false); err != nil {
		t.Fatal(err)
	}
	record(3, 1, etl.StatusFailed, "Validation", "en cours|2|3|-|-") // of the old generation
	postgrestest.Exec(t, o.conn, `UPDATE etl.imports SET status = 'réussi', published_generation = 2`)
	record(4, 2, etl.StatusFailed, "Persistance", "réussi|2|3|-|-") // failed after it was published
	if _, err := o.db.Restart(t.Context(), numbered(old.ImportID, 2), true); err != nil {
		t.Fatal(err)
	}
	record(5, 3, etl.StatusFailed, "Chargement", "échoué|3|5|Chargement|raison")
	if err := o.db.Abandon(t.Context(), numbered(old.ImportID, 3)); err != nil {
		t.Fatal(err)
	}
	record(9, 4, etl.StatusFailed, "Chargement", "abandonné|4|5|-|-")
}
