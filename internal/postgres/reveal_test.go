package postgres_test

import (
	"encoding/json"
	"sync"
	"testing"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/postgres/postgrestest"
)

func revealing(id string) audit.Entry {
	return audit.Entry{
		RequestID: id, Identity: "arn:aws:sts::1:assumed-role/a/b", AccessKeyID: "ASIA", Verified: true, Action: "reveal", ImportID: importID,
		Details: json.RawMessage(`{"reason":"why"}`),
	}
}

const principal = "arn:aws:sts::1:assumed-role/a"

// TestAuditReveal is also the failure table of the entry: its commit fails, or the answer
// is lost, and it is made again; it is entered and counted once.
func TestAuditReveal(t *testing.T) {
	t.Parallel()
	const row = requestID + ` asked arn:aws:sts::1:assumed-role/a/b ASIA t reveal ` + importID + ` {"count": 60, "reason": "why", "principal": "` + principal + `"} -`
	for name, c := range map[string]struct {
		lose   postgrestest.Loss
		before string
	}{"failed, not saved": {postgrestest.LoseRequest, ""}, "failed, but saved": {postgrestest.LoseAnswer, row}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			proxy := postgrestest.Listen(t, o.url)
			db := server.Open(t, proxy.URL)
			proxy.Lose(c.lose)
			if _, _, err := db.AuditReveal(t.Context(), revealing(requestID), principal, 60, 100); !isTransient(err) {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			if got := postgrestest.Scan[string](t, o.conn, auditText); got != c.before {
				t.Errorf("after the failure: %q, want %q", got, c.before)
			}
			if used, entered, err := db.AuditReveal(t.Context(), revealing(requestID), principal, 60, 100); err != nil || !entered || used != 60 {
				t.Errorf("again: %d, %t, %v", used, entered, err)
			}
			if got := postgrestest.Scan[string](t, o.conn, auditText); got != row {
				t.Errorf("etl.audit holds %q, want %q", got, row)
			}
		})
	}
}

// TestAuditRevealCounts: what a principal asked for today counts, and nothing else does.
func TestAuditRevealCounts(t *testing.T) {
	t.Parallel()
	o := open(t)
	ask := func(id, of string, records int, wantUsed int, wantEntered bool) {
		t.Helper()
		used, entered, err := o.db.AuditReveal(t.Context(), revealing(id), of, records, 100)
		if err != nil || used != wantUsed || entered != wantEntered {
			t.Errorf("%d records: used %d, entered %t, %v", records, used, entered, err)
		}
	}
	postgrestest.Exec(t, o.conn, `INSERT INTO etl.audit (request_id, at, stage, identity, verified, action, details)
		VALUES ($1, now() - interval '1 day', 'asked', 'a', true, 'reveal', jsonb_build_object('principal', $2::text, 'count', 90))`, requestID, principal)
	first := revealing("00000000-0000-0000-0000-000000000001")
	first.Stage = audit.Asked
	if err := o.db.Audit(t.Context(), first); err != nil { // the entry that precedes the search
		t.Fatal(err)
	}
	ask("00000000-0000-0000-0000-000000000001", principal, 60, 60, true)
	ask("00000000-0000-0000-0000-000000000002", principal, 41, 60, false)
	ask("00000000-0000-0000-0000-000000000003", principal, 40, 100, true)
	ask("00000000-0000-0000-0000-000000000004", principal, 1, 100, false)
	ask("00000000-0000-0000-0000-000000000005", principal, 0, 100, true)
	ask("00000000-0000-0000-0000-000000000006", "arn:another", 100, 100, true)
}

// TestAuditRevealAtOnce: of requests at the same time, no more are entered than a day
// allows.
func TestAuditRevealAtOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			id := "00000000-0000-0000-0000-00000000000" + string(rune('0'+n))
			if _, _, err := o.db.AuditReveal(t.Context(), revealing(id), principal, 30, 100); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := o.count(t, `SELECT count(*) FROM etl.audit`); got != 3 {
		t.Errorf("%d requests of 30 records were entered, want 3", got)
	}
}
