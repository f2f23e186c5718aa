package postgres_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

var _ audit.Trail = (*postgres.DB)(nil)

// auditText is what etl.audit holds.
const auditText = `SELECT coalesce(string_agg(concat_ws(' ', request_id, stage, identity, coalesce(access_key_id, '-'), verified, action,
	coalesce(import_id, '-'), coalesce(details::text, '-'), coalesce(outcome, '-')), ', ' ORDER BY audit_id), '') FROM etl.audit`

const requestID = "0b8b7f1e-6b1c-4f53-9f0a-6d1f9a2c3d4e"

// TestAudit is also the failure table of the insertion: its commit fails, or the
// answer is lost, and it is made again.
func TestAudit(t *testing.T) {
	t.Parallel()
	asked := audit.Entry{
		RequestID: requestID, Stage: audit.Asked, Identity: "arn:aws:iam::1:user/a", AccessKeyID: "AKIA", Verified: true,
		Action: "restart", ImportID: importID, Details: json.RawMessage(`{"reason":"why"}`),
	}
	const row = requestID + ` asked arn:aws:iam::1:user/a AKIA t restart ` + importID + ` {"reason": "why"} -`
	for name, c := range map[string]struct {
		lose          postgrestest.Loss
		before, after string
	}{
		"failed, not saved": {postgrestest.LoseRequest, "", row},
		"failed, but saved": {postgrestest.LoseAnswer, row, row + ", " + row},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			proxy := postgrestest.Listen(t, o.url)
			db := server.Open(t, proxy.URL)
			proxy.Lose(c.lose)
			if err := db.Audit(t.Context(), asked); !isTransient(err) {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			if got := postgrestest.Scan[string](t, o.conn, auditText); got != c.before {
				t.Errorf("after the failure: %q, want %q", got, c.before)
			}
			if err := db.Audit(t.Context(), asked); err != nil {
				t.Fatal(err)
			}
			if got := postgrestest.Scan[string](t, o.conn, auditText); got != c.after {
				t.Errorf("etl.audit holds %q, want %q", got, c.after)
			}
		})
	}
}

// TestAuditOfLittle: what is not known is NULL, and the import need not exist.
func TestAuditOfLittle(t *testing.T) {
	t.Parallel()
	o := open(t)
	if err := o.db.Audit(t.Context(), audit.Entry{RequestID: requestID, Stage: audit.Done, Identity: "?", Action: "reveal", Outcome: "refused"}); err != nil {
		t.Fatal(err)
	}
	if got, want := postgrestest.Scan[string](t, o.conn, auditText), requestID+" done ? - f reveal - - refused"; got != want {
		t.Errorf("etl.audit holds %q, want %q", got, want)
	}
}

// TestAuditMalformed: an entry that says nothing is an error of the program.
func TestAuditMalformed(t *testing.T) {
	t.Parallel()
	o := open(t)
	for name, change := range map[string]func(*audit.Entry){
		"no identity":            func(e *audit.Entry) { e.Identity = "" },
		"no action":              func(e *audit.Entry) { e.Action = "" },
		"no request":             func(e *audit.Entry) { e.RequestID = "" },
		"another stage":          func(e *audit.Entry) { e.Stage = "undone" },
		"an outcome before":      func(e *audit.Entry) { e.Outcome = "done" },
		"no outcome after":       func(e *audit.Entry) { e.Stage = audit.Done },
		"details without a name": func(e *audit.Entry) { e.Details = json.RawMessage(`"text"`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := audit.Entry{RequestID: requestID, Stage: audit.Asked, Identity: "arn", Action: "restart"}
			change(&e)
			db := server.Open(t, o.url)
			if err := db.Audit(t.Context(), e); err == nil || fault.Retryable(fault.Name(err)) {
				t.Errorf("got %v, want a fault that no retry heals", err)
			}
		})
	}
}

// TestAuditIsAppendOnly: not even the owner changes or removes a row by mistake.
func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	o := open(t)
	if err := o.db.Audit(t.Context(), audit.Entry{RequestID: requestID, Stage: audit.Asked, Identity: "arn", Action: "restart"}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`UPDATE etl.audit SET identity = 'another'`, `DELETE FROM etl.audit`, `TRUNCATE etl.audit`} {
		_, err := o.conn.Exec(t.Context(), statement)
		if server, ok := errors.AsType[*pgconn.PgError](err); !ok || server.Code != "42501" {
			t.Errorf("%s: got %v, want it refused", statement, err)
		}
	}
	if got := o.count(t, `SELECT count(*) FROM etl.audit WHERE identity = 'arn'`); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}
