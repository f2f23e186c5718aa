//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sensible says how a control function answers its sample event on this stack:
// the event speaks of another bucket, an execution and an import that are not
// known here, and the first day, which has an import.
var sensible = map[string]func(answer map[string]any, failed string) bool{ //nolint:gochecknoglobals // a constant table
	"intake": func(a map[string]any, failed string) bool { return failed == "" && a["outcome"] == "ignored" },
	"track":  func(a map[string]any, failed string) bool { return failed == "" && len(a) == 0 },
	"sweep":  func(a map[string]any, failed string) bool { return failed == "" && a["due"] == firstDay },
	"rerun":  func(_ map[string]any, failed string) bool { return strings.HasPrefix(failed, "Refused: ") },
}

// TestSampleEvents: the functions answer their sample events, which start nothing.
func TestSampleEvents(t *testing.T) {
	sc := baseline(t)
	sc.newestDay(t)
	imports := len(sc.allImports(t))
	paths, err := filepath.Glob(filepath.Join("functions", "*", "event.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		names = append(names, name)
		body := read(t, path)
		if !json.Valid(body) {
			t.Errorf("%s is no JSON", path)
			continue
		}
		if name == "migrate" {
			continue // its event asks for an answer to an address of CloudFormation
		}
		answer, failed := sc.invoke(t, strings.ToUpper(name[:1])+name[1:]+"Function", json.RawMessage(body))
		check := sensible[name]
		if check == nil {
			// A state answers for an import that is not there with a fault that the machine knows.
			check = func(_ map[string]any, failed string) bool { return named(failed) }
		}
		if !check(answer, failed) {
			t.Errorf("%s answers its sample event with %v %s", name, answer, failed)
		}
	}
	for name := range sensible {
		if !slices.Contains(names, name) {
			t.Errorf("functions/%s has no sample event", name)
		}
	}
	if n := len(sc.allImports(t)); n != imports {
		t.Errorf("the sample events started %d imports", n-imports)
	}
}

// named tells whether an error is one of the faults that the machine knows.
func named(failed string) bool {
	name, _, _ := strings.Cut(failed, ":")
	return slices.Contains([]string{"Transient", "Unexpected", "MissingFiles", "InvalidFile", "Superseded", "Incompatible", "Mismatch", "BudgetExceeded", "Implausible", "TooManyRecords", "Refused", "AccessDenied", "KeyUnusable", "TokenKeyChanged"}, name)
}
