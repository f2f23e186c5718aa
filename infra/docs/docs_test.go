package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const project = "../.."

// TestUpToDate is what `make docs` promises: the documents of the repository are
// those that its files give.
func TestUpToDate(t *testing.T) {
	if err := run(project, true, &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}

// TestDeterministic renders everything several times, as Go's maps have no order.
func TestDeterministic(t *testing.T) {
	first := renderAll(t)
	for range 5 {
		if again := renderAll(t); again != first {
			t.Fatal("the same files gave other documents")
		}
	}
}

func renderAll(t *testing.T) string {
	t.Helper()
	s, err := load(project)
	if err != nil {
		t.Fatal(err)
	}
	return dictionary(s) + statesPart(s) + tablesPart(s) + parametersPart(s)
}

// TestDictionaryIsComplete looks for every field, rule and message of the contract.
func TestDictionaryIsComplete(t *testing.T) {
	s, err := load(project)
	if err != nil {
		t.Fatal(err)
	}
	text := dictionary(s)
	want := func(what string) {
		t.Helper()
		if !strings.Contains(text, what) {
			t.Errorf("the dictionary lacks %q", what)
		}
	}
	for _, r := range s.contract.Resources {
		want("`final." + r.Name + "`")
		want(r.EventType)
		for _, f := range r.Fields {
			want("| `" + f.Name + "` | " + f.Title + " | ")
		}
		for _, rule := range r.Rules {
			want(rule.Message)
		}
		for _, rule := range r.ChildRules {
			want(rule.Message)
		}
		for _, c := range r.TargetColumns()[:len(r.TargetColumns())-4] {
			want("`" + c.Name + " " + shortType(c.SQLType) + "`")
		}
	}
}

// TestStates finds every state, at every level, in the diagram.
func TestStates(t *testing.T) {
	s, err := load(project)
	if err != nil {
		t.Fatal(err)
	}
	diagram := statesPart(s)
	var each func(l *level)
	each = func(l *level) {
		if got := len(l.order()); got != len(l.States) {
			t.Errorf("%d states in order, want %d", got, len(l.States))
		}
		for name, st := range l.States {
			if !strings.Contains(diagram, name+" --> ") {
				t.Errorf("the diagram lacks %s", name)
			}
			if st.ItemProcessor != nil {
				each(&st.ItemProcessor.level)
			}
		}
	}
	each(s.machine)
}

// TestCheckNamesTheStaleFile spoils one document of a copy.
func TestCheckNamesTheStaleFile(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{
		"template.yaml", "statemachine/import.asl.json", "docs/dictionnaire.md", "docs/diagrams.md", "docs/deploy.md",
	} {
		text, err := os.ReadFile(filepath.Join(project, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stale := filepath.Join(root, "docs/dictionnaire.md")
	if err := os.WriteFile(stale, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(root, true, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "docs/dictionnaire.md") || strings.Contains(err.Error(), "docs/deploy.md") {
		t.Fatalf("check says %v", err)
	}
	if text, _ := os.ReadFile(stale); string(text) != "old" {
		t.Fatal("check wrote a file")
	}
	var out bytes.Buffer
	if err := run(root, false, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "wrote docs/dictionnaire.md\n" {
		t.Errorf("run wrote %q", got)
	}
	if err := run(root, true, &out); err != nil {
		t.Errorf("after writing: %v", err)
	}
}

// TestReplacePart covers the comments around a generated part.
func TestReplacePart(t *testing.T) {
	const begin, end = "<!-- begin generated: x -->\n", "<!-- end generated: x -->\n"
	for name, tc := range map[string]struct{ text, want string }{
		"filled":    {"a\n" + begin + "old\n" + end + "b\n", "a\n" + begin + "new\n" + end + "b\n"},
		"empty":     {begin + end, begin + "new\n" + end},
		"missing":   {"a\n", ""},
		"twice":     {begin + end + begin + end, ""},
		"backwards": {end + begin, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := replacePart(tc.text, "x", "new\n")
			if got != tc.want || (err != nil) != (tc.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}
