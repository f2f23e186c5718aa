package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

// beside is a database in which the product has the documented rights, and
// another login none.
type beside struct {
	*opened
	admin    *pgx.Conn
	squatter postgrestest.Login
	squat    string // the squatter's connection string
}

func newBeside(t *testing.T) *beside {
	t.Helper()
	squatter := server.Login(t)
	admin := server.Granted(t, false)
	b := &beside{opened: &opened{url: server.Owner(admin)}, admin: postgrestest.Connect(t, admin), squatter: squatter, squat: squatter.URL(admin)}
	postgrestest.Exec(t, b.admin, `GRANT CREATE ON SCHEMA public TO PUBLIC`) // as PostgreSQL 14 does
	return b
}

// migrated opens the product's access, and one import.
func (b *beside) migrated(t *testing.T) {
	t.Helper()
	wide := postgrestest.OpenAs(t, b.url, 2)
	if _, err := wide.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.db, b.conn = server.Open(t, b.url), postgrestest.Connect(t, b.url)
	postgrestest.Exec(t, b.conn, `SET search_path = pg_catalog; CREATE TABLE IF NOT EXISTS public.written (note text); GRANT ALL ON public.written TO etl_loader`)
	b.addImport(t, importID)
}

// connect opens a connection of the squatter that bears the name of a writer.
func (b *beside) connect(t *testing.T, application string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(b.squat)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// TestDocumentedRightsSuffice: with the documented rights and no other, public
// closed and nobody else admitted, everything works.
func TestDocumentedRightsSuffice(t *testing.T) {
	t.Parallel()
	admin := server.Granted(t, true)
	conn := postgrestest.Connect(t, admin)
	postgrestest.Exec(t, conn, `REVOKE ALL ON SCHEMA public FROM PUBLIC`)
	owner := server.Owner(admin)
	for range 2 {
		if _, err := postgrestest.OpenAs(t, owner, 2).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := postgrestest.Scan[int](t, conn, `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace`); got != 0 {
		t.Errorf("%d relations in public", got)
	}
	o := &opened{url: owner, db: server.Open(t, owner), conn: postgrestest.Connect(t, owner)}
	o.addImport(t, importID)
	db := o.db
	if _, err := postgres.Once(t.Context(), db, unit(0), func(context.Context, *postgres.Tx) (int, error) { return 1, nil }); err != nil {
		t.Error(err)
	}
	if _, err := db.Restart(t.Context(), numbered(importID, 1), false); err != nil {
		t.Error(err)
	}
}

// TestNothingOfPublicIsCalled: whatever a login puts into public, the product
// calls none of it, neither in migrating nor in anything it does.
func TestNothingOfPublicIsCalled(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	called := postgrestest.Squat(t, postgrestest.Connect(t, b.squat))
	trapped := postgrestest.Connect(t, b.url)
	if _, err := trapped.Exec(t.Context(), `SELECT right(tablename, length('x')) FROM pg_tables`); err == nil || called() == 0 {
		t.Fatal("the trap does not work")
	}
	before := called()
	b.migrated(t)
	ctx := t.Context()
	leaf := postgres.Leaf{Kind: postgres.Staging, Resource: "magasins", ImportID: importID, Generation: 1}
	_, err := postgres.Once(ctx, b.db, unit(0), func(ctx context.Context, tx *postgres.Tx) (int, error) {
		return 1, errors.Join(leaf.Create(ctx, tx, from), leaf.AttachByImport(ctx, tx))
	})
	_, _, ledger := b.db.LedgerObject(ctx, unit(0))
	errs := []error{err, ledger, postgres.WaitForOlderSnapshots(ctx, b.db, time.Minute), postgres.PurgeStaging(ctx, b.db, time.Now())}
	_, err = b.db.Restart(ctx, numbered(importID, 1), false)
	errs = append(errs, err, b.db.RecordAttempts(ctx, importID, nil), b.db.Abandon(ctx, numbered(importID, 2)))
	_, err = postgrestest.OpenAs(t, b.url, 2).Migrate(ctx)
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Error(err)
	}
	if n := called() - before; n != 0 {
		t.Errorf("the squatter's code ran %d times", n)
	}
}

// TestFunctionsSetTheirPath: a function of ours would run with its caller's
// search_path otherwise.
//
// An aggregate has no body, and the names in a body that was parsed when the
// function was made are bound since then, under the path of the migrations.
func TestFunctionsSetTheirPath(t *testing.T) {
	t.Parallel()
	o := open(t)
	if got := postgrestest.Scan[string](t, o.conn, `SELECT coalesce(string_agg(oid::regprocedure::text, ', '), '') FROM pg_proc
		WHERE pronamespace::regnamespace::text IN ('etl', 'staging', 'final', 'partitions')
		AND prokind <> 'a' AND prosqlbody IS NULL AND NOT coalesce(proconfig::text LIKE '%search_path=%', false)`); got != "" {
		t.Errorf("functions without a search_path of their own: %s", got)
	}
}

// TestSquattersSessions: sessions that bear the writers' name but are another
// role's neither stop a restart or an abandon, nor are ended by it.
func TestSquattersSessions(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	b.migrated(t)
	var squatters []*pgx.Conn
	for generation := range 4 {
		squatters = append(squatters, b.connect(t, fmt.Sprintf("etl:%s:g%d", importID, generation)))
	}
	inside, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := postgres.Once(t.Context(), b.db, unit(0), func(context.Context, *postgres.Tx) (int, error) {
			close(inside)
			<-release
			return 1, nil
		})
		ended <- err
	}()
	<-inside
	other := server.Open(t, b.url)
	if generation, err := other.Restart(t.Context(), numbered(importID, 1), false); err != nil || generation != 2 {
		t.Errorf("restarted as %d, %v", generation, err)
	}
	close(release)
	if err := <-ended; err == nil {
		t.Error("our own late twin was not ended")
	}
	if err := other.Abandon(t.Context(), numbered(importID, 2)); err != nil {
		t.Errorf("abandon: %v", err)
	}
	for _, conn := range squatters {
		if err := conn.Ping(t.Context()); err != nil {
			t.Errorf("a session of another role was ended: %v", err)
		}
	}
}

// TestAdvisoryLocks: a lock that anybody may take holds nobody up.
func TestAdvisoryLocks(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	conn := postgrestest.Connect(t, b.squat)
	const goose = 4097083626 // the id that the library locks by default
	postgrestest.Exec(t, conn, `SELECT pg_advisory_lock($1)`, goose)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := postgrestest.OpenAs(t, b.url, 2).Migrate(ctx); err != nil {
		t.Errorf("migrate: %v", err)
	}
	if _, err := conn.Exec(t.Context(), `LOCK TABLE etl.migration_lock IN ACCESS SHARE MODE`); err == nil {
		t.Error("anybody may lock the table that the migrations lock")
	}
}

// TestTwoDeployments: one migrates, the other waits and finds it done.
func TestTwoDeployments(t *testing.T) {
	t.Parallel()
	url := server.Empty(t)
	done := make(chan error)
	const deployments = 3
	for range deployments {
		db := postgrestest.OpenAs(t, url, 2)
		go func() {
			_, err := db.Migrate(t.Context())
			done <- err
		}()
	}
	for range deployments {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	conn := postgrestest.Connect(t, url)
	if got := postgrestest.Scan[int](t, conn, `SELECT count(*) - count(DISTINCT version_id) FROM etl.goose_db_version`); got != 0 {
		t.Errorf("%d versions were noted twice", got)
	}
}

// TestVersionsFromPublic: an installation whose versions stand in public, where
// an older product put them, goes on from there, and the older product could too.
func TestVersionsFromPublic(t *testing.T) {
	t.Parallel()
	url := server.URL(t)
	conn := postgrestest.Connect(t, url)
	const versions = `SELECT string_agg(version_id::text || is_applied, ',' ORDER BY id) FROM `
	want := postgrestest.Scan[string](t, conn, versions+`etl.goose_db_version`)
	postgrestest.Exec(t, conn, `ALTER TABLE etl.goose_db_version SET SCHEMA public; DROP TABLE etl.migration_lock`)
	postgrestest.Exec(t, conn, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash) VALUES ('i', 'daily', '2024-10-08', 'en cours', 1, 'h')`)
	for range 2 {
		if _, err := postgrestest.OpenAs(t, url, 2).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"etl.goose_db_version", "public.goose_db_version"} {
		if got := postgrestest.Scan[string](t, conn, versions+table); got != want {
			t.Errorf("%s has the versions %s, want %s", table, got, want)
		}
	}
	if got := postgrestest.Scan[int](t, conn, `SELECT count(*) FROM etl.imports`); got != 1 {
		t.Error("the import is gone")
	}
}

// TestVersionsOfASquatter: a table of versions that another login put into public
// is not believed, and stops nobody.
func TestVersionsOfASquatter(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	squatter := postgrestest.Connect(t, b.squat)
	const squat = `CREATE TABLE public.goose_db_version (id integer, version_id bigint, is_applied boolean, tstamp timestamp);
		INSERT INTO public.goose_db_version SELECT n, n, true, now() FROM generate_series(0, 9999) n; GRANT ALL ON public.goose_db_version TO PUBLIC`
	postgrestest.Exec(t, squatter, squat)
	b.migrated(t)
	if got := b.count(t, `SELECT max(version_id) FROM etl.goose_db_version`); got == 9999 {
		t.Error("the squatter's versions were adopted")
	}
	// And where the product's own table of versions is lost.
	postgrestest.Exec(t, b.conn, `DROP TABLE etl.goose_db_version`)
	if _, err := postgrestest.OpenAs(t, b.url, 2).Migrate(t.Context()); err == nil {
		t.Error("migrations were applied over tables that exist")
	}
	if got := b.count(t, `SELECT count(*) FROM etl.imports`); got != 1 {
		t.Error("the import is gone")
	}
}

// TestSchemaOfAnother: a schema etl that somebody else made is named, in time.
func TestSchemaOfAnother(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	postgrestest.Exec(t, b.admin, `CREATE SCHEMA etl`)
	_, err := postgrestest.OpenAs(t, b.url, 2).Migrate(t.Context())
	denied, ok := errors.AsType[*fault.AccessDenied](fault.Lift(err))
	if !ok || denied.Resource != "schema etl" {
		t.Errorf("got %v", err)
	}
}

// TestOldSnapshots: who may read the target tables and holds an old snapshot is
// named by process and role, so that an administrator can end it; a login that may
// read nothing of ours holds nobody up.
func TestOldSnapshots(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		own     string // what the login does itself
		product string // what the product's role grants; %[1]s is the login
		waits   bool
	}{
		"no grant": {},
		"its own view and function": {own: `CREATE VIEW public.own AS SELECT 1;
			CREATE FUNCTION public.own() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'`},
		"a table of another's":         {product: `CREATE TABLE public.opened (n int); GRANT SELECT ON public.opened TO PUBLIC`},
		"rights that show nothing":     {product: `GRANT INSERT, REFERENCES ON final.clients TO %[1]s`},
		"a table":                      {product: `GRANT USAGE ON SCHEMA final TO %[1]s; GRANT SELECT ON final.clients TO %[1]s`, waits: true},
		"a table, not yet its schema":  {product: `GRANT SELECT ON final.events TO PUBLIC`, waits: true},
		"a column":                     {product: `GRANT SELECT (file_date) ON final.produits TO %[1]s`, waits: true},
		"a view of another's":          {product: `CREATE VIEW public.shown AS SELECT count(*) FROM final.ventes; GRANT SELECT ON public.shown TO %[1]s`, waits: true},
		"a function of another's":      {product: `CREATE FUNCTION public.shown() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM final.ventes'`, waits: true},
		"a role that it may change to": {product: `GRANT SELECT ON final.clients TO %[2]s`, waits: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, group := newBeside(t), server.Login(t)
			b.migrated(t)
			quote := func(role string) string { return pgx.Identifier{role}.Sanitize() }
			postgrestest.Exec(t, b.admin, `ALTER ROLE `+quote(b.squatter.Role)+` NOINHERIT; GRANT `+quote(group.Role)+` TO `+quote(b.squatter.Role))
			if c.own != "" {
				postgrestest.Exec(t, postgrestest.Connect(t, b.squat), c.own)
			}
			if c.product != "" {
				postgrestest.Exec(t, b.conn, strings.NewReplacer("%[1]s", quote(b.squatter.Role), "%[2]s", quote(group.Role)).Replace(c.product))
			}
			reader := postgrestest.Connect(t, b.squat)
			postgrestest.Exec(t, reader, `BEGIN ISOLATION LEVEL REPEATABLE READ`)
			pid := postgrestest.Scan[int](t, reader, `SELECT pg_backend_pid()`)
			err := postgres.WaitForOlderSnapshots(t.Context(), b.db, 300*time.Millisecond)
			if c.waits && (!isTransient(err) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d", pid)) || !strings.Contains(err.Error(), b.squatter.Role)) {
				t.Errorf("got %v", err)
			}
			if !c.waits && err != nil {
				t.Errorf("held up: %v", err)
			}
			postgrestest.Exec(t, reader, `ROLLBACK`)
			if err := postgres.WaitForOlderSnapshots(t.Context(), b.db, time.Minute); err != nil {
				t.Errorf("nobody reads: %v", err)
			}
		})
	}
}

// TestLocksOfASquatter: a login without any right cannot lock what the product
// works on.
func TestLocksOfASquatter(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	b.migrated(t)
	squatter := postgrestest.Connect(t, b.squat)
	for _, table := range []string{"etl.imports", "etl.ledger", "etl.goose_db_version", "etl.migration_lock", "final.events", "staging.clients", "pg_catalog.pg_class"} {
		for _, mode := range []string{"ACCESS SHARE", "ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"} {
			if table == "pg_catalog.pg_class" && mode == "ACCESS SHARE" {
				continue // every reader of the catalogue does that
			}
			_, err := squatter.Exec(t.Context(), fmt.Sprintf(`BEGIN; LOCK TABLE %s IN %s MODE NOWAIT`, table, mode))
			if server, ok := errors.AsType[*pgconn.PgError](err); !ok || server.Code != "42501" {
				t.Errorf("%s in %s mode: %v", table, mode, err)
			}
			postgrestest.Exec(t, squatter, `ROLLBACK`)
		}
	}
}

// TestRightIsMissing: what PostgreSQL refuses in a transaction is tried again
// while it may still be granted, and then goes on.
func TestRightIsMissing(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	b.migrated(t)
	reader := server.Login(t)
	postgrestest.Exec(t, b.conn, `GRANT USAGE ON SCHEMA etl TO `+pgx.Identifier{reader.Role}.Sanitize())
	grant := func(n int) {
		if n == 2 {
			postgrestest.Exec(t, b.conn, `GRANT SELECT ON etl.imports TO `+pgx.Identifier{reader.Role}.Sanitize())
		}
	}
	db := postgres.Open(func(context.Context) (string, error) { return reader.URL(b.url), nil }, "test", 1, waiting(grant))
	t.Cleanup(db.Close)
	count := func(table string) error {
		return db.Query(t.Context(), "count "+table, func(ctx context.Context, conn *pgx.Conn) error {
			var n int
			return conn.QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&n)
		})
	}
	if err := count("etl.imports"); err != nil {
		t.Errorf("after the grant: %v", err)
	}
	denied, ok := errors.AsType[*fault.AccessDenied](fault.Lift(count("etl.data_keys")))
	if !ok || denied.Resource != "table data_keys" || denied.Op != "count etl.data_keys" {
		t.Errorf("got %v", denied)
	}
}

// TestNoConnectionLeft: a login that takes every connection makes the product
// wait for a moment that the machine can retry, and changes nothing.
func TestNoConnectionLeft(t *testing.T) {
	t.Parallel()
	b := newBeside(t)
	b.migrated(t)
	limit := postgrestest.Scan[int](t, b.admin, `SELECT count(*) + 2 FROM pg_stat_activity WHERE datname = current_database()`)
	name := postgrestest.Scan[string](t, b.admin, `SELECT quote_ident(current_database())`)
	postgrestest.Exec(t, b.admin, fmt.Sprintf(`ALTER DATABASE %s CONNECTION LIMIT %d`, name, limit))
	db := server.Open(t, b.url)
	var taken []*pgx.Conn
	var err error
	for n := 0; err == nil && n < 10; n++ { // again if a session of before has ended meanwhile
		for conn, err := pgx.Connect(t.Context(), b.squat); err == nil; conn, err = pgx.Connect(t.Context(), b.squat) {
			taken = append(taken, conn)
		}
		one := server.Open(t, b.url)
		_, err = one.Restart(t.Context(), numbered(importID, 1), false)
		one.Close()
	}
	if !isTransient(err) || !strings.Contains(err.Error(), "53300") {
		t.Errorf("got %v, want a Transient fault that names 53300", err)
	}
	for _, conn := range taken {
		_ = conn.Close(t.Context())
	}
	deadline := time.Now().Add(time.Minute) // until the server has let go of the sessions
	for err != nil && time.Now().Before(deadline) {
		_, err = db.Restart(t.Context(), numbered(importID, 1), false)
	}
	if err != nil {
		t.Errorf("with connections left: %v", err)
	}
}
