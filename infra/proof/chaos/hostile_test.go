package main

import (
	"strings"
	"testing"
)

// TestHostileTable: every hostility has a row, and one that was not withstood shows.
func TestHostileTable(t *testing.T) {
	var results []result
	for _, mode := range modes() {
		for _, h := range hostilities() {
			results = append(results, result{cell: cell{step: step{name: h.name}, mode: mode}, recovered: h.name != "topic"})
		}
	}
	made := hostileTable(results)
	for _, h := range hostilities() {
		want := "| yes, 0 s | yes, 0 s |"
		if h.name == "topic" {
			want = "| **no** | **no** |"
		}
		if !strings.Contains(made, "| "+h.name+" | "+h.text+" "+want) {
			t.Errorf("%s has no such row: %s", h.name, made)
		}
	}
}

// TestHostilePatterns: what cannot be run is refused before anything is started.
func TestHostilePatterns(t *testing.T) {
	if err := run(t.Context(), []string{"-hostile", "-publish", "docs/chaos.md", "junk/daily"}); err == nil {
		t.Error("a part of the table is published")
	}
	for pattern, want := range map[string]bool{"junk": true, "junk/daily": true, "*/daily": true, "junk/initial": false, "topic": false} {
		if anyMatches([]string{pattern}, "junk/daily") != want {
			t.Errorf("%q matches junk/daily: want %v", pattern, want)
		}
	}
	if !anyMatches(nil, "junk/daily") {
		t.Error("without a pattern nothing is run")
	}
}

// TestPublishedLines keeps only what readers see.
func TestPublishedLines(t *testing.T) {
	got := published([]string{"target a", "error b", "event c", "ledger d"})
	if strings.Join(got, ";") != "target a;event c" {
		t.Errorf("%v", got)
	}
}
