package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckDependencies compares a go.mod with tables that are right and wrong.
func TestCheckDependencies(t *testing.T) {
	const mod = "module m\n\ngo 1.26.0\n\nrequire (\n\ta.com/x v1.2.0\n\tb.com/y/v2 v2.0.0\n)\n\nrequire c.com/z v0.1.0 // indirect\n"
	const x, y = "| `a.com/x` | parses |\n", "| `b.com/y/v2` | draws |\n"
	var many, rows strings.Builder
	for i := range maxDependencies + 1 {
		fmt.Fprintf(&many, "require d.com/m%d v1.0.0\n", i)
		fmt.Fprintf(&rows, "| `d.com/m%d` | reason |\n", i)
	}
	for name, tc := range map[string]struct{ mod, table, want string }{
		"complete": {mod, x + y, ""},
		"missing":  {mod, x, "lacks b.com/y/v2"},
		"empty":    {mod, x + "| `b.com/y/v2` |  |\n", "lacks b.com/y/v2"},
		"extra":    {mod, x + y + "| `c.com/z` | reason |\n", "c.com/z, which is no direct dependency"},
		"twice":    {mod, x + y + x, "two rows for a.com/x"},
		"too many": {many.String(), rows.String(), "26 direct dependencies"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, "docs"), 0o700); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{"go.mod": tc.mod, "docs/dependencies.md": tc.table} {
				if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := checkDependencies(root)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
