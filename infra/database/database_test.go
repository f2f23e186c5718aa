package database_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"etl-dataloader/infra/database"
)

// TestStatements: each statement of the script stands on a line of its own, names no
// variable any more, and sets no password.
func TestStatements(t *testing.T) {
	t.Parallel()
	names := database.Names{Database: `a"b`, Owner: "o", Loader: "l", Reader: "r"}
	all := names.Statements()
	if len(all) < 10 {
		t.Errorf("%d statements", len(all))
	}
	for _, s := range all {
		if !strings.HasSuffix(s, ";") || strings.Contains(s, `:"`) || strings.Contains(s, "PASSWORD") {
			t.Errorf("%s: no statement that stands alone", s)
		}
	}
	if want := `REVOKE ALL ON DATABASE "a""b" FROM PUBLIC;`; !slices.Contains(all, want) {
		t.Errorf("the script has no %s", want)
	}
	of := names.OfDatabase()
	if len(of) != 4 || strings.Contains(strings.Join(of, ""), "ROLE") {
		t.Errorf("of the database: %q", of)
	}
}

// TestDocumented: what the administrator is told to run is the script.
func TestDocumented(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(script)) {
		if command, ok := strings.CutPrefix(line, "--   "); ok && !strings.Contains(string(guide), strings.TrimSpace(command)) {
			t.Errorf("docs/deploy.md does not have %s", command)
		}
	}
}
