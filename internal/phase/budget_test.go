package phase_test

import (
	"errors"
	"strings"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestBudget: too many rejects of a file stop the import when everything is
// validated and counted; with a raised limit it goes on where it stopped.
func TestBudget(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, phase.Daily, "2024-10-08", day().
		with("magasins", "3,,Metz,FR,2010-01-01").
		with("ventes", "1010,999,1,1,1,1,1.00,2024-10-05,web", "1011,999,1,1,1,1,1.00,2024-10-05,web").csv(t)).through(t, "Open", "IndexStaging")
	check := func(override string) (phase.CrossChecked, error) {
		t.Helper()
		budgets, err := l.common.Contract.Budgets(override)
		if err != nil {
			t.Fatal(err)
		}
		c := l.crossCheck()
		c.Budgets = budgets
		return c.Run(t.Context(), r.importIn())
	}
	for range 2 {
		_, err := check("magasins=0,ventes=25%,clients=0")
		over, ok := errors.AsType[*fault.BudgetExceeded](err)
		if !ok || len(over.Files) != 2 {
			t.Fatalf("%v", err)
		}
		want := []string{message.OverBudget("sales_data_20241008.csv", 2, 6, contract.Unlimited, 250_000), message.OverBudget("store_data_20241008.csv", 1, 3, 0, contract.Unlimited)}
		for _, text := range want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%q does not say %q", err, text)
			}
		}
	}
	// What was found is stored and counted all the same.
	if n := l.count(t, `SELECT count(*) FROM etl.files WHERE import_id = $1 AND status = 'avec rejets'`, r.imp.ImportID); n != 2 {
		t.Errorf("%d files have rejects", n)
	}
	if p := l.registry.sum(r.imp, "CrossCheck", "ventes"); p.Read != 6 || p.Valid != 4 || p.Rejected != 2 {
		t.Errorf("progress %+v", p)
	}
	logged := len(l.log.lines(t, message.ValidationError))
	out, err := check("magasins=1,ventes=33.3334%,clients=0")
	if err != nil || len(out.Files) != 10 {
		t.Fatalf("with raised limits: %+v, %v", out, err)
	}
	if n := postgrestest.Scan[int](t, l.conn, `SELECT count(*)::int FROM etl.errors WHERE import_id = $1`, r.imp.ImportID); n != 3 {
		t.Errorf("%d errors are stored", n)
	}
	if now := len(l.log.lines(t, message.ValidationError)); now < logged {
		t.Errorf("%d log lines, then %d", logged, now)
	}
	r.checked = out
	r.through(t, "Events", "Publish")
	if n := l.count(t, `SELECT count(*) FROM final.ventes WHERE import_id = $1`, r.imp.ImportID); n != 4 {
		t.Errorf("%d sales are published", n)
	}
}

// TestNoBudget: the delivered contract limits nothing.
func TestNoBudget(t *testing.T) {
	budgets, err := loadContract(t).Budgets("")
	if err != nil || len(budgets) != 10 {
		t.Fatalf("%v, %v", budgets, err)
	}
	for name, b := range budgets {
		if b.Exceeded(1, 1) {
			t.Errorf("%s has a limit", name)
		}
	}
}

// restarted is the next generation of an import, with other files.
func (l *line) restarted(t *testing.T, first *run, corrected files) *run {
	t.Helper()
	l.upload(t, first.imp.Mode, first.imp.FileDate, corrected)
	generation, err := l.db.Restart(t.Context(), first.known(), false)
	if err != nil {
		t.Fatal(err)
	}
	known := l.registry.imports[first.imp.ImportID]
	known.Generation, known.ExecutionARN = generation, execution(first.imp.ImportID, generation)
	l.registry.imports[first.imp.ImportID] = known
	second := &run{l: l, imp: first.imp}
	second.imp.Generation, second.imp.KeyID, second.imp.WrappedKey = generation, 0, nil
	return second
}

// TestBudgetRestart: an import with too many rejects, restarted with a corrected
// file, keeps nothing of what was wrong.
func TestBudgetRestart(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	faulty := l.upload(t, phase.Daily, "2024-10-08", day().with("magasins", "3,,Metz,FR,2010-01-01").csv(t)).through(t, "Open", "IndexStaging")
	budgets, err := l.common.Contract.Budgets("magasins=0")
	if err != nil {
		t.Fatal(err)
	}
	check := l.crossCheck()
	check.Budgets = budgets
	if _, err := check.Run(t.Context(), faulty.importIn()); err == nil {
		t.Fatal("a reject too many is accepted")
	}
	corrected := l.restarted(t, faulty, day().with("magasins", "3,Est,Metz,FR,2010-01-01").csv(t)).through(t, "Open", "IndexStaging")
	if corrected.checked, err = check.Run(t.Context(), corrected.importIn()); err != nil {
		t.Fatal(err)
	}
	corrected.through(t, "Events", "Publish")
	if n := l.count(t, `SELECT count(*) FROM final.magasins WHERE name = 'Est'`); n != 1 {
		t.Errorf("the corrected store is published %d times", n)
	}
	if n := l.count(t, `SELECT count(*) FROM etl.errors e JOIN etl.imports USING (import_id, generation) WHERE import_id = $1`, corrected.imp.ImportID); n != 0 {
		t.Errorf("%d errors remain", n)
	}
}
