package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err       error
		transient bool
	}{
		"serialization_failure":       {&pgconn.PgError{Code: "40001"}, true},
		"deadlock_detected":           {&pgconn.PgError{Code: "40P01"}, true},
		"lock_not_available":          {&pgconn.PgError{Code: "55P03"}, true},
		"query_canceled":              {&pgconn.PgError{Code: "57014"}, true},
		"too_many_connections":        {&pgconn.PgError{Code: "53300"}, true},
		"disk_full":                   {&pgconn.PgError{Code: "53100"}, true},
		"admin_shutdown":              {&pgconn.PgError{Code: "57P01"}, true},
		"crash_shutdown":              {&pgconn.PgError{Code: "57P02"}, true},
		"cannot_connect_now":          {&pgconn.PgError{Code: "57P03"}, true},
		"idle_in_transaction_timeout": {&pgconn.PgError{Code: "25P03"}, true},
		"connection_failure":          {&pgconn.PgError{Code: "08006"}, true},
		"io_error":                    {&pgconn.PgError{Code: "58030"}, true},
		"unique_violation":            {&pgconn.PgError{Code: "23505"}, false},
		"not_null_violation":          {&pgconn.PgError{Code: "23502"}, false},
		"undefined_table":             {&pgconn.PgError{Code: "42P01"}, false},
		"invalid_text_representation": {&pgconn.PgError{Code: "22P02"}, false},
		"wrapped":                     {fmt.Errorf("copy: %w", &pgconn.PgError{Code: "40P01"}), true},
		"end of the connection":       {io.ErrUnexpectedEOF, true},
		"closed connection":           {net.ErrClosed, true},
		"network timeout":             {&net.OpError{Op: "read", Err: errors.New("i/o timeout")}, true},
		"deadline":                    {context.DeadlineExceeded, true},
		"transient already":           {&fault.Transient{Op: "read s3", Err: io.EOF}, true},
		"no rows":                     {pgx.ErrNoRows, false},
		"a mistake":                   {errors.New("a mistake"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := postgres.Classify("op", c.err)
			if isTransient(got) != c.transient {
				t.Errorf("%v is transient: %v, want %v", got, !c.transient, c.transient)
			}
			if !strings.HasPrefix(got.Error(), "op: ") {
				t.Errorf("%q does not say what was attempted", got)
			}
		})
	}
	if err := postgres.Classify("op", nil); err != nil {
		t.Errorf("no error is %v", err)
	}
}

// TestClassifyStop: a fault that no retry can mend stays what it is, even where
// something transient is joined to it.
func TestClassifyStop(t *testing.T) {
	t.Parallel()
	stop := &fault.Mismatch{ImportID: importID, Reason: "r"}
	got := postgres.Classify("op", errors.Join(&pgconn.PgError{Code: "40001"}, fmt.Errorf("x: %w", stop)))
	if found, ok := errors.AsType[*fault.Mismatch](got); !ok || found != stop || isTransient(fault.Lift(got)) {
		t.Errorf("got %v", got)
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	db := postgrestest.OpenAs(t, "postgres://u:hunter2@"+closed+"/d?sslmode=disable", 1)
	_, err = postgres.Once(t.Context(), db, unit(0), note("x"))
	if !isTransient(err) {
		t.Errorf("got %v, want a Transient fault", err)
	}
	if strings.Contains(fmt.Sprint(err), "hunter2") {
		t.Error("the error shows the password")
	}
}

// TestNoValues: what PostgreSQL quotes of the data leaves the package nowhere.
func TestNoValues(t *testing.T) {
	t.Parallel()
	o := open(t)
	postgrestest.Exec(t, o.conn, `CREATE TABLE public.secrets (n bigint PRIMARY KEY, d date, CONSTRAINT small CHECK (n < 5000)); GRANT ALL ON public.secrets TO etl_loader`)
	for name, c := range map[string]struct{ statement, code string }{
		"invalid text":     {`SELECT 'tres-secret'::bigint`, "22P02"},
		"invalid date":     {`INSERT INTO public.secrets VALUES (1, ('2024-13-' || '4321')::date)`, "22008"},
		"out of range":     {`SELECT ('4321' || '99999999999999999')::bigint`, "22003"},
		"duplicate key":    {`INSERT INTO public.secrets VALUES (4321), (4321)`, "23505"},
		"check constraint": {`INSERT INTO public.secrets VALUES (54321)`, "23514"},
		"undefined column": {`SELECT nothing FROM public.secrets`, "42703"},
	} {
		err := o.db.Query(t.Context(), "ask", func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, c.statement)
			return err
		})
		server, ok := errors.AsType[*postgres.ServerError](err)
		if !ok || server.Code != c.code {
			t.Errorf("%s: got %v, want SQLSTATE %s", name, err, c.code)
		}
		if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "4321") || strings.Contains(text, "secret-") || strings.Contains(text, "tres") {
			t.Errorf("%s: the error shows a value: %s", name, text)
		}
	}
}

// TestCopyErrorsShowNoValue: the context of a COPY error quotes the row.
func TestCopyErrorsShowNoValue(t *testing.T) {
	t.Parallel()
	o := open(t)
	_, err := postgres.Once(t.Context(), o.db, unit(0), func(ctx context.Context, tx *postgres.Tx) (int64, error) {
		return postgres.CopyFrom(ctx, tx, "public.written", []string{"note"}, strings.NewReader("PGCOPY\n\xff\r\n\x00 tres-secret"))
	})
	if err == nil || strings.Contains(err.Error(), "tres") {
		t.Errorf("got %v", err)
	}
	if isTransient(err) {
		t.Errorf("a damaged stream is retried: %v", err)
	}
}
