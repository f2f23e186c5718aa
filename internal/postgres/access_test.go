package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
)

// TestClassifyDenied: a missing right and a refused login have a name of their
// own, and are never retried by the machine.
func TestClassifyDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server           pgconn.PgError
		action, resource string
	}{
		"a table":       {pgconn.PgError{Code: "42501", Message: "permission denied for table imports"}, "accès dans PostgreSQL", "table imports"},
		"a schema":      {pgconn.PgError{Code: "42501", Message: "permission denied for schema etl"}, "accès dans PostgreSQL", "schema etl"},
		"an owner":      {pgconn.PgError{Code: "42501", Message: "must be owner of table events"}, "accès dans PostgreSQL", "table events"},
		"a session":     {pgconn.PgError{Code: "42501", Message: "permission denied to terminate process"}, "accès dans PostgreSQL", ""},
		"a password":    {pgconn.PgError{Code: "28P01", Message: `password authentication failed for user "etl"`}, "connexion à PostgreSQL", ""},
		"no such login": {pgconn.PgError{Code: "28000", Message: `role "etl" does not exist`}, "connexion à PostgreSQL", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.server.Detail = "tres-secret"
			for _, cause := range []error{&c.server, fmt.Errorf("connect: %w", &c.server), &fault.Transient{Op: "x", Err: &c.server}} {
				err := fault.Lift(postgres.Classify("Stage clients 3", cause))
				denied, ok := errors.AsType[*fault.AccessDenied](err)
				if !ok || denied.Action != c.action || denied.Resource != c.resource || fault.Retryable(fault.Name(err)) {
					t.Fatalf("got %T %v", err, err)
				}
				for _, part := range []string{c.action, c.resource, "Stage clients 3", c.server.Code, c.server.Message} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q does not say %s", err, part)
					}
				}
				if strings.Contains(fmt.Sprintf("%+v", err), "tres") {
					t.Errorf("%v shows a value", err)
				}
			}
		})
	}
}

// waiting is a patience whose time passes by sleeping; before each sleep it calls
// meanwhile.
func waiting(meanwhile func(n int)) *fault.Patience {
	now, sleeps := time.Unix(0, 0), 0
	return &fault.Patience{
		Now: func() time.Time { return now },
		Sleep: func(_ context.Context, d time.Duration) error {
			sleeps++
			meanwhile(sleeps)
			now = now.Add(d)
			return nil
		},
	}
}

// TestPasswordChanges: a login that is refused is asked for again, so that a
// function outlives the rotation of the database's secret.
func TestPasswordChanges(t *testing.T) {
	t.Parallel()
	o := open(t)
	wrong, err := url.Parse(o.url)
	if err != nil {
		t.Fatal(err)
	}
	wrong.User = url.UserPassword(wrong.User.Username(), "outdated")
	current := wrong.String()
	rotate := func(n int) {
		if n == 2 {
			current = o.url
		}
	}
	db := postgres.Open(func(context.Context) (string, error) { return current, nil }, "test", 1, waiting(rotate))
	t.Cleanup(db.Close)
	if _, err := postgres.Once(t.Context(), db, unit(0), note("x")); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
	if o.written(t) != 1 {
		t.Errorf("%d rows", o.written(t))
	}
}

// TestNoLogin: a login that stays refused is named after ten seconds, without the
// password.
func TestNoLogin(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(server.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "hunter2")
	sleeps := 0
	db := postgres.Open(func(context.Context) (string, error) { return u.String(), nil }, "test", 1, waiting(func(n int) { sleeps = n }))
	t.Cleanup(db.Close)
	_, err = postgres.Once(t.Context(), db, unit(0), note("x"))
	if denied, ok := errors.AsType[*fault.AccessDenied](fault.Lift(err)); !ok || sleeps == 0 || strings.Contains(denied.Error(), "hunter2") {
		t.Errorf("got %v after %d pauses", err, sleeps)
	}
}

// TestSecretRefused: a secret that may not be read is the fault of the step that
// needs it.
func TestSecretRefused(t *testing.T) {
	t.Parallel()
	refused := &fault.AccessDenied{Op: "read the secret", Action: "secretsmanager:GetSecretValue", Err: errors.New("cause")}
	sleeps := 0
	db := postgres.Open(func(context.Context) (string, error) { return "", refused }, "test", 1, waiting(func(n int) { sleeps = n }))
	t.Cleanup(db.Close)
	err := db.Query(t.Context(), "ask", func(context.Context, *pgx.Conn) error { return nil })
	if fault.Lift(err) != error(refused) || sleeps > 0 { //nolint:errorlint // the very same
		t.Errorf("got %v after %d pauses; the client that read the secret has waited already", err, sleeps)
	}
}

// TestEndStatements: the server ends the statements of a function in the function's time.
func TestEndStatements(t *testing.T) {
	t.Parallel()
	url := server.URL(t)
	for want, db := range map[string]*postgres.DB{"14min": server.Open(t, url), "20s": server.Open(t, url).EndStatements(20 * time.Second)} {
		var got string
		if err := db.Query(t.Context(), "read", func(ctx context.Context, conn *pgx.Conn) error {
			return conn.QueryRow(ctx, `SHOW statement_timeout`).Scan(&got)
		}); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}
