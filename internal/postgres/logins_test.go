package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

// leavesOf creates what an import has while it is open and after it was published: a
// detached target, a staging leaf, and the partition of its published events with one
// event.
func (o *opened) leavesOf(t *testing.T) (detached, staged, published postgres.Leaf) {
	t.Helper()
	leaf := func(kind postgres.Kind, resource string) postgres.Leaf {
		return postgres.Leaf{Kind: kind, Resource: resource, ImportID: importID, Generation: 1}
	}
	detached, staged, published = leaf(postgres.Target, "magasins"), leaf(postgres.Staging, "magasins"), leaf(postgres.Published, "")
	o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
		for _, l := range []postgres.Leaf{detached, staged, published} {
			if err := l.Create(ctx, tx, from); err != nil {
				return err
			}
		}
		if err := tx.IndexTarget(ctx, published, []string{"event_id", "import_id"}); err != nil {
			return err
		}
		if _, err := tx.Execute(ctx, `INSERT INTO `+published.Table()+` (event_id, "timestamp", event_type, resource, line_number, data)
			VALUES (gen_random_uuid(), now(), 'x', 'magasins', 2, '{}')`); err != nil {
			return err
		}
		return errors.Join(staged.AttachByImport(ctx, tx), published.AttachByImport(ctx, tx), tx.MarkPublished(ctx))
	})
	return detached, staged, published
}

// refused checks that the server refuses each statement to a login for lack of a right,
// or because of what the statement would destroy.
func refused(t *testing.T, loginURL string, statements ...string) {
	t.Helper()
	conn := postgrestest.Connect(t, loginURL)
	for _, statement := range statements {
		_, err := conn.Exec(t.Context(), statement)
		if server, ok := errors.AsType[*pgconn.PgError](err); !ok || (server.Code != "42501" && server.Code != "55000") {
			t.Errorf("%s: got %v, want it refused", statement, err)
		}
	}
}

// TestLoaderOwnsNothing: whoever has the loader's login alters, drops or empties no
// table, and reads no table of the migrations.
func TestLoaderOwnsNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	detached, staged, published := o.leavesOf(t)
	var statements []string
	for _, table := range []string{
		"final.clients", "final.events", "staging.clients", "etl.imports", "etl.ledger", "etl.data_keys", "etl.audit",
		detached.Table(), staged.Table(), published.Table(),
	} {
		for _, statement := range []string{
			`DROP TABLE %s`, `ALTER TABLE %s ADD COLUMN extra text`, `TRUNCATE %s`, `CREATE INDEX ON %s (import_id)`,
			`ALTER TABLE %s OWNER TO CURRENT_USER`, `CREATE TRIGGER t BEFORE INSERT ON %s EXECUTE FUNCTION etl.refuse_change()`,
		} {
			statements = append(statements, strings.ReplaceAll(statement, "%s", table))
		}
	}
	refused(t, server.Loader(o.url), append(statements,
		`DROP SCHEMA final CASCADE`, `CREATE TABLE partitions.mine (n int)`, `CREATE TABLE etl.mine (n int)`, `CREATE SCHEMA mine`, `CREATE TABLE public.mine (n int)`,
		`CREATE TEMP TABLE mine (n int)`, `DROP FUNCTION etl.drop_leaf`, `ALTER TABLE final.events DETACH PARTITION `+published.Table(),
		`SELECT FROM etl.goose_db_version`, `SELECT FROM etl.migration_lock`,
		`INSERT INTO staging.magasins (import_id) VALUES ('i')`, `DELETE FROM `+staged.Table(), `UPDATE `+published.Table()+` SET data = '{}'`,
		`DELETE FROM etl.data_keys`, `UPDATE etl.data_keys SET ciphertext = ''`, `DELETE FROM etl.token_key`, `UPDATE etl.token_key SET key_check = ''`, `DELETE FROM etl.imports`, `DELETE FROM etl.attempts`,
		`UPDATE etl.imports SET published_generation = NULL`, `UPDATE etl.imports SET mode = 'initial'`,
		`SELECT etl.leaf('events', '', '`+importID+`', 1)`, `SELECT etl.fence('`+importID+`', 1)`)...)
	for _, l := range []postgres.Leaf{detached, staged, published} {
		if !postgrestest.Scan[bool](t, o.conn, `SELECT to_regclass($1) IS NOT NULL`, l.Table()) {
			t.Errorf("%s is gone", l.Name())
		}
	}
	if got := o.count(t, `SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE pg_has_role('etl_loader', r.oid, 'MEMBER') OR pg_has_role($1, r.oid, 'MEMBER')`,
		o.loaderRole(t)); got != 0 {
		t.Errorf("the loader owns %d relations", got)
	}
}

// loaderRole is the role of the loader's login.
func (o *opened) loaderRole(t *testing.T) string {
	t.Helper()
	return postgrestest.Scan[string](t, postgrestest.Connect(t, server.Loader(o.url)), `SELECT current_user::text`)
}

// TestOwnersFunctionsSpareWhatIsPublished: the functions that the loader may call do
// not drop, replace or alter what readers see, nor take a name for another.
func TestOwnersFunctionsSpareWhatIsPublished(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.leavesOf(t)
	const other = "IMPORT_20241009_150000_002"
	o.addImport(t, other)
	postgrestest.Exec(t, o.conn, `UPDATE etl.imports SET mode = 'initial' WHERE import_id = $1`, other)
	target := postgres.Leaf{Kind: postgres.Target, Resource: "magasins", ImportID: other, Generation: 1}
	o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
		events := postgres.Leaf{Kind: postgres.Events, ImportID: importID, Generation: 1}
		return errors.Join(target.Create(ctx, tx, from), tx.IndexTarget(ctx, target, []string{"store_id"}), events.Create(ctx, tx, from))
	})
	refused(t, server.Loader(o.url),
		`SELECT etl.drop_leaf('published', '', '`+importID+`', 1)`,
		`SELECT etl.index_leaf('published', '', '`+importID+`', 1, '{resource}')`,
		`SELECT etl.create_leaf('published', '', '`+importID+`', 1, '2024-10-08', '', '')`,
		`SELECT etl.swap_target('magasins', '`+importID+`', 1)`, // of a day
		`SELECT etl.swap_target('magasins', '`+other+`', 1)`,    // over another's
		`SELECT etl.drop_published_events('`+other+`', 1)`,      // over another's
		`DO $$ BEGIN UPDATE etl.imports SET generation = 2 WHERE import_id = '`+importID+`'; PERFORM etl.attach_leaf('events', '', '`+importID+`', 1); END $$`,
	)
	postgrestest.Exec(t, postgrestest.Connect(t, server.Loader(o.url)),
		`SELECT etl.drop_leaves('`+importID+`', 1, false), etl.purge_leaf('published_20241009_150000_001_g1'), etl.purge_leaf('target_magasins_empty')`)
	if got := o.count(t, `SELECT count(*) FROM final.events`); got != 1 {
		t.Errorf("readers see %d events, want 1", got)
	}
	if got := o.count(t, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'final.magasins'::regclass`); got != 1 {
		t.Errorf("final.magasins has %d partitions, want 1", got)
	}
}

// TestOwnersFunctionsTakeNoSQL: a name that would be SQL is quoted or refused.
func TestOwnersFunctionsTakeNoSQL(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.leavesOf(t)
	conn := postgrestest.Connect(t, server.Loader(o.url))
	for _, statement := range []string{
		`SELECT etl.create_leaf('target', 'events', '` + importID + `', 1, '2024-10-08', '', '')`,
		`SELECT etl.create_leaf('target', 'magasins (LIKE etl.data_keys); --', '` + importID + `', 1, '2024-10-08', '', '')`,
		`SELECT etl.create_leaf('staging', 'magasins_ready', '` + importID + `', 1, '2024-10-08', '', '')`,
		`SELECT etl.create_leaf('audit', 'magasins', '` + importID + `', 1, '2024-10-08', '', '')`,
		`SELECT etl.drop_leaf('target', '../etl.audit', 'IMPORT_1; DROP TABLE etl.audit', 1)`,
		`SELECT etl.drop_leaf('target', 'magasins', '` + importID + `', 0)`,
		`SELECT etl.index_leaf('target', 'magasins', '` + importID + `', 1, '{"store_id) WHERE pg_sleep(1) IS NULL; --"}')`,
		`SELECT etl.key_leaf('target', 'magasins', '` + importID + `', 1, '{}')`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s: it is accepted", statement)
		}
	}
	if got := o.count(t, `SELECT count(*) FROM pg_class WHERE oid = 'etl.audit'::regclass`); got != 1 {
		t.Error("etl.audit is gone")
	}
}

// TestReader: a reader sees what is published and the state of the imports, and
// nothing behind it.
func TestReader(t *testing.T) {
	t.Parallel()
	o := open(t)
	detached, staged, published := o.leavesOf(t)
	reader := postgrestest.Connect(t, server.Reader(o.url))
	tables, err := o.conn.Query(t.Context(), `SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'final'::regnamespace AND relkind IN ('p', 'r', 'v')`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(tables, pgx.RowTo[string])
	if err != nil || len(names) < 11 {
		t.Fatalf("final has %v, %v", names, err)
	}
	for _, table := range append(names, "etl.imports", "etl.files", "etl.errors", "etl.rejects", "etl.incoherences", "etl.attempts") {
		postgrestest.Exec(t, reader, `SELECT * FROM `+table)
	}
	if got := postgrestest.Scan[int](t, reader, `SELECT count(*) FROM final.events`); got != 1 {
		t.Errorf("the reader sees %d events", got)
	}
	var statements []string
	for _, table := range []string{
		"etl.data_keys", "etl.audit", "etl.ledger", "etl.goose_db_version", "staging.magasins", "staging.magasins_ready",
		"partitions.target_clients_empty", detached.Table(), staged.Table(), published.Table(),
	} {
		statements = append(statements, `SELECT FROM `+table)
	}
	refused(t, server.Reader(o.url), append(statements, `DELETE FROM final.clients`, `UPDATE etl.imports SET status = 'réussi'`, `INSERT INTO etl.audit DEFAULT VALUES`,
		`DO $$ BEGIN LOCK TABLE final.clients IN ACCESS EXCLUSIVE MODE; END $$`, `CREATE TABLE final.mine (n int)`, `CREATE TEMP TABLE mine (n int)`,
		`SELECT etl.drop_leaf('target', 'magasins', '`+importID+`', 1)`, `SELECT etl.mark_published('`+importID+`', 1)`)...)
}

// TestLoaderOnlyAddsToTheAudit: the loader cannot read, change or remove a row.
func TestLoaderOnlyAddsToTheAudit(t *testing.T) {
	t.Parallel()
	o := open(t)
	if err := o.db.Audit(t.Context(), audit.Entry{RequestID: requestID, Stage: audit.Asked, Identity: "arn", Action: "restart"}); err != nil {
		t.Fatal(err)
	}
	refused(t, server.Loader(o.url), `SELECT FROM etl.audit`, `UPDATE etl.audit SET identity = 'another'`, `DELETE FROM etl.audit`, `TRUNCATE etl.audit`,
		`ALTER TABLE etl.audit DISABLE TRIGGER append_only`, `DROP TRIGGER append_only ON etl.audit`,
		`INSERT INTO etl.audit (audit_id, request_id, stage, identity, verified, action) OVERRIDING SYSTEM VALUE VALUES (0, gen_random_uuid(), 'asked', 'x', false, 'x')`,
		`INSERT INTO etl.audit (at, request_id, stage, identity, verified, action) VALUES ('2000-01-01', gen_random_uuid(), 'asked', 'x', false, 'x')`)
	if got := o.count(t, `SELECT count(*) FROM etl.audit WHERE identity = 'arn'`); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

// TestLoaderCountsNoReveal: what lifts or jams the bound of a day comes from the owner's
// function alone, which takes no negative count. A request that is not counted is entered.
func TestLoaderCountsNoReveal(t *testing.T) {
	t.Parallel()
	o := open(t)
	const row = `INSERT INTO etl.audit (request_id, stage, identity, verified, action, details) VALUES (gen_random_uuid(), 'asked', 'x', true, 'reveal', `
	refused(t, server.Loader(o.url), row+`'{"principal": "`+principal+`", "count": -1000}')`, row+`'{"principal": "`+principal+`", "count": "many"}')`, row+`'{"count": 1}')`)
	if _, _, err := o.db.AuditReveal(t.Context(), revealing(requestID), principal, -1, 100); err == nil || fault.Retryable(fault.Name(err)) {
		t.Errorf("a negative count: got %v, want a fault that no retry heals", err)
	}
	e := revealing(requestID)
	e.Stage = audit.Asked
	if err := o.db.Audit(t.Context(), e); err != nil {
		t.Error(err)
	}
	e.Stage, e.Outcome, e.Details = audit.Done, "revealed", json.RawMessage(`{"count":3}`)
	if err := o.db.Audit(t.Context(), e); err != nil {
		t.Error(err)
	}
	if used, entered, err := o.db.AuditReveal(t.Context(), revealing("00000000-0000-0000-0000-000000000001"), principal, 60, 100); err != nil || !entered || used != 60 {
		t.Errorf("used %d, entered %t, %v", used, entered, err)
	}
	if got := o.count(t, `SELECT count(*) FROM etl.audit`); got != 3 {
		t.Errorf("%d rows, want 3", got)
	}
}

// TestAuditor: whoever examines the audit reads it, and nothing else.
func TestAuditor(t *testing.T) {
	t.Parallel()
	o := open(t)
	_, staged, _ := o.leavesOf(t)
	if err := o.db.Audit(t.Context(), audit.Entry{RequestID: requestID, Stage: audit.Asked, Identity: "arn", Action: "restart"}); err != nil {
		t.Fatal(err)
	}
	url := server.Auditor(t, o.url)
	if got := postgrestest.Scan[string](t, postgrestest.Connect(t, url), `SELECT identity FROM etl.audit`); got != "arn" {
		t.Errorf("the auditor sees %q", got)
	}
	refused(t, url, `SELECT FROM etl.imports`, `SELECT FROM etl.errors`, `SELECT FROM etl.data_keys`, `SELECT FROM final.clients`, `SELECT FROM `+staged.Table(),
		`INSERT INTO etl.audit DEFAULT VALUES`, `UPDATE etl.audit SET identity = 'another'`, `DELETE FROM etl.audit`, `TRUNCATE etl.audit`,
		`SELECT etl.mark_published('`+importID+`', 1)`, `CREATE TABLE etl.mine (n int)`, `CREATE TEMP TABLE mine (n int)`)
}

// TestOnlyTheOwnerMigrates: with another login a deployment fails, by name, and changes
// nothing.
func TestOnlyTheOwnerMigrates(t *testing.T) {
	t.Parallel()
	admin := server.Granted(t, true)
	for name, url := range map[string]string{"loader": server.Loader(admin), "reader": server.Reader(admin)} {
		_, err := postgrestest.OpenAs(t, url, 2).Migrate(t.Context())
		if _, ok := errors.AsType[*fault.AccessDenied](fault.Lift(err)); !ok {
			t.Errorf("%s, before the owner: got %v", name, err)
		}
	}
	if _, err := postgrestest.OpenAs(t, server.Owner(admin), 2).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{"loader": server.Loader(admin), "reader": server.Reader(admin)} {
		_, err := postgrestest.OpenAs(t, url, 2).Migrate(t.Context())
		if _, ok := errors.AsType[*fault.AccessDenied](fault.Lift(err)); !ok {
			t.Errorf("%s, after the owner: got %v", name, err)
		}
	}
}

// TestNobodyElse: PUBLIC has no right on anything of the product.
func TestNobodyElse(t *testing.T) {
	t.Parallel()
	o := open(t)
	const public = `SELECT coalesce(string_agg(what, ', '), '') FROM (
		SELECT c.oid::regclass::text AS what FROM pg_class c CROSS JOIN aclexplode(c.relacl) a WHERE a.grantee = 0 AND c.relnamespace::regnamespace::text IN ('etl', 'staging', 'final', 'partitions')
		UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
			WHERE a.grantee = 0 AND p.pronamespace::regnamespace::text IN ('etl', 'staging', 'final', 'partitions')
		UNION ALL SELECT n.nspname::text FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a WHERE a.grantee = 0 AND n.nspname IN ('etl', 'staging', 'final', 'partitions')) r`
	if got := postgrestest.Scan[string](t, o.conn, public); got != "" {
		t.Errorf("everybody has a right on %s", got)
	}
}
