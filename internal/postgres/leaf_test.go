package postgres_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

func TestLeafNames(t *testing.T) {
	t.Parallel()
	for want, leaf := range map[string]postgres.Leaf{
		"staging_clients_20241009_150000_001_g1":       {Kind: postgres.Staging, Resource: "clients", ImportID: importID, Generation: 1},
		"target_fournisseurs_20241009_150000_001_g999": {Kind: postgres.Target, Resource: "fournisseurs", ImportID: importID, Generation: 999},
		"events_20241009_150000_001_g2":                {Kind: postgres.Events, ImportID: importID, Generation: 2},
		"published_20241009_150000_001_g2":             {Kind: postgres.Published, ImportID: importID, Generation: 2},
	} {
		if got := leaf.Name(); got != want || len(got) > 63 {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestLongLeafNames: PostgreSQL cuts a name after 63 bytes in silence; two
// resources that differ in their last letter alone would then share a table. The
// owner's functions make the same names.
func TestLongLeafNames(t *testing.T) {
	t.Parallel()
	o := open(t)
	long := strings.Repeat("commandes_", 6) + "ab"
	names := make(map[string]postgres.Leaf)
	for _, resource := range []string{long + "a", long + "b", long[:33], long[:34], long[:35], strings.Repeat("é", 31), "été"} {
		for _, kind := range []postgres.Kind{postgres.Staging, postgres.Target} {
			for _, generation := range []int{1, 12, 2147483647} {
				leaf := postgres.Leaf{Kind: kind, Resource: resource, ImportID: importID, Generation: generation}
				name := leaf.Name()
				if other, ok := names[name]; ok || len(name) > 63 || !utf8.ValidString(name) {
					t.Errorf("%+v is %s, of %d bytes, as is %+v", leaf, name, len(name), other)
				}
				if !strings.HasPrefix(name, string(kind)+"_") || !strings.HasSuffix(name, fmt.Sprintf("_20241009_150000_001_g%d", generation)) {
					t.Errorf("%s is not found by its kind, import and generation", name)
				}
				names[name] = leaf
				if got := postgrestest.Scan[string](t, o.conn, `SELECT etl.leaf($1, $2, $3, $4)`, kind, resource, importID, generation); got != name {
					t.Errorf("the owner's functions call %s %s", name, got)
				}
			}
		}
	}
}

// TestLongResources: tables of resources with the longest names are apart, with
// their indexes, and go with their generation.
func TestLongResources(t *testing.T) {
	t.Parallel()
	o := open(t)
	long := strings.Repeat("commandes_", 6) + "ab"
	for _, resource := range []string{long + "a", long + "b"} {
		postgrestest.Exec(t, o.conn, fmt.Sprintf(`CREATE TABLE staging.%[1]s (LIKE staging.magasins) PARTITION BY LIST (import_id)`, resource))
		leaf := postgres.Leaf{Kind: postgres.Staging, Resource: resource, ImportID: importID, Generation: 1}
		o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
			if err := leaf.Create(ctx, tx, from); err != nil {
				return err
			}
			if _, err := tx.Execute(ctx, `SELECT etl.index_leaf('staging', $1, $2, 1, '{store_id_key,line_number}')`, resource, importID); err != nil {
				return err
			}
			return leaf.AttachByImport(ctx, tx)
		})
		postgrestest.Exec(t, o.conn, fmt.Sprintf(`INSERT INTO %s (chunk, line_number, name) VALUES (0, 2, '%s')`, leaf.Table(), resource))
		if got := postgrestest.Scan[string](t, o.conn, `SELECT string_agg(name, ',') FROM staging.`+resource); got != resource {
			t.Errorf("%s holds the rows of %s", resource, got)
		}
	}
	if _, err := o.db.Restart(t.Context(), numbered(importID, 1), false); err != nil {
		t.Fatal(err)
	}
	if got := o.count(t, `SELECT count(*) FROM pg_tables WHERE schemaname = 'partitions' AND tablename LIKE 'staging%'`); got != 0 {
		t.Errorf("%d leaves outlive their generation", got)
	}
}

// from is where the rows of the tests' leaves come from.
var from = postgres.Source{FileDate: "2024-10-08", FileType: "t", File: "f"}

func TestLeafLife(t *testing.T) {
	t.Parallel()
	o := open(t)
	leaf := postgres.Leaf{Kind: postgres.Staging, Resource: "magasins", ImportID: importID, Generation: 1}
	insert := `INSERT INTO ` + leaf.Table() + ` (import_id, generation, file_date, file_type, file, chunk, line_number) VALUES ($1, 1, '2024-10-08', 't', 'f', 0, 2)`
	o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
		if err := leaf.Create(ctx, tx, from); err != nil {
			return err
		}
		return leaf.Create(ctx, tx, from) // again
	})
	postgrestest.Exec(t, o.conn, insert, importID)
	if _, err := o.conn.Exec(t.Context(), insert, "another import"); err == nil {
		t.Error("a leaf takes rows of another import")
	}
	if got := o.count(t, `SELECT count(*) FROM staging.magasins`); got != 0 {
		t.Errorf("%d rows are visible before the leaf is attached", got)
	}
	o.inTx(t, leaf.AttachByImport)
	if got := o.count(t, `SELECT count(*) FROM staging.magasins`); got != 1 {
		t.Errorf("%d rows are visible, want 1", got)
	}
	o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
		if err := leaf.Drop(ctx, tx); err != nil {
			return err
		}
		return leaf.Drop(ctx, tx) // again
	})
	if got := o.count(t, `SELECT count(*) FROM staging.magasins`); got != 0 {
		t.Errorf("%d rows are left", got)
	}
}

// TestLeafSwap: the new content stands in place of the old under the same name.
func TestLeafSwap(t *testing.T) {
	t.Parallel()
	o := open(t)
	for generation := 1; generation <= 2; generation++ {
		postgrestest.Exec(t, o.conn, `UPDATE etl.imports SET mode = 'initial', generation = $1`, generation)
		for resource, key := range map[string][]string{"produits": {"product_id"}, "stocks": {"product_id", "store_id"}} {
			leaf := postgres.Leaf{Kind: postgres.Target, Resource: resource, ImportID: importID, Generation: generation}
			o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
				if err := leaf.Create(ctx, tx, from); err != nil {
					return err
				}
				if err := tx.IndexTarget(ctx, leaf, key); err != nil {
					return err
				}
				return leaf.Swap(ctx, tx)
			})
			got := postgrestest.Scan[string](t, o.conn, `SELECT string_agg(inhrelid::regclass::text, ',') FROM pg_inherits WHERE inhparent = $1::regclass`, leaf.Parent())
			if got != "partitions."+leaf.Name() {
				t.Errorf("%s consists of %s, want %s alone", leaf.Parent(), got, leaf.Name())
			}
		}
	}
	postgrestest.Exec(t, o.conn, `INSERT INTO final.stocks VALUES (-9223372036854775808, 9223372036854775807, 1, now(), 'i', 1, '2024-10-08', 2)`)
	if got := o.count(t, `SELECT count(*) FROM partitions.target_stocks_20241009_150000_001_g2`); got != 1 {
		t.Error("the new partition does not take every key")
	}
}

func TestPurgeStaging(t *testing.T) {
	t.Parallel()
	o := open(t)
	now := time.Date(2024, 11, 9, 0, 0, 0, 0, time.UTC)
	before := now.Add(-30 * 24 * time.Hour)
	imports := map[string]struct {
		status    string
		published any
		updated   time.Time
		kept      bool
	}{
		"IMPORT_20240901_000000_001": {"réussi", before.Add(-time.Hour), before.Add(-time.Hour), false},
		"IMPORT_20240901_000000_002": {"abandonné", nil, before.Add(-time.Hour), false},
		"IMPORT_20240901_000000_003": {"échoué", nil, before.Add(-time.Hour), true},
		"IMPORT_20240901_000000_004": {"en cours", nil, before.Add(-time.Hour), true},
		"IMPORT_20240901_000000_005": {"réussi", before.Add(time.Hour), before.Add(-time.Hour), true},
	}
	leaf := func(id string, kind postgres.Kind) postgres.Leaf {
		return postgres.Leaf{Kind: kind, Resource: "ventes", ImportID: id, Generation: 1}
	}
	for id, i := range imports {
		postgrestest.Exec(t, o.conn, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash, published_at, updated_at)
			VALUES ($1, 'daily', '2024-09-01', $2, 1, 'h', $3, $4)`, id, i.status, i.published, i.updated)
		o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
			if err := leaf(id, postgres.Target).Create(ctx, tx, from); err != nil {
				return err
			}
			if err := leaf(id, postgres.Staging).Create(ctx, tx, from); err != nil {
				return err
			}
			return leaf(id, postgres.Staging).AttachByImport(ctx, tx)
		})
	}
	for range 2 {
		if err := postgres.PurgeStaging(t.Context(), o.db, before); err != nil {
			t.Fatal(err)
		}
	}
	for id, i := range imports {
		if got := postgrestest.Scan[bool](t, o.conn, `SELECT to_regclass($1) IS NOT NULL`, leaf(id, postgres.Staging).Table()); got != i.kept {
			t.Errorf("the staging of %s (%s) is kept: %v, want %v", id, i.status, got, i.kept)
		}
		if !postgrestest.Scan[bool](t, o.conn, `SELECT to_regclass($1) IS NOT NULL`, leaf(id, postgres.Target).Table()) {
			t.Errorf("the purge of staging dropped a target of %s", id)
		}
	}
}

// TestPurgeIsBounded: when more is due than one purge may take, the next one goes on.
func TestPurgeIsBounded(t *testing.T) {
	t.Parallel()
	const most, more = 500, 3
	o := open(t)
	postgrestest.Exec(t, o.conn, `UPDATE etl.imports SET status = 'réussi', published_at = '2024-01-01'`)
	name := postgres.Leaf{Kind: postgres.Staging, Resource: "%s", ImportID: importID, Generation: 1}.Name()
	postgrestest.Exec(t, o.conn, `DO $$ BEGIN FOR n IN 1..`+strconv.Itoa(most+more)+` LOOP
		EXECUTE format('CREATE TABLE partitions.`+name+` ()', 'a' || n); END LOOP; END $$`)
	for _, want := range []int{more, 0} {
		if err := postgres.PurgeStaging(t.Context(), o.db, time.Now()); err != nil {
			t.Fatal(err)
		}
		if left := o.count(t, `SELECT count(*) FROM pg_tables WHERE schemaname = 'partitions' AND tablename LIKE 'staging%'`); left != want {
			t.Errorf("%d leaves are left, want %d", left, want)
		}
	}
}

// TestPurgeLeavesWhatIsRead: an auditor's query does not fail the import that
// purges after it was published, nor wait for it long.
func TestPurgeLeavesWhatIsRead(t *testing.T) {
	t.Parallel()
	o := open(t)
	postgrestest.Exec(t, o.conn, `UPDATE etl.imports SET status = 'réussi', published_at = '2024-01-01'`)
	leaf := postgres.Leaf{Kind: postgres.Staging, Resource: "ventes", ImportID: importID, Generation: 1}
	o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
		if err := leaf.Create(ctx, tx, from); err != nil {
			return err
		}
		return leaf.AttachByImport(ctx, tx)
	})
	o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Execute(ctx, `LOCK TABLE staging.ventes IN ACCESS SHARE MODE`); err != nil {
			return err
		}
		if err := postgres.PurgeStaging(ctx, o.db, time.Now()); err != nil {
			t.Errorf("the purge fails: %v", err)
		}
		return nil
	})
	exists := func() bool {
		return postgrestest.Scan[bool](t, o.conn, `SELECT to_regclass($1) IS NOT NULL`, leaf.Table())
	}
	if !exists() {
		t.Error("the leaf was dropped under its reader")
	}
	if err := postgres.PurgeStaging(t.Context(), o.db, time.Now()); err != nil || exists() {
		t.Errorf("the next purge leaves it: %v", err)
	}
}

// TestTables: the tables have the columns that the COPY streams are made for.
func TestTables(t *testing.T) {
	t.Parallel()
	o := open(t)
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	compare := func(table string, want []contract.Column) {
		rows, err := o.conn.Query(t.Context(), `SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
			WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c contract.Column, err error) {
			return c, row.Scan(&c.Name, &c.SQLType)
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Errorf("%s has %d columns, want %d", table, len(got), len(want))
			return
		}
		for i := range want {
			if got[i].Name != want[i].Name || got[i].SQLType != want[i].SQLType {
				t.Errorf("%s: column %d is %v, want %v", table, i+1, got[i], want[i])
			}
		}
	}
	for _, r := range pkg.Resources {
		compare("staging."+r.Name, r.StagingColumns())
		compare("staging."+r.Name+"_ready", r.StagingColumns())
		compare("final."+r.Name, r.TargetColumns())
		key := postgrestest.Scan[string](t, o.conn, `SELECT string_agg(a.attname, ', ' ORDER BY k.i) FROM pg_index x, unnest(x.indkey) WITH ORDINALITY k(attnum, i)
			JOIN pg_attribute a ON a.attnum = k.attnum WHERE x.indrelid = $1::regclass AND x.indisprimary AND a.attrelid = x.indrelid`, "final."+r.Name)
		if want := strings.Join(r.KeyColumns(), ", "); key != want {
			t.Errorf("the key of final.%s is %s, want %s", r.Name, key, want)
		}
	}
	compare("final.events", event.Columns())
	if got := o.count(t, `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'final' AND c.relkind IN ('r', 'p')`); got != 11 {
		t.Errorf("schema final has %d tables, want 11", got)
	}
	if got := o.count(t, `SELECT count(*) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = 'final' AND c.contype IN ('f', 'u')`); got != 0 {
		t.Errorf("schema final has %d foreign keys or unique keys: bad data must be a reject before", got)
	}
}

// TestNotNull: in final, exactly what the contract requires is NOT NULL.
func TestNotNull(t *testing.T) {
	t.Parallel()
	o := open(t)
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range pkg.Resources {
		for _, f := range r.Fields {
			got := postgrestest.Scan[bool](t, o.conn, `SELECT attnotnull FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2`, "final."+r.Name, f.Target)
			if got != f.Required {
				t.Errorf("final.%s.%s is NOT NULL: %v, want %v", r.Name, f.Target, got, f.Required)
			}
		}
	}
}
