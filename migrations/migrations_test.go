package migrations_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/migrations"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	os.Exit(postgrestest.Run(m.Run, func(s *postgrestest.Server) { server = s }))
}

// provider applies the migrations to an empty database.
func provider(t *testing.T, databaseURL string) *goose.Provider {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db := stdlib.OpenDBFromPool(pool)
	t.Cleanup(func() { _ = db.Close() })
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// catalogue describes every table, view, index and constraint of the product.
const catalogue = `SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM (
	SELECT n.nspname || '.' || c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull AS line
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		WHERE n.nspname IN ('etl', 'staging', 'final', 'partitions')
	UNION ALL SELECT n.nspname || '.' || c.conname || ' ' || pg_get_constraintdef(c.oid)
		FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname IN ('etl', 'staging', 'final', 'partitions')
) l`

// TestDownAndUp: the migrations can be taken back, leave nothing, and give the
// same schema again; the public schema is not used.
func TestDownAndUp(t *testing.T) {
	t.Parallel()
	url := server.Empty(t)
	p, conn := provider(t, url), postgrestest.Connect(t, url)
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := postgrestest.Scan[string](t, conn, catalogue)
	if first == "" {
		t.Fatal("the migrations made nothing")
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left := postgrestest.Scan[string](t, conn, catalogue); left != "" {
		t.Errorf("the way down leaves\n%s", left)
	}
	if got := postgrestest.Scan[int](t, conn, `SELECT count(*) FROM pg_namespace WHERE nspname IN ('etl', 'staging', 'final', 'partitions')`); got != 0 {
		t.Errorf("%d schemas are left", got)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second := postgrestest.Scan[string](t, conn, catalogue); second != first {
		t.Error("the second way up gives another schema")
	}
	if got := postgrestest.Scan[int](t, conn, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'`); got != 0 {
		t.Errorf("%d tables in the schema public", got)
	}
}

// TestMigrateTwice: a deployment that finds the newest schema changes nothing.
func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	url := server.URL(t)
	conn := postgrestest.Connect(t, url)
	before := postgrestest.Scan[string](t, conn, catalogue)
	version, err := postgrestest.OpenAs(t, url, 3).Migrate(t.Context())
	if err != nil || version != newest(t) {
		t.Errorf("migrated to %d, %v; want %d", version, err, newest(t))
	}
	if after := postgrestest.Scan[string](t, conn, catalogue); after != before {
		t.Error("the schema changed")
	}
}

// newest is the number of the newest migration.
func newest(t *testing.T) int64 {
	t.Helper()
	files, err := migrations.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(files[len(files)-1].Name()[:5], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTemplateVersion: CloudFormation runs the migrations only where a property
// of the custom resource changes, so the template names the newest one.
func TestTemplateVersion(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`ServiceToken: !GetAtt MigrateFunction\.Arn\s+Version: (\d+)`).FindSubmatch(text)
	if found == nil {
		t.Fatal("template.yaml does not name the version of the schema")
	}
	if got := string(found[1]); got != strconv.FormatInt(newest(t), 10) {
		t.Errorf("template.yaml deploys version %s of the schema, the newest is %d", got, newest(t))
	}
}

// TestEventsOfOpenImports: the tables of events of imports that are open while the schema
// changes can still be copied and attached, and what was published stays.
func TestEventsOfOpenImports(t *testing.T) {
	t.Parallel()
	url := server.Empty(t)
	p, conn := provider(t, url), postgrestest.Connect(t, url)
	if _, err := p.UpTo(t.Context(), 14); err != nil {
		t.Fatal(err)
	}
	const importID = "IMPORT_20241008_060000_001"
	postgrestest.Exec(t, conn, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash) VALUES ($1, 'daily', '2024-10-08', 'en cours', 1, '')`, importID)
	for _, kind := range []string{"events", "published"} {
		postgrestest.Exec(t, conn, `SELECT etl.create_leaf($1, '', $2, 1, '2024-10-08', '', '')`, kind, importID)
	}
	const row = `INSERT INTO partitions.events_20241008_060000_001_g1 (event_id, "timestamp", event_type, resource, line_number, enrichment, data)
		VALUES (gen_random_uuid(), now(), 'client.upserted', 'clients', 2, 'failed', '{}')`
	postgrestest.Exec(t, conn, row)
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	postgrestest.Exec(t, conn, `SELECT etl.attach_leaf('published', '', $1, 1)`, importID)
	postgrestest.Exec(t, conn, `INSERT INTO partitions.published_20241008_060000_001_g1 SELECT * FROM partitions.events_20241008_060000_001_g1`)
	postgrestest.Exec(t, conn, `INSERT INTO final.events SELECT gen_random_uuid(), "timestamp", 'client.enriched', import_id, generation, resource, file_date, line_number,
		client_id, client_id_token, 'ok', data, event_id FROM final.events`)
	if got := postgrestest.Scan[string](t, conn, `SELECT count(*) || ' ' || count(completes) FROM final.events`); got != "2 1" {
		t.Errorf("the events are %s", got)
	}
	if _, err := p.DownTo(t.Context(), 14); err != nil {
		t.Fatal(err)
	}
	if got := postgrestest.Scan[string](t, conn, `SELECT count(*) || ' ' || min(event_type) FROM final.events`); got != "1 client.upserted" {
		t.Errorf("without the column the events are %s", got)
	}
	postgrestest.Exec(t, conn, row)
}
