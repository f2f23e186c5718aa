package contract_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
)

var update = flag.Bool("update", false, "rewrite golden files")

// The summary is the ten files as people agreed on them: read a difference as a
// change of that agreement.
func TestSummary(t *testing.T) {
	golden := filepath.Join("testdata", "summary.golden")
	got := summary(load(t))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; rerun with -update and read the diff:\n%s", golden, diff)
	}
}

func load(t testing.TB) *contract.Package {
	t.Helper()
	p, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func summary(p *contract.Package) string {
	var s strings.Builder
	for i, r := range p.Resources {
		fmt.Fprintf(&s, "%d. %s (%s) -> %s, %s, key %s, event %s", i+1, r.FileType, r.Alias, r.Name, r.Load, strings.Join(r.Key, "+"), r.EventType)
		if r.EmptyAllowed {
			s.WriteString(", may be empty")
		}
		fmt.Fprintf(&s, "\n   dialect %c %c %c %s\n", r.Delimiter, r.Quote, r.DecimalMark, r.Encoding)
		for _, f := range r.Fields {
			fmt.Fprintf(&s, "   - %s\n", field(f))
		}
		for _, key := range r.Unique {
			fmt.Fprintf(&s, "   unique %s\n", strings.Join(key, "+"))
		}
		for _, rel := range r.Relations {
			fmt.Fprintf(&s, "   %s -> %s(%s) acyclic=%t\n", strings.Join(rel.Fields, "+"), rel.Resource, strings.Join(rel.ParentFields, "+"), rel.Acyclic)
		}
		for _, rule := range r.Rules {
			fmt.Fprintf(&s, "   rule %s on %s: %s, reads %v, presence of %v\n", rule.Name, rule.Field, rule.Expression, rule.Fields, rule.Presence)
		}
		for _, rule := range r.ChildRules {
			fmt.Fprintf(&s, "   rule %s: %s %s %s.%s, sum %t\n", rule.Name, rule.Field, rule.Comparison, r.Relations[rule.Relation].Resource, rule.ParentField, rule.Sum)
		}
		if e := r.Enrichment; e != nil {
			kind := strings.TrimSpace(string(e.Kind) + " " + string(e.Version))
			fmt.Fprintf(&s, "   enriched by %s %s, by %v, reveals %v: %s\n", kind, e.Source, e.Key, e.Reveal, limits(e.Limits))
			if e.Query != "" {
				fmt.Fprintf(&s, "   asked by %s\n", e.Query)
			}
			for _, f := range e.Fields {
				fmt.Fprintf(&s, "   + %s\n", field(f.Field()))
			}
		}
		fmt.Fprintf(&s, "   staging: %s\n   target: %s\n   key columns: %s\n", columns(r.StagingColumns()), columns(r.TargetColumns()), strings.Join(r.KeyColumns(), ", "))
	}
	return s.String()
}

func field(f *contract.Field) string {
	text := f.Name + " " + string(f.Type)
	if f.Format != "" {
		text += "/" + f.Format
	}
	if f.Target != f.Name {
		text += " -> " + f.Target
	}
	if f.Required {
		text += " required"
	}
	for _, b := range []struct {
		sign  string
		limit fmt.Stringer
		set   bool
	}{
		{">=", f.Minimum, f.Minimum != nil},
		{">", f.ExclusiveMinimum, f.ExclusiveMinimum != nil},
		{"<=", f.Maximum, f.Maximum != nil},
		{"<", f.ExclusiveMaximum, f.ExclusiveMaximum != nil},
	} {
		if b.set {
			text += " " + b.sign + b.limit.String()
		}
	}
	if f.Earliest.Text != "" {
		text += fmt.Sprintf(" from %s to %s", f.Earliest.Text, f.Latest.Text)
	}
	if f.MinLength > 0 || f.MaxLength > 0 {
		text += fmt.Sprintf(" length %d..%d", f.MinLength, f.MaxLength)
	}
	if f.Pattern != nil {
		text += " " + f.Pattern.String()
	}
	if len(f.Enum) > 10 {
		text += fmt.Sprintf(" one of %d", len(f.Enum))
	} else if f.Enum != nil {
		text += fmt.Sprintf(" one of %v", f.Enum)
	}
	switch f.Sensitivity {
	case contract.Cipher:
		text += " C"
	case contract.Token:
		text += " T(" + f.Domain + ")"
	case contract.Public:
	}
	return text
}

func limits(l contract.SourceLimits) string {
	return fmt.Sprintf("%d keys a call, %d calls in flight, %v a second, answered in %v or %v", l.Batch, l.CallsInFlight, l.CallsPerSecond, l.BatchTimeout, l.LookupTimeout)
}

func columns(list []contract.Column) string {
	texts := make([]string, len(list))
	for i, c := range list {
		texts[i] = c.Name + " " + c.SQLType
	}
	return strings.Join(texts, ", ")
}
