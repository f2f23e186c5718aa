package main

import (
	"slices"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct{ want, got, more, less []string }{
		"same in another order": {want: []string{"a", "b", "a"}, got: []string{"a", "a", "b"}},
		"a duplicate":           {want: []string{"a", "b"}, got: []string{"a", "b", "b"}, more: []string{"b"}},
		"a loss":                {want: []string{"a", "b", "b"}, got: []string{"a", "b"}, less: []string{"b"}},
		"another value":         {want: []string{"a"}, got: []string{"c"}, more: []string{"c"}, less: []string{"a"}},
		"nothing":               {want: []string{"a"}, less: []string{"a"}},
	} {
		if d := compare(c.want, c.got); !slices.Equal(d.more, c.more) || !slices.Equal(d.less, c.less) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestKinds: what is said of a difference holds no value.
func TestKinds(t *testing.T) {
	got := kinds([]string{"event clients 7 Martin", "target ventes 2 12.50", "event clients 9 Durand"})
	if got != "2 event clients, 1 target ventes" {
		t.Errorf("got %q", got)
	}
}

func TestTable(t *testing.T) {
	at := func(name string) cell {
		c, err := choose([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		return c[0]
	}
	results := []result{
		{cell: at("Stage/killed/daily"), recovered: true, seconds: 2},
		{cell: at("Stage/timeout/daily"), recovered: true, duplicates: 3, losses: 1, seconds: 3},
		{cell: at("Publish/killed/daily"), trouble: "the import is «échoué»"},
		{cell: at("Plan/killed/initial"), recovered: true, orphans: 1, trouble: "left of other generations"},
	}
	var b strings.Builder
	if err := table(&b, results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"4 cells, 1 recovered without a duplicate, a loss or an orphan, 5 s.", "| Stage |  |  | yes 0/0 | **yes 3/1** |", "| Publish |  |  | **no** |",
		"| Plan |  |  | **yes 0/0** |", "| Scan |  |  |  |  | – | – | – |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	for i, want := range []bool{true, false, false, false} {
		if results[i].good() != want {
			t.Errorf("result %d is good: %v", i, !want)
		}
	}
}

func TestReplaceTable(t *testing.T) {
	document := "before\n" + tableBegins + "an older one\n" + tableEnds + "after\n"
	got, err := replaceTable(document, tableBegins, "a new one\n")
	if want := "before\n" + tableBegins + "\na new one\n\n" + tableEnds + "after\n"; got != want || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if again, err := replaceTable(got, tableBegins, "a new one\n"); again != got || err != nil {
		t.Errorf("a second time: %q, %v", again, err)
	}
	if _, err := replaceTable("no marks", tableBegins, "a new one\n"); err == nil {
		t.Error("a document without marks is taken")
	}
}

func TestWithoutInserts(t *testing.T) {
	lines := []string{"inserted staging_clients_ 70", "event clients 7 inserted", "file clients"}
	if got := withoutInserts(lines); !slices.Equal(got, lines[1:]) || len(lines) != 3 || lines[0] != "inserted staging_clients_ 70" {
		t.Errorf("got %v of %v", got, lines)
	}
}

func TestMissingKinds(t *testing.T) {
	lines := []string{
		"target a 1", "event a 1", "error a 1", "reject a 1", "file a 1", "ledger a 1", "import a 1", "table a 1", "staged a 1", "object a 1",
		inserted + " staging_clients_ 0",
	}
	if got := missingKinds(lines); !slices.Equal(got, []string{inserted}) {
		t.Errorf("got %v", got)
	}
	if got := missingKinds(append(lines, inserted+" staging_ventes_ 70")); got != nil {
		t.Errorf("got %v", got)
	}
}
