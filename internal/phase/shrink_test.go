package phase_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/registry"
)

// suppliers are so many suppliers beside the two that products refer to.
func suppliers(more int) []string {
	lines := []string{"1,Bêcheur,contact@becheur.fr,", "2,Pelles SA,vente@pelles.ch,"}
	for n := range more {
		lines = append(lines, fmt.Sprintf("%d,Autre,autre@exemple.fr,", 10+n))
	}
	return lines
}

// crossCheckOf runs the line up to CrossCheck and returns that.
func (r *run) crossCheckOf(t *testing.T) func() error {
	t.Helper()
	r.through(t, "Open", "IndexStaging")
	return func() (err error) {
		r.checked, err = r.l.crossCheck().Run(t.Context(), r.importIn())
		return err
	}
}

// TestImplausible: a reload that would take more than MaxShrink percent of its table
// fails before publication with the figures, again and again; once a person accepts
// it for this import and resource the line goes on.
func TestImplausible(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeDaily, "2024-10-07", day().only("fournisseurs", suppliers(8)...).only("magasins", "1,Nord,Lille,FR,2010-05-01", "2,Sud,Nice,FR,2012-06-01", "3,Est,Metz,FR,2012-06-01", "4,Ouest,Brest,FR,2012-06-01", "5,Centre,Tours,FR,2012-06-01").csv(t)).all(t)
	// Two of four suppliers are rejected, so the table would keep 2 of its 10 rows.
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().only("fournisseurs", append(suppliers(0), "3,,,", "4,,,")...).csv(t))
	check := r.crossCheckOf(t)
	want := []fault.Shrink{{Resource: "magasins", Before: 5, After: 2}, {Resource: "fournisseurs", Before: 10, After: 2}}
	accept := func(resource string) {
		imp := l.registry.imports[r.imp.ImportID]
		imp.Accepted = append(imp.Accepted, registry.Acceptance{What: registry.AcceptShrink, Resource: resource, By: "arn:aws:iam::1:user/alix"})
		l.registry.imports[r.imp.ImportID] = imp
	}
	for range 2 {
		got, ok := errors.AsType[*fault.Implausible](fault.Lift(check()))
		if !ok || cmp.Diff(want, got.Tables) != "" || got.Advice() != fault.Redrive {
			t.Fatalf("got %v, want %v", got, want)
		}
		for _, text := range []string{fault.ShrinkText("fournisseurs", 10, 2), "etlctl redrive " + r.imp.ImportID + " --accept shrink=magasins --accept shrink=fournisseurs", "50"} {
			if !strings.Contains(got.Error(), text) {
				t.Errorf("%q does not say %q", got, text)
			}
		}
	}
	if n := l.count(t, `SELECT count(*) FROM final.fournisseurs WHERE file_date = '2024-10-07'`); n != 10 {
		t.Errorf("%d suppliers are published", n)
	}
	accept("fournisseurs")
	if got, ok := errors.AsType[*fault.Implausible](fault.Lift(check())); !ok || len(got.Tables) != 1 || got.Tables[0] != want[0] {
		t.Errorf("with one accepted: %v", got)
	}
	accept("magasins")
	if err := check(); err != nil {
		t.Fatal(err)
	}
	r.through(t, "Enrich", "Publish")
	if n := l.count(t, `SELECT count(*) FROM final.fournisseurs`); n != 2 {
		t.Errorf("%d suppliers are published", n)
	}
	if logged := l.log.lines(t, phase.LogReloadShrinks); len(logged) == 0 || logged[0].Level != "WARN" || logged[0].Resource != "magasins" || !strings.Contains(logged[len(logged)-1].Details, "user/alix") {
		t.Errorf("logged %+v", logged)
	}
}

// TestShrinkBelowTheLimit: from a fifth on a reload that takes rows is told, up to
// half of them it goes on; one that takes fewer is not told.
func TestShrinkBelowTheLimit(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	for i, c := range []struct {
		suppliers, warnings int
	}{{8, 0}, {6, 0}, {1, 1}, {8, 1}, {3, 2}} { // 10, 8: a fifth, 3 of 8
		if i == 2 {
			c.suppliers = 2 // 4 of 8: half
		}
		r := l.upload(t, etl.ModeDaily, fmt.Sprintf("2024-10-%02d", 10+i), day().only("fournisseurs", suppliers(c.suppliers)...).csv(t))
		if err := r.crossCheckOf(t)(); err != nil {
			t.Fatalf("%d suppliers: %v", c.suppliers, err)
		}
		r.through(t, "Enrich", "Publish")
		if got := len(l.log.lines(t, phase.LogReloadShrinks)); got != c.warnings {
			t.Errorf("%d suppliers: %d warnings, want %d", c.suppliers, got, c.warnings)
		}
	}
}

// TestShrinkNotMeasured: a reload of an older date than its table's is skipped, so it
// takes nothing; rows that are upserted do not shrink a day's table.
func TestShrinkNotMeasured(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeDaily, "2024-10-09", day().only("fournisseurs", suppliers(8)...).csv(t)).all(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().only("clients", day()["clients"][0]).only("ventes", day()["ventes"][0]).
		only("paiements").only("retours").csv(t)).all(t)
	if !r.published.Tables["fournisseurs"].Skipped {
		t.Errorf("published %+v", r.published)
	}
	if logged := l.log.lines(t, phase.LogReloadShrinks); logged != nil {
		t.Errorf("logged %+v", logged)
	}
}

// TestShrinkOfTheHistory: a first history has nothing to shrink; a forced restart of
// it replaces every table, so every table is measured, those of upserted files too.
func TestShrinkOfTheHistory(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	first := l.upload(t, etl.ModeInitial, "2024-10-07", day().csv(t)).all(t)
	l.deliver(t, etl.ModeInitial, "2024-10-07", day().only("clients", day()["clients"][0]).only("ventes", day()["ventes"][0]).only("paiements").only("retours").csv(t))
	again := first.again(t, true)
	got, ok := errors.AsType[*fault.Implausible](fault.Lift(again.crossCheckOf(t)()))
	want := []fault.Shrink{{Resource: "clients", Before: 3, After: 1}, {Resource: "ventes", Before: 4, After: 1}, {Resource: "paiements", Before: 2}, {Resource: "retours", Before: 2}}
	if !ok || cmp.Diff(want, got.Tables) != "" {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestAcceptedForAnotherGeneration: CrossCheck of a generation that is over is
// superseded, whatever was accepted since.
func TestAcceptedForAnotherGeneration(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeDaily, "2024-10-07", day().only("fournisseurs", suppliers(8)...).csv(t)).all(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t))
	check := r.crossCheckOf(t)
	imp := l.registry.imports[r.imp.ImportID]
	imp.Generation, imp.Accepted = 2, []registry.Acceptance{{What: registry.AcceptShrink, Resource: "fournisseurs"}}
	l.registry.imports[r.imp.ImportID] = imp
	if err := check(); !isSuperseded(err) {
		t.Errorf("got %v", err)
	}
}
