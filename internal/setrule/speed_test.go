package setrule

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
)

// staged is an import whose clients and sales are staged and indexed, with
// planted duplicates, orphans and rejects; the small files are there too.
type staged struct {
	scope Scope
	pkg   *contract.Package
	conn  *pgx.Conn
}

// smallRows is how many products, stores and so on there are.
const smallRows = 1000

// stage fills the staging tables with rows of about the widths that real ones
// have: so many clients, and three times as many sales.
func stageForRules(tb testing.TB, clients int) *staged {
	tb.Helper()
	pkg, err := contract.Load()
	if err != nil {
		tb.Fatal(err)
	}
	conn, err := pgx.Connect(tb.Context(), server.URL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.WithoutCancel(tb.Context())) })
	s := &staged{scope: Scope{ImportID: importID, Generation: 1, Initial: true}, pkg: pkg, conn: conn}
	s.exec(tb, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash) VALUES ($1, 'initial', $2, 'en cours', 1, 'x')`, s.scope.ImportID, fileDate)
	sizes := map[string]int{"clients": clients, "ventes": 3 * clients}
	tx := s.begin(tb)
	for _, r := range pkg.Resources {
		count := sizes[r.Name]
		if count == 0 {
			count = smallRows
		}
		leaf := leafOf(s.scope, r)
		if err := leaf.Create(tb.Context(), transactionOf(tx), postgres.Source{FileDate: fileDate, FileType: r.FileType, File: r.Name + ".csv"}); err != nil {
			tb.Fatal(err)
		}
		for _, statement := range []struct {
			sql  string
			args []any
		}{
			{
				`INSERT INTO etl.files (import_id, generation, resource, file, object_key, version_id, size_bytes) VALUES ($1, 1, $2, $3, 'k', 'v', 1)`,
				[]any{s.scope.ImportID, r.Name, r.Name + ".csv"},
			},
			{stagedRows(r, leaf.Table(), clients, count), nil},
			{`INSERT INTO etl.rejects SELECT $1, 1, $2, n FROM generate_series(2, $3::int + 1) n WHERE n % 101 = 0`, []any{s.scope.ImportID, r.Name, count}},
			{
				`INSERT INTO etl.errors SELECT $1, 1, $2 || '.csv', $2, 0, n, 'x', 'required', 'Le champ est vide.', $4 FROM generate_series(2, $3::int + 1) n WHERE n % 101 = 0`,
				[]any{s.scope.ImportID, r.Name, count, etl.StepValidation},
			},
		} {
			if _, err := tx.Exec(tb.Context(), statement.sql, statement.args...); err != nil {
				tb.Fatalf("%s: %v", statement.sql, err)
			}
		}
		if err := index(tb.Context(), tx, leaf, r); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tx.Commit(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	s.exec(tb, `ANALYZE etl.rejects`)
	s.exec(tb, `ANALYZE etl.errors`)
	return s
}

// index leaves a filled leaf as the import does before its rules are applied.
func index(ctx context.Context, tx pgx.Tx, leaf postgres.Leaf, r *contract.Resource) error {
	return transactionOf(tx).IndexStaging(ctx, leaf, r)
}

// stagedRows inserts the rows of a resource: every 503rd repeats the key of an
// earlier one, every 307th has a parent that does not exist.
func stagedRows(r *contract.Resource, table string, clients, count int) string {
	sources := map[string]int{"client_id": clients}
	var names, values []string
	for _, c := range r.StagingStream() {
		value := "repeat('t', 12)"
		field := r.Field(strings.TrimSuffix(strings.TrimSuffix(c.Name, "_key"), "_token"))
		key := field != nil && slices.Contains(r.Key, field.Name)
		if field != nil && !key && len(r.Unique) > 0 && slices.Contains(r.Unique[0], field.Name) {
			key = true
		}
		number := "(CASE WHEN n % 503 = 0 THEN n - 7 ELSE n END)"
		if !key {
			parents := smallRows
			if field != nil && sources[field.Name] > 0 {
				parents = sources[field.Name]
			}
			number = fmt.Sprintf("(CASE WHEN n %% 307 = 0 THEN n + 900000000 ELSE 2 + (n::bigint * 7919) %% %d END)", parents)
		}
		switch {
		case c.Name == "line_number":
			value = "n"
		case c.Name == "chunk":
			value = "0"
		case c.Name == "fault", c.Name == "raw", c.Name == "mistyped":
			value = "NULL"
		case strings.HasSuffix(c.Name, "_token"):
			value = "'\\x01'::bytea || decode(md5(" + number + "::text), 'hex')"
		case strings.HasSuffix(c.Name, "_key"):
			value = number
		case c.SQLType == "bytea":
			value = "decode(repeat('ab', 60), 'hex')"
		}
		names, values = append(names, c.Name), append(values, value)
	}
	return fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM generate_series(2, %d) n`, table, strings.Join(names, ", "), strings.Join(values, ", "), count+1)
}

func (s *staged) exec(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	if _, err := s.conn.Exec(tb.Context(), sql, args...); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// begin opens a transaction with the settings of CrossCheck.
func (s *staged) begin(tb testing.TB) pgx.Tx {
	tb.Helper()
	tx, err := s.conn.Begin(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := tx.Exec(tb.Context(), settings); err != nil {
		tb.Fatal(err)
	}
	return tx
}

// ruleRun is a way to apply a rule.
type ruleRun func(ctx context.Context, w *writer) error

// measure applies a rule in a transaction that is rolled back. It returns how
// long it took, and what it found if the result is asked for.
func (s *staged) measure(tb testing.TB, resource string, run ruleRun, result bool) (time.Duration, []string) {
	tb.Helper()
	tx := s.begin(tb)
	defer func() { _ = tx.Rollback(context.WithoutCancel(tb.Context())) }()
	rules := &writer{tx: transactionOf(tx), scope: s.scope, pkg: s.pkg, resource: s.pkg.Resource(resource)}
	began := time.Now()
	if err := run(tb.Context(), rules); err != nil {
		tb.Fatal(err)
	}
	took := time.Since(began)
	if !result {
		return took, nil
	}
	rows, err := tx.Query(tb.Context(), `SELECT concat_ws(' | ', e.line_number, e.field, e.rule, e.error_details, e.file, r.line_number IS NOT NULL)
		FROM etl.errors e LEFT JOIN etl.rejects r USING (import_id, generation, resource, line_number) WHERE resource = $1 AND chunk IS NULL ORDER BY 1`, resource)
	if err != nil {
		tb.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		tb.Fatal(err)
	}
	return took, found
}

// TestSetRulesAgainstHandWritten: the product's statements find what each of the
// hand-written ones finds.
func TestSetRulesAgainstHandWritten(t *testing.T) {
	t.Parallel()
	s := stageForRules(t, 3000)
	for _, rule := range measuredRules(s.pkg) {
		t.Run(rule.name, func(t *testing.T) {
			_, want := s.measure(t, rule.resource, rule.product, true)
			if len(want) == 0 {
				t.Error("nothing is found, so nothing is compared")
			}
			for name, hand := range rule.hand {
				if _, got := s.measure(t, rule.resource, hand, true); cmp.Diff(want, got) != "" {
					t.Errorf("%s: %d errors, the product finds %d (-product +hand)\n%s", name, len(got), len(want), cmp.Diff(want, got))
				}
			}
		})
	}
}

// rounds is how often a statement is measured; the median counts. A hand-written
// one that takes hopeless times as long as the product's is measured once.
const (
	rounds   = 3
	hopeless = 3
)

// product is the name of the product's own way among the hand-written ones.
const product = "product"

// compare measures the ways to apply a rule in turn, so that what else the
// machine does falls upon all, and returns their medians.
func (s *staged) compare(b *testing.B, rule measuredRule) map[string]time.Duration {
	b.Helper()
	ways := map[string]ruleRun{product: rule.product}
	for name, hand := range rule.hand {
		ways[name] = hand
	}
	took := map[string][]time.Duration{}
	for round := range rounds {
		for name, way := range ways {
			if round > 0 && took[name][0] > hopeless*took[product][0] {
				continue
			}
			each, _ := s.measure(b, rule.resource, way, false)
			took[name] = append(took[name], each)
		}
	}
	medians := map[string]time.Duration{}
	for name, all := range took {
		slices.Sort(all)
		medians[name] = all[len(all)/2]
	}
	return medians
}

// BenchmarkSetRules holds the product's statement of each rule against the best
// of the hand-written ones, over ROWS clients (100,000 unless the environment
// says otherwise) and three times as many sales. It fails above a ratio of 2.
func BenchmarkSetRules(b *testing.B) {
	clients, err := strconv.Atoi(os.Getenv("ROWS"))
	if err != nil {
		clients = 100_000
	}
	s := stageForRules(b, clients)
	for _, rule := range measuredRules(s.pkg) {
		b.Run(rule.name, func(b *testing.B) {
			medians := s.compare(b, rule)
			best := ""
			for name := range rule.hand {
				if best == "" || medians[name] < medians[best] {
					best = name
				}
			}
			ratio := medians[product].Seconds() / medians[best].Seconds()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(medians[product].Seconds(), "product-s")
			b.ReportMetric(medians[best].Seconds(), "hand-written-s")
			b.ReportMetric(ratio, "ratio")
			b.Logf("%v", medians)
			if ratio > 2 {
				b.Errorf("%s takes %.1f times as long as by the statement %q", rule.name, ratio, best)
			}
		})
	}
}
