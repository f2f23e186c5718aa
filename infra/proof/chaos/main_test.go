package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestArguments: what cannot be run is refused before anything is started.
func TestArguments(t *testing.T) {
	for name, arguments := range map[string][]string{
		"unknown cell":     {"Nowhere/killed/daily"},
		"unknown flag":     {"-slow"},
		"partial document": {"-publish", "docs/chaos.md", "Stage/killed/daily"},
	} {
		if err := run(t.Context(), arguments); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestReportPublishes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chaos.md")
	if err := os.WriteFile(path, []byte("# Title\n"+tableBegins+tableEnds), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := report([]result{{cell: cells()[0], recovered: true}}, path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path) //nolint:gosec // made by this test
	if err != nil || !strings.HasPrefix(string(text), "# Title\n") || !strings.Contains(string(text), "\nAt "+revision()+":\n") || !strings.Contains(string(text), "| Open | yes 0/0 |") || !strings.Contains(string(text), "\n- kms: ") {
		t.Errorf("%s\n%v", text, err)
	}
	if err := report(nil, path); err != nil {
		t.Errorf("a run without a result: %v", err)
	}
}
