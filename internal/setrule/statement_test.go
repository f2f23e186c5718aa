package setrule

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
)

var update = flag.Bool("update", false, "rewrite golden files")

// recorder is a [Transaction] that keeps statements instead of running them.
type recorder struct{ strings.Builder }

func (r *recorder) Execute(_ context.Context, sql string, args ...any) (int64, error) {
	fmt.Fprintf(r, "%s\n", strings.TrimSpace(sql))
	if len(args) > 0 {
		fmt.Fprintf(r, "-- %v\n", args)
	}
	return 0, nil
}

func (r *recorder) Count(ctx context.Context, sql string, args ...any) (int64, error) {
	return r.Execute(ctx, sql, args...)
}

// TestStatements holds the SQL that the product's contract yields for a day, and
// that of the coherence of the published tables.
func TestStatements(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	scope := Scope{ImportID: importID, Generation: 1}
	var got recorder
	for _, rule := range Rules(pkg) {
		fmt.Fprintf(&got, "\n-- rule %d of %s\n", rule.Number, rule.Resource.Name)
		if _, err := rule.Apply(t.Context(), &got, scope); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range pkg.Resources {
		for _, relation := range r.Relations {
			fmt.Fprintf(&got, "\n-- orphans of %s\n", r.Name)
			if _, err := Orphans(t.Context(), &got, scope, pkg, r, relation); err != nil {
				t.Fatal(err)
			}
		}
	}
	golden := filepath.Join("testdata", "statements.sql")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s differs; rerun with -update and read the difference\n%s", golden, diff)
	}
}
