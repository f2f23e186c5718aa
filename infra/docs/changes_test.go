package main

import (
	"strings"
	"testing"
)

// TestCheckChanges tries rows that are right and wrong.
func TestCheckChanges(t *testing.T) {
	const head = "| Change | Touch | Notes |\n| --- | --- | --- |\n"
	for name, tc := range map[string]struct{ rows, want string }{
		"good":     {"| a rule | `a.go`, `docs` | `none.go` |\n", ""},
		"missing":  {"| a rule | `none.go` | |\n", "none.go, which does not exist"},
		"nothing":  {"| a rule | a.go | |\n", "touches 0 files"},
		"too many": {"| a rule | " + strings.Repeat("`a.go`, ", 7) + " | |\n", "touches 7 files"},
	} {
		t.Run(name, func(t *testing.T) {
			root := writeModule(t, map[string]string{"a.go": "", "docs/changes.md": head + tc.rows})
			err := checkChanges(root)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
