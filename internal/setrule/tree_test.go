package setrule

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
)

//go:embed testdata/trees/datapackage.json
var treeDescriptor []byte

// treeRow is a record of a resource with a relation to itself; 0 is no value.
// Its line number is its place from 2 on.
type treeRow struct {
	key, parent int
	rejected    bool // by a rule over one record
}

// treeCase is a file, and the keys that earlier imports published.
type treeCase struct {
	resource  string
	initial   bool // the import replaces what is published
	rows      []treeRow
	published []int
}

// forest is a database with the tables of the resources of [treeDescriptor].
type forest struct {
	pkg   *contract.Package
	conn  *pgx.Conn
	scope Scope
}

func newForest(tb testing.TB) *forest {
	tb.Helper()
	pkg, err := contract.Parse(treeDescriptor)
	if err != nil {
		tb.Fatal(err)
	}
	conn, err := pgx.Connect(tb.Context(), server.URL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.WithoutCancel(tb.Context())) })
	f := &forest{pkg: pkg, conn: conn, scope: Scope{ImportID: importID, Generation: 1}}
	f.exec(tb, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash) VALUES ($1, 'daily', $2, 'en cours', 1, 'x')`, f.scope.ImportID, fileDate)
	for _, r := range pkg.Resources {
		f.exec(tb, `INSERT INTO etl.files (import_id, generation, resource, file, object_key, version_id, size_bytes) VALUES ($1, 1, $2, $2, 'k', 'v', 1)`, f.scope.ImportID, r.Name)
		f.exec(tb, fmt.Sprintf(`CREATE TABLE staging.%s (%s) PARTITION BY LIST (import_id)`, r.Name, definitions(r.StagingColumns())))
		f.exec(tb, fmt.Sprintf(`CREATE TABLE final.%s (%s)`, r.Name, definitions(r.TargetColumns())))
	}
	return f
}

func definitions(columns []contract.Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name + " " + c.SQLType
	}
	return strings.Join(list, ", ")
}

func (f *forest) exec(tb fataler, sql string, args ...any) {
	if _, err := f.conn.Exec(context.Background(), sql, args...); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// fataler is a test or a check of a property.
type fataler interface {
	Fatalf(format string, args ...any)
}

// load stages rows from a table expression (line_number, key, parent, rejected) in
// an open transaction, as Index leaves them.
func (f *forest) load(tb fataler, tx pgx.Tx, r *contract.Resource, rows string, args ...any) {
	ctx := context.Background()
	leaf := leafOf(f.scope, r)
	if err := leaf.Create(ctx, transactionOf(tx), postgres.Source{FileDate: fileDate, FileType: r.FileType, File: r.Name}); err != nil {
		tb.Fatalf("leaf: %v", err)
	}
	var values []string
	for _, c := range r.StagingKey(r.Key) {
		values = append(values, keyValue(c, "key"))
	}
	columns := r.StagingKey(r.Key)
	for _, c := range r.StagingKey(r.Relations[0].Fields) {
		columns, values = append(columns, c), append(values, keyValue(c, "parent"))
	}
	f.exec(tb, fmt.Sprintf(`INSERT INTO %s (chunk, line_number, %s) SELECT 0, line_number, %s FROM %s`,
		leaf.Table(), strings.Join(columns, ", "), strings.Join(values, ", "), rows), args...)
	f.exec(tb, fmt.Sprintf(`INSERT INTO etl.rejects SELECT %s, 1, '%s', line_number FROM %s WHERE rejected`, postgres.QuoteLiteral(f.scope.ImportID), r.Name, rows), args...)
	if err := index(ctx, tx, leaf, r); err != nil {
		tb.Fatalf("index: %v", err)
	}
}

// keyValue makes the value of a staging column from a number: a bigint, a token,
// or a text that several numbers share.
func keyValue(column, number string) string {
	switch {
	case strings.HasSuffix(column, "_token"):
		return `'\x01'::bytea || decode(md5(` + number + `::text), 'hex')`
	case strings.HasSuffix(column, "site"):
		return "'site ' || coalesce(" + number + ", 0) % 2"
	default:
		return number
	}
}

// apply applies the rules over more than one record and returns what they found:
// line, rule and text.
func (f *forest) apply(tb fataler, c treeCase) []string {
	ctx := context.Background()
	tx, err := f.conn.Begin(ctx)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	r := f.pkg.Resource(c.resource)
	var keys, parents []*int
	var rejected []bool
	for _, row := range c.rows {
		keys, parents, rejected = append(keys, optional(row.key)), append(parents, optional(row.parent)), append(rejected, row.rejected)
	}
	f.load(tb, tx, r, `(SELECT n + 1 AS line_number, key, parent, rejected FROM unnest($1::bigint[], $2::bigint[], $3::bool[]) WITH ORDINALITY u(key, parent, rejected, n)) rows`, keys, parents, rejected)
	if r.Load == contract.LoadUpsert {
		key := r.KeyColumns()[0]
		f.exec(tb, fmt.Sprintf(`INSERT INTO final.%s (%s) SELECT %s FROM unnest($1::bigint[]) key`, r.Name, key, keyValue(key, "key")), c.published)
	}
	scope := f.scope
	scope.Initial = c.initial
	if err := applyAll(ctx, transactionOf(tx), scope, f.pkg, c.resource); err != nil {
		tb.Fatalf("%v", err)
	}
	found := texts(tb, tx, `SELECT concat_ws(' ', line_number, rule, error_details) FROM etl.errors ORDER BY line_number, rule, error_details`)
	if unexplained := texts(tb, tx, `SELECT line_number::text FROM etl.rejects FULL JOIN (SELECT DISTINCT line_number FROM etl.errors) e USING (line_number)
		WHERE rejects.line_number IS NULL`); len(unexplained) > 0 {
		tb.Fatalf("errors of lines %v, which are not rejected", unexplained)
	}
	return found
}

// applyAll applies all rules of one resource in a transaction.
func applyAll(ctx context.Context, tx Transaction, scope Scope, pkg *contract.Package, resource string) error {
	for _, rule := range Rules(pkg) {
		if rule.Resource.Name != resource {
			continue
		}
		if _, err := rule.Apply(ctx, tx, scope); err != nil {
			return err
		}
	}
	return nil
}

func optional(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func texts(tb fataler, tx pgx.Tx, sql string) []string {
	rows, err := tx.Query(context.Background(), sql)
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	return found
}

// treeModel judges a file by the words of the contract, one record after the
// other, and nothing else.
type treeModel struct {
	treeCase
	shielded bool // a published parent counts
	rejected []bool
	told     []string // the rule of the relation that a record breaks, "" for none
}

// want is what the set rules have to find in a file.
func (c treeCase) want(r *contract.Resource) []string {
	m := treeModel{treeCase: c, shielded: r.Load == contract.LoadUpsert && !c.initial, told: make([]string, len(c.rows))}
	found := []string{}
	first := map[int]int{}
	for i, row := range c.rows {
		m.rejected = append(m.rejected, row.rejected)
		line, again := first[row.key]
		switch {
		case row.key == 0:
		case again:
			m.rejected[i] = true
			found = append(found, fmt.Sprintf("%d primaryKey %s", i+2, DuplicateText(r.Key, int64(line))))
		default:
			first[row.key] = i + 2
		}
	}
	m.cascade()
	if r.Relations[0].Acyclic {
		m.cycles()
		m.cascade()
	}
	for i, rule := range m.told {
		switch rule {
		case "foreignKey":
			found = append(found, fmt.Sprintf("%d %s %s", i+2, rule, UnknownParentText(r.Relations[0].Fields, r.Name)))
		case "cycle":
			found = append(found, fmt.Sprintf("%d %s %s", i+2, rule, CycleText(r.Relations[0].Fields)))
		}
	}
	slices.SortFunc(found, func(a, b string) int {
		left, right := strings.Fields(a), strings.Fields(b)
		if left[0] != right[0] {
			return number(left[0]) - number(right[0])
		}
		return strings.Compare(left[1], right[1])
	})
	return found
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// parent is the place of the valid record with a key, -1 for none. A later record
// of the same key is never valid.
func (m *treeModel) parent(key int) int {
	place := slices.IndexFunc(m.rows, func(row treeRow) bool { return row.key == key })
	if place >= 0 && m.rejected[place] {
		return -1
	}
	return place
}

// cascade rejects what has no valid parent, until nothing changes.
func (m *treeModel) cascade() {
	for changed := true; changed; {
		changed = false
		for i, row := range m.rows {
			if row.parent == 0 || m.told[i] != "" || m.parent(row.parent) >= 0 || m.shielded && slices.Contains(m.published, row.parent) {
				continue
			}
			m.rejected[i], m.told[i], changed = true, "foreignKey", true
		}
	}
}

// cycles rejects the records from which following the parents leads back.
func (m *treeModel) cycles() {
	var members []int
	for i := range m.rows {
		at := i
		for range m.rows {
			if m.rejected[at] || m.rows[at].parent == 0 {
				break
			}
			if at = m.parent(m.rows[at].parent); at < 0 {
				break
			}
			if at == i {
				members = append(members, i)
				break
			}
		}
	}
	for _, i := range members {
		m.rejected[i], m.told[i] = true, "cycle"
	}
}

// treeCases draws files: forests, chains, stars and cycles in any order of lines,
// with duplicates, rejects, records of their own parent and unknown parents.
func treeCases(resources []string) *rapid.Generator[treeCase] {
	return rapid.Custom(func(t *rapid.T) treeCase {
		c := treeCase{
			resource: rapid.SampledFrom(resources).Draw(t, "resource"),
			initial:  rapid.Bool().Draw(t, "initial"),
		}
		size := rapid.IntRange(1, 24).Draw(t, "keys")
		shape := rapid.SampledFrom([]string{"any", "chain", "star", "cycle", "tail"}).Draw(t, "shape")
		for key := 1; key <= size; key++ {
			row := treeRow{key: key}
			switch shape {
			case "chain":
				row.parent = key - 1
			case "star":
				row.parent = min(key-1, 1)
			case "cycle":
				row.parent = key%size + 1
			case "tail": // below a small cycle
				row.parent = max(key-1, 1)
				if key == 1 {
					row.parent = min(3, size)
				}
			default:
				row.parent = rapid.IntRange(0, size+2).Draw(t, "parent")
			}
			if rapid.IntRange(0, 9).Draw(t, "other") == 0 {
				row.parent = rapid.IntRange(0, size+2).Draw(t, "other parent")
			}
			row.rejected = rapid.IntRange(0, 19).Draw(t, "rejected") == 0
			c.rows = append(c.rows, row)
			if rapid.IntRange(0, 19).Draw(t, "again") == 0 {
				c.rows = append(c.rows, treeRow{key: rapid.IntRange(0, size).Draw(t, "key"), parent: rapid.IntRange(0, size+2).Draw(t, "parent")})
			}
		}
		for i := range c.rows {
			c.rows[i].rejected = c.rows[i].rejected || c.rows[i].key == 0 // a key is required
		}
		c.rows = rapid.Permutation(c.rows).Draw(t, "lines")
		c.published = rapid.SliceOfNDistinct(rapid.IntRange(1, size+2), 0, 4, rapid.ID).Draw(t, "published")
		return c
	})
}

// TestTreeAgainstModel: the SQL of a relation of a resource to itself finds what
// a plain model finds, for keys of every kind and both modes.
func TestTreeAgainstModel(t *testing.T) {
	t.Parallel()
	f := newForest(t)
	resources := []string{"plain", "kept", "secret", "loose", "pair"}
	rapid.Check(t, func(t *rapid.T) {
		c := treeCases(resources).Draw(t, "file")
		if diff := cmp.Diff(c.want(f.pkg.Resource(c.resource)), f.apply(t, c)); diff != "" {
			t.Fatalf("%+v (-model +SQL)\n%s", c, diff)
		}
	})
}
