package postgres_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	os.Exit(postgrestest.Run(m.Run, func(s *postgrestest.Server) { server = s }))
}

const importID = "IMPORT_20241009_150000_001"

// opened is a database with one import at generation 1, and a table for what
// tests write.
type opened struct {
	url  string
	db   *postgres.DB // the loader's
	conn *pgx.Conn    // the test's own, the owner's
}

func open(t *testing.T) *opened {
	t.Helper()
	url := server.URL(t)
	o := &opened{url: url, db: server.Open(t, url), conn: postgrestest.Connect(t, url)}
	postgrestest.Exec(t, o.conn, `CREATE TABLE public.written (note text NOT NULL); GRANT ALL ON public.written TO etl_loader`)
	o.addImport(t, importID)
	return o
}

func (o *opened) addImport(t *testing.T, id string) {
	t.Helper()
	postgrestest.Exec(t, o.conn, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash)
		VALUES ($1, 'daily', '2024-10-08', 'en cours', 1, 'hash')`, id)
}

// count runs a query that counts.
func (o *opened) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	return postgrestest.Scan[int](t, o.conn, query, args...)
}

func (o *opened) written(t *testing.T) int {
	t.Helper()
	return o.count(t, `SELECT count(*) FROM public.written`)
}

func (o *opened) ledger(t *testing.T) int {
	t.Helper()
	return o.count(t, `SELECT count(*) FROM etl.ledger`)
}

// waitBlocked returns when a session of the database waits for a lock.
func (o *opened) waitBlocked(t *testing.T) {
	t.Helper()
	conn := postgrestest.Connect(t, o.url)
	for postgrestest.Scan[int](t, conn, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 0 {
		if t.Context().Err() != nil {
			t.Fatal("no session waits for a lock")
		}
	}
}

// inTx runs f in a transaction of the loader.
func (o *opened) inTx(t *testing.T, f func(context.Context, *postgres.Tx) error) {
	t.Helper()
	conn := postgrestest.Connect(t, server.Loader(o.url))
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	o.inTxOf(t, conn, f)
}

// inTxOf runs f in a transaction of a connection.
func (o *opened) inTxOf(t *testing.T, conn *pgx.Conn, f func(context.Context, *postgres.Tx) error) {
	t.Helper()
	if err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error { return f(t.Context(), postgres.NewTx(tx, unit(0))) }); err != nil {
		t.Fatal(err)
	}
}
