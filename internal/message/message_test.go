package message_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

const importID = "IMPORT_20241009_150000_001"

// TestAlerts: Amazon SNS takes subjects of fewer than 100 ASCII characters, and
// an alert says which import it is about.
func TestAlerts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	for name, a := range map[string]message.Alert{
		"bad name":    message.AlertBadNames([]message.RefusedName{{Key: long, Reason: message.BadDate}}, 1),
		"deadline":    message.AlertDeadline("2024-10-08", []string{"client_data", "sales_data"}, importID),
		"failed":      message.AlertFailed(importID, etl.StepValidation, long, long, long, long),
		"succeeded":   message.AlertSucceeded(importID, "daily", "2024-10-08", long),
		"incoherence": message.AlertIncoherence(importID, []string{long, long}),
	} {
		if len(a.Subject) == 0 || len(a.Subject) >= 100 {
			t.Errorf("%s: the subject has %d characters", name, len(a.Subject))
		}
		for _, r := range a.Subject {
			if r < ' ' || r > '~' {
				t.Errorf("%s: the subject has %q", name, r)
			}
		}
		if a.Text == "" || !utf8.ValidString(a.Text) {
			t.Errorf("%s: the text is %q", name, a.Text)
		}
		if name != "bad name" && !strings.Contains(a.Text, importID) {
			t.Errorf("%s: the text does not name the import", name)
		}
	}
}

// TestFaults: what stops an import says which one, or which file, and what to do.
func TestFaults(t *testing.T) {
	t.Parallel()
	for text, parts := range map[string][]string{
		message.MissingFiles(importID, []string{"client_data", "sales_data"}): {importID, "client_data, sales_data", "reprend"},
		message.InvalidFiles([][2]string{{"client_data_20241008.csv", "R"}}):  {"client_data_20241008.csv", "R", "restart"},
		message.Superseded(importID, 3):                                       {importID, "3"},
		message.Incompatible("k/0.copy", "R"):                                 {"k/0.copy", "R", "restart"},
		message.Mismatch(importID, "R"):                                       {importID, "R", "restart", "Rien n'a été publié"},
		message.Refused(importID, "R"):                                        {importID, "R"},
		message.CountMismatch("lignes", "clients", 3, "4"):                    {"lignes de clients", "3 attendus", "4 trouvés"},
		message.OrphanRows(5, "ventes", "store_id", "magasins"):               {"5 lignes de ventes", "'store_id'", "magasins"},
		message.NewerRowsKept("stocks", 7):                                    {"stocks", "7"},
		message.NotEnriched("clients", "timeout"):                             {"'clients'", "timeout"},
	} {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%q does not say %q", text, part)
			}
		}
	}
}

// TestNoTwoLogMessagesAlike: the constants that begin lines of the log and
// alerts are told apart by saved queries.
func TestNoTwoLogMessagesAlike(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range []string{"phase.go", "control.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Clean(name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, v := range spec.Values {
				literal, ok := v.(*ast.BasicLit)
				if !ok {
					continue
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil || text == "" {
					t.Errorf("%s is %s", spec.Names[i].Name, literal.Value)
				}
				if other, twice := seen[text]; twice {
					t.Errorf("%s and %s are both %q", other, spec.Names[i].Name, text)
				}
				seen[text] = spec.Names[i].Name
			}
			return true
		})
	}
	if len(seen) < 30 {
		t.Errorf("only %d texts were found", len(seen))
	}
}
