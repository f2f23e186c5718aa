package phase_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/validation"
	"etl-dataloader/migrations"
)

// An eleventh file is one entry in the descriptor and one migration; these two
// files are all that is added.
var (
	extraEntry     = filepath.Join("testdata", "eleventh", "livraisons.json")
	extraMigration = filepath.Join("testdata", "eleventh", "00999_livraisons.sql")
)

// withExtraFile returns the contract of eleven files, and migrates the database.
func withExtraFile(t *testing.T, databaseURL string) *contract.Package {
	t.Helper()
	entry, err := os.ReadFile(extraEntry)
	if err != nil {
		t.Fatal(err)
	}
	migration, err := os.ReadFile(extraMigration)
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{filepath.Base(extraMigration): {Data: migration}}
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := migrations.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = &fstest.MapFile{Data: text}
	}
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.RuntimeParams["search_path"] = "pg_catalog"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, all, goose.WithTableName(postgres.VersionTable))
	if err != nil {
		t.Fatal(err)
	}
	applied, err := provider.Up(t.Context())
	if err != nil || len(applied) != 1 {
		t.Fatalf("%d migrations are applied: %v", len(applied), err)
	}
	return descriptor(t, func(map[string]map[string]any) []any { return []any{json.RawMessage(entry)} })
}

// TestExtraFile takes an eleventh file through the line: relations to two of the
// ten, a sensitive field, rules of every kind, events, and an update the next day.
func TestExtraFile(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.common.Contract = withExtraFile(t, l.url)
	names, err := landing.FromContract(l.common.Contract)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := names.Parse("daily/livraisons_20241008.csv"); err != nil || f.Resource != "livraisons" {
		t.Fatalf("the file's name is read as %+v, %v", f, err)
	}
	header := "delivery_id,sale_id,client_id,parcels,weight,address,delivered_on\n"
	uploaded := day().csv(t)
	// Without the eleventh file the date is not complete.
	missing := l.upload(t, etl.ModeDaily, "2024-10-07", uploaded)
	if _, err := l.open().Run(t.Context(), missing.openIn()); err == nil || err.Error() != (&fault.MissingFiles{ImportID: missing.imp.ImportID, Missing: []string{"delivery_data"}}).Error() {
		t.Errorf("ten files: %v", err)
	}
	uploaded["livraisons"] = file{"csv", header +
		"1,1001,101,2,1.250,\"1, rue du Port\",2024-10-08\n" +
		"2,1002,0102,1,,2 rue Haute,2024-10-07\n" +
		"3,1003,103,6,3,3 rue Basse,2024-10-07\n" + // more parcels than sold
		"4,9999,999,1,-1,4 rue Basse,2024-10-09\n" + // nothing is right
		"1,1004,101,1,1,5 rue Basse,2024-10-07\n"} // the key again
	r := l.upload(t, etl.ModeDaily, "2024-10-08", uploaded).all(t)
	resource := l.common.Contract.Resource("livraisons")
	l.expectErrors(t, r, "livraisons",
		"4 | parcels | parcels_at_most_sold | "+resource.ChildRules[0].Message,
		"5 | delivered_on | delivered_not_after_file | "+resource.Rules[0].Message,
		"5 | weight | exclusiveMinimum | "+validation.ExclusiveMinimumText("weight", "0"),
		orphan(5, "client_id", "clients"), orphan(5, "sale_id", "ventes"),
		duplicate(6, 2, "primaryKey", "delivery_id"))
	published := `SELECT concat_ws('|', d.delivery_id, d.sale_id, d.parcels, d.weight_kg, d.delivered_on, c.city)
		FROM final.livraisons d JOIN final.clients c USING (client_id_token) ORDER BY 1`
	if diff := cmp.Diff([]string{"1|1001|2|1.250|2024-10-08|Lille", "2|1002|1|2024-10-07|Nice"}, column(t, l.conn, published)); diff != "" {
		t.Errorf("published (-want +got)\n%s", diff)
	}
	if n := postgrestest.Scan[int](t, l.conn, `SELECT count(*)::int FROM final.events WHERE event_type = 'delivery.upserted' AND client_id_token IS NOT NULL`); n != 2 {
		t.Errorf("%d events", n)
	}
	if n := postgrestest.Scan[int](t, l.conn, `SELECT count(*)::int FROM staging.livraisons_ready`); n != 2 {
		t.Errorf("%d staged records are ready", n)
	}
	// The next day updates one and adds one.
	uploaded["livraisons"] = file{"csv", header + "2,1002,102,1,0.5,2 rue Haute,2024-10-09\n7,1001,101,1,,1 rue du Port,2024-10-09\n"}
	l.upload(t, etl.ModeDaily, "2024-10-09", uploaded).all(t)
	if diff := cmp.Diff([]string{"1|1001|2|1.250|2024-10-08|Lille", "2|1002|1|0.5|2024-10-09|Nice", "7|1001|1|2024-10-09|Lille"}, column(t, l.conn, published)); diff != "" {
		t.Errorf("published the next day (-want +got)\n%s", diff)
	}
}
