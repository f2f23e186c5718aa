package phase_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/precheck"
	"etl-dataloader/internal/totals"
	"etl-dataloader/internal/validation"
)

// fieldCase is a file as people really deliver them, and what must come of it: an
// entry of infra/proof/fieldcases/cases.json, whose check.py says what its members
// mean.
type fieldCase struct {
	Name, Main string
	Mode       etl.Mode
	Files      []string
	Expect     struct {
		Accept    []int64
		Reject    []fieldReject
		FileError any `json:"file_error"`
	}
	Forbidden []string `json:"forbid_in_output"`
	Message   []string `json:"message_must_match"`

	resource string          // of the main file; "" if its name is none
	content  map[string]file // by resource
}

// fieldReject is an error that a rejected record must have; empty members are any.
type fieldReject struct {
	Line        int64
	Field, Rule string
}

const (
	fieldCasesDir = "../../infra/proof/fieldcases"
	fieldDate     = "2024-10-08"
)

// loadFieldCases reads the cases. A file whose name is refused leaves its case
// without a resource.
func loadFieldCases(t *testing.T, l *line) []*fieldCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fieldCasesDir, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []*fieldCase
	decode(t, text, &cases)
	names, err := landing.FromContract(l.common.Contract)
	if err != nil {
		t.Fatal(err)
	}
	horizon := landing.Horizon{Now: l.common.Now, Days: 1}
	for _, c := range cases {
		c.content = map[string]file{}
		for _, name := range c.Files {
			content, err := os.ReadFile(filepath.Join(fieldCasesDir, c.Name, name))
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := names.Parse(string(c.Mode) + "/" + name)
			if err != nil || horizon.Check(parsed.Date) != nil {
				continue
			}
			c.content[parsed.Resource] = file{parsed.Format, string(content)}
			if name == c.Main {
				c.resource = parsed.Resource
			}
		}
	}
	return cases
}

func (c *fieldCase) refused() bool {
	return c.Expect.FileError != nil && c.Expect.FileError != false
}

// TestFieldCases: each file of infra/proof/fieldcases goes through Scan, Protect,
// Validate and CrossCheck, one record a chunk, with the lines as outcome that are
// expected, and with the very errors that `etlctl contract check` finds. The control
// totals that `etlctl import` would have written are satisfied by each.
func TestFieldCases(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.maxShrink = 100
	var loaded []*fieldCase
	for _, c := range loadFieldCases(t, l) {
		switch {
		case c.resource == "" && !c.refused():
			t.Errorf("%s: its name is refused", c.Name)
		case c.resource == "":
		case c.refused() && l.refusedByScan(t, c):
		default:
			loaded = append(loaded, c)
		}
	}
	together := batches(l, loaded)
	t.Logf("%d cases in %d imports", len(loaded), len(together))
	for _, together := range together {
		l.importCases(t, together)
	}
	l.expectNothingShown(t, loaded)
}

// refusedByScan scans a file that must be refused, and reports whether it was.
func (l *line) refusedByScan(t *testing.T, c *fieldCase) bool {
	t.Helper()
	r := l.upload(t, c.Mode, fieldDate, files(c.content))
	arrival := l.registry.arrivals[string(c.Mode)+fieldDate][c.resource]
	out, err := l.tinyScan(c.resource, c).Run(t.Context(), phase.ScanIn{Import: r.imp, File: phase.File{
		Resource: c.resource, File: c.Main, Key: arrival.Key, VersionID: arrival.VersionID, Bytes: arrival.Size, Format: c.content[c.resource].format,
	}})
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	if out.Refused != "" {
		c.expectReason(t, out.Refused)
	}
	return out.Refused != ""
}

// tinyScan cuts the files of the cases into chunks of one record, and the others not
// at all.
func (l *line) tinyScan(resource string, cases ...*fieldCase) *phase.Scan {
	scan := l.scan()
	if slices.ContainsFunc(cases, func(c *fieldCase) bool { _, own := c.content[resource]; return own }) {
		scan.ChunkBytes = 1
	}
	return scan
}

// batches puts the cases into as few imports as is sound: no file of a case depends
// on a file of another one.
func batches(l *line, cases []*fieldCase) (all [][]*fieldCase) {
	cases = slices.Clone(cases)
	slices.SortStableFunc(cases, func(a, b *fieldCase) int { return cmp.Compare(len(b.content), len(a.content)) })
	for _, c := range cases {
		n := slices.IndexFunc(all, func(batch []*fieldCase) bool {
			return !slices.ContainsFunc(batch, func(other *fieldCase) bool { return other.Mode != c.Mode || depend(l, c, other) })
		})
		if n < 0 || c.refused() {
			all = append(all, nil)
			n = len(all) - 1
		}
		all[n] = append(all[n], c)
	}
	return all
}

// depend reports whether two cases have files of one resource, or of resources of
// which one refers to the other, through others too.
func depend(l *line, a, b *fieldCase) bool {
	var refers func(from, to string) bool
	refers = func(from, to string) bool {
		if from == to {
			return true
		}
		for _, rel := range l.common.Contract.Resource(from).Relations {
			if rel.Resource != from && refers(rel.Resource, to) {
				return true
			}
		}
		return false
	}
	for one := range a.content {
		for other := range b.content {
			if refers(one, other) || refers(other, one) {
				return true
			}
		}
	}
	return false
}

// fieldDay is a day whose records are the parents of those of the cases. Whatever a
// case leaves of the categories, one of its products stays.
func fieldDay() rows {
	d := rows{
		"categories": {"1,Maison,"}, "fournisseurs": {"1,Dupont,contact@exemple.fr,"}, "magasins": {"1,Nord,Lille,FR,2010-05-01"},
		"clients":   {"1,Zoé,Lefèvre,zoe@exemple.fr,1000000009,,,,Lille,FR,2024-01-02T03:04:05Z"},
		"employes":  {"1,Luc,Petit,luc@exemple.fr,2000000009,1,2015-01-01,"},
		"ventes":    {"1,1,1,1,1,9.90,9.90,2024-10-08,web"},
		"stocks":    {"1,1,10,2024-10-08T20:00:00Z"},
		"paiements": {"1,1,9.90,carte,,2024-10-08T10:00:00Z"},
		"retours":   {"1,1,1,defaut,2024-10-08"},
	}
	for n := 1; n <= 9; n++ {
		d["produits"] = append(d["produits"], fmt.Sprintf("%d,Lampe,%d,1,9.90,EUR,true", n, n))
	}
	return d
}

// importCases runs an import with the files of cases up to CrossCheck and compares
// what comes of them.
func (l *line) importCases(t *testing.T, cases []*fieldCase) {
	t.Helper()
	sent := fieldDay().csv(t)
	for _, c := range cases {
		for resource, f := range c.content {
			sent[resource] = f
		}
	}
	sent["control"] = l.measured(t, sent)
	r := l.upload(t, cases[0].Mode, fieldDate, sent).through(t, "Open", "Open")
	for _, f := range r.opened.Files {
		r.scanned = append(r.scanned, do(t, r, "Scan", phase.ScanIn{Import: r.imp, File: f, Control: r.opened.Control}, l.tinyScan(f.Resource, cases...).Run))
	}
	r.through(t, "Plan", "IndexStaging")
	checked, err := l.crossCheck().Run(t.Context(), r.importIn())
	if cases[0].refused() {
		cases[0].expectRefusal(t, err)
		return
	}
	if err != nil {
		t.Errorf("%s: %v", cases[0].Name, err)
		return
	}
	foreseen := l.foreseen(t, cases[0].Mode, sent)
	for _, c := range cases {
		if diff := gocmp.Diff(foreseen[c.resource], l.errorsOf(t, r, c.resource)); diff != "" {
			t.Errorf("%s: errors (-contract check +import)\n%s", c.Name, diff)
		}
		c.expectLines(t, l, r, checked.Files)
	}
}

// measured is the control file of a date as `etlctl import` writes it.
func (l *line) measured(t *testing.T, sent files) file {
	t.Helper()
	all := map[string]totals.Total{}
	for resource, f := range sent {
		r := l.common.Contract.Resource(resource)
		total, err := totals.Measure(strings.NewReader(f.text), validation.Layout(r, f.format))
		if err != nil {
			t.Fatal(err)
		}
		all[nameOf(l, resource, f)] = total
	}
	declared, err := totals.New(all)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := declared.Write(&text); err != nil {
		t.Fatal(err)
	}
	return file{"json", text.String()}
}

func nameOf(l *line, resource string, f file) string {
	return l.common.Contract.Resource(resource).FileType + "_" + strings.ReplaceAll(fieldDate, "-", "") + "." + f.format
}

// foreseen are the errors that `etlctl contract check` finds, by resource.
func (l *line) foreseen(t *testing.T, mode etl.Mode, sent files) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	checker, err := precheck.New(l.common.Contract, mode, func(e precheck.Error) error {
		found[e.Resource] = append(found[e.Resource], fmt.Sprintf("%d | %s | %s | %s", e.Line, e.Field, e.Rule, e.Details))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var given []precheck.File
	for resource, f := range sent {
		name := "control_" + strings.ReplaceAll(fieldDate, "-", "") + ".json"
		if resource != "control" {
			name = nameOf(l, resource, f)
		}
		given = append(given, precheck.File{Name: name, Content: strings.NewReader(f.text), Size: int64(len(f.text))})
	}
	results, err := checker.Check(given)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Fault != "" {
			t.Errorf("contract check refuses %s: %s", r.File, r.Fault)
		}
	}
	for _, errs := range found {
		slices.Sort(errs)
	}
	return found
}
