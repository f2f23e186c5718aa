package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPublishNights: a night replaces its own row, and leaves those of the others.
func TestPublishNights(t *testing.T) {
	document := filepath.Join(t.TempDir(), "faults.md")
	text := "before\n" + nightsBegin + "\n" + nightTable(map[string]string{"poisoned": "| poisoned | old |\n", "slow-day": "| slow-day | kept |\n"}) + "\n" + tableEnds + "after\n"
	if err := os.WriteFile(document, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := publishNights(document, nightRows([]nightResult{{night: nights()[3], summary: "new"}})); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(got); strings.Contains(text, "old") || strings.Count(text, "new") != 1 || strings.Count(text, "kept") != 1 || !strings.HasSuffix(text, "after\n") {
		t.Errorf("it is\n%s", text)
	}
}

// TestNights: every night has a name of its own, and both sizes.
func TestNights(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range nights() {
		if seen[n.name] || n.full.clients == 0 || n.small.clients == 0 || n.run == nil {
			t.Errorf("%s: %+v", n.name, n)
		}
		seen[n.name] = true
	}
}
