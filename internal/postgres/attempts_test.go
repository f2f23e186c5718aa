package postgres_test

import (
	"testing"
	"time"

	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
)

// attemptsText is what etl.attempts holds.
const attemptsText = `SELECT coalesce(string_agg(concat_ws(' ', attempt, generation, kind, trigger, execution_arn, failed_step, failed_reason,
	to_char(created_at AT TIME ZONE 'UTC', 'HH24:MI')), ', ' ORDER BY attempt), '') FROM etl.attempts`

// TestRecordAttempts is also the failure table of the copy: its commit fails, or
// the answer is lost, and it is made again, with one attempt more.
func TestRecordAttempts(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 10, 9, 15, 0, 0, 0, time.UTC)
	attempts := []registry.Attempt{
		{Number: 1, Kind: "start", Trigger: "file", At: at, Generation: 1, ExecutionARN: "arn:1"},
		{Number: 2, Kind: "resume", Trigger: "console", At: at.Add(time.Hour), Generation: 1, ExecutionARN: "arn:1", FailedStep: "step", FailedReason: "reason"},
	}
	const first, both = "1 1 start file arn:1 15:00", "1 1 start file arn:1 15:00, 2 1 resume console arn:1 step reason 16:00"
	for name, c := range map[string]struct {
		lose postgrestest.Loss
		want string // after the failure
	}{
		"failed, not saved": {postgrestest.LoseRequest, ""},
		"failed, but saved": {postgrestest.LoseAnswer, first},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			proxy := postgrestest.Listen(t, o.url)
			db := server.Open(t, proxy.URL)
			proxy.Lose(c.lose)
			if err := db.RecordAttempts(t.Context(), importID, attempts[:1]); !isTransient(err) {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			if got := postgrestest.Scan[string](t, o.conn, attemptsText); got != c.want {
				t.Errorf("after the failure: %q, want %q", got, c.want)
			}
			for range 2 {
				if err := db.RecordAttempts(t.Context(), importID, attempts); err != nil {
					t.Fatal(err)
				}
				if got := postgrestest.Scan[string](t, o.conn, attemptsText); got != both {
					t.Errorf("etl.attempts holds %q, want %q", got, both)
				}
			}
		})
	}
}

// TestSupersededAttempts: a phase of an earlier generation records nothing.
func TestSupersededAttempts(t *testing.T) {
	t.Parallel()
	o := open(t)
	attempts := []registry.Attempt{{Number: 1, Kind: "start", At: time.Now(), Generation: 1}}
	if err := o.db.RecordAttemptsAs(t.Context(), importID, 2, attempts); !isSuperseded(err) {
		t.Errorf("got %v, want Superseded", err)
	}
	for _, want := range []int{0, 1} {
		if got := postgrestest.Scan[int](t, o.conn, `SELECT count(*)::int FROM etl.attempts`); got != want {
			t.Errorf("%d attempts, want %d", got, want)
		}
		if err := o.db.RecordAttemptsAs(t.Context(), importID, 1, attempts); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecordAttemptsOfAnUnknownImport: an import that never reached the database
// has attempts all the same.
func TestRecordAttemptsOfAnUnknownImport(t *testing.T) {
	t.Parallel()
	o := open(t)
	if err := o.db.RecordAttempts(t.Context(), "IMPORT_20241009_150000_999", []registry.Attempt{{Number: 1, Kind: "start", At: time.Now(), Generation: 1}}); err != nil {
		t.Fatal(err)
	}
	if got := postgrestest.Scan[int](t, o.conn, `SELECT count(*)::int FROM etl.attempts`); got != 1 {
		t.Errorf("%d attempts", got)
	}
}
