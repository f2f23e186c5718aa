package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/event"
)

const project = "../.."

// TestUpToDate is what `make docs` promises: the documents of the repository are
// those that its files give.
func TestUpToDate(t *testing.T) {
	s, err := load(project)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(s, project, true, &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
	if err := checkDocuments(project); err != nil {
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
	return dictionary(s) + mapping(s) + validationRules(s) + transformations(s) + events(s) + statesPart(s) + tablesPart(s) + importsPart(s) + parametersPart(s)
}

// TestFrenchDocumentsAreComplete looks for every field, rule, message and column of
// the contract in the document that is about it.
func TestFrenchDocumentsAreComplete(t *testing.T) {
	s, err := load(project)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{
		fileDictionary: dictionary(s), fileMapping: mapping(s), fileRules: validationRules(s), fileTransformations: transformations(s), fileEvents: events(s),
	}
	want := func(document, what string) {
		t.Helper()
		if !strings.Contains(texts[document], what) {
			t.Errorf("docs/%s lacks %q", document, what)
		}
	}
	for _, r := range s.contract.Resources {
		for document := range texts {
			want(document, ". "+r.Title+" — `"+r.Name+"`\n")
		}
		want(fileMapping, "`"+r.FileType+"` → `staging."+r.Name+"` → `final."+r.Name+"` — "+loadAction(r.Load))
		want(fileEvents, "Type `"+r.EventType+"`")
		want(fileEvents, "| `"+r.EventType+"` | `"+r.FileType+"` | `final."+r.Name+"` |")
		for _, f := range r.Fields {
			want(fileDictionary, "| `"+f.Name+"` | "+f.Title+" | ")
			want(fileMapping, "| `"+f.Name+"` | `"+string(f.Type)+"` | "+stagedAs(r, f)+" | "+targets(f)+" | `"+f.Target+"` |")
			want(fileRules, "| `"+f.Name+"` | `"+contract.RuleType+"` | ")
			want(fileTransformations, "| `"+f.Name+"` | "+transformation(f)+" | "+targets(f)+" |")
			want(fileEvents, "| `"+f.Target+"` | "+eventType(f)+" | champ `"+f.Name+"` |")
		}
		for _, rule := range r.Rules {
			want(fileRules, rule.Message)
		}
		for _, rule := range r.ChildRules {
			want(fileRules, rule.Message)
		}
		for _, c := range r.TargetColumns()[:len(r.TargetColumns())-4] {
			want(fileMapping, "`"+c.Name+" "+shortType(c.SQLType)+"`")
		}
		for _, c := range r.TargetColumns()[len(r.TargetColumns())-4:] {
			want(fileMapping, "| `"+c.Name+"` | `"+shortType(c.SQLType)+"` | ")
		}
		if r.Enrichment != nil {
			for _, f := range r.Enrichment.Fields {
				want(fileDictionary, "| `"+f.Name+"` | `"+string(f.Type)+"` | "+constraints(f.Field())+" | "+sensitivity(f.Field())+" |")
				want(fileTransformations, "| `"+f.Name+"` | `"+string(f.Type)+"` | "+answerTransformation(f)+" |")
				want(fileEvents, "| `"+f.Name+"` | "+eventType(f.Field())+" | source ")
			}
		}
	}
	for _, c := range event.Columns() {
		if eventColumn(c.Name) == "" {
			t.Errorf("docs/%s does not explain the column %s", fileEvents, c.Name)
		}
	}
}

// TestLinks: the documents in French name each other.
func TestLinks(t *testing.T) {
	s, err := load(project)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents() {
		if d.whole == nil {
			continue
		}
		text := d.whole(s)
		for _, other := range documents() {
			if link := "](" + filepath.Base(other.path) + ")"; other.whole != nil && other.path != d.path && !strings.Contains(text, link) {
				t.Errorf("%s does not link %s", d.path, other.path)
			}
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
	s, err := load(project)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range documents() {
		names = append(names, d.path)
	}
	for _, name := range names {
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
	err = run(s, root, true, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "docs/dictionnaire.md") || strings.Contains(err.Error(), "docs/deploy.md") {
		t.Fatalf("check says %v", err)
	}
	if text, _ := os.ReadFile(stale); string(text) != "old" {
		t.Fatal("check wrote a file")
	}
	var out bytes.Buffer
	if err := run(s, root, false, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "wrote docs/dictionnaire.md\n" {
		t.Errorf("run wrote %q", got)
	}
	if err := run(s, root, true, &out); err != nil {
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
