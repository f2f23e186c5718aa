package phase_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestBudget: too many rejects of a file stop the import when everything is
// validated and counted; with a raised limit it goes on where it stopped.
func TestBudget(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
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
		want := []string{phase.OverBudget("sales_data_20241008.csv", 2, 6, contract.Unlimited, 250_000, 0), phase.OverBudget("store_data_20241008.csv", 1, 3, 0, contract.Unlimited, 0)}
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
	logged := len(l.log.lines(t, phase.ValidationError))
	out, err := check("magasins=1,ventes=33.3334%,clients=0")
	if err != nil || len(out.Files) != 10 {
		t.Fatalf("with raised limits: %+v, %v", out, err)
	}
	if n := postgrestest.Scan[int](t, l.conn, `SELECT count(*)::int FROM etl.errors WHERE import_id = $1`, r.imp.ImportID); n != 3 {
		t.Errorf("%d errors are stored", n)
	}
	if logged != 3 {
		t.Errorf("%d log lines before the limits were raised", logged)
	}
	l.loggedOnce(t, r, 3)
	r.checked = out
	r.through(t, "Enrich", "Publish")
	if n := l.count(t, `SELECT count(*) FROM final.ventes WHERE import_id = $1`, r.imp.ImportID); n != 4 {
		t.Errorf("%d sales are published", n)
	}
}

// TestDefaultBudget: without any setting a file of which more than half and more
// than 1,000 records are rejected stops the import, malformed records included; none
// lifts it, and a smaller file goes on.
func TestDefaultBudget(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	const faulty = 1001
	var lines []string
	for n := range faulty {
		line := fmt.Sprintf("%d,1001,1,perdu,2024-10-08", 10_000+n)
		if n%2 == 0 {
			line += ",de trop"
		}
		lines = append(lines, line)
	}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().with("retours", lines...).only("magasins", "1,Nord,Lille,FR,2010-05-01", "2,,,,", "3,,,,").csv(t)).through(t, "Open", "IndexStaging")
	check := func(override string) error {
		budgets, err := l.common.Contract.Budgets(override)
		if err != nil {
			t.Fatal(err)
		}
		c := l.crossCheck()
		c.Budgets = budgets
		_, err = c.Run(t.Context(), r.importIn())
		return err
	}
	for range 2 {
		over, ok := errors.AsType[*fault.BudgetExceeded](check(""))
		if want := phase.OverBudget("return_data_20241008.csv", faulty, faulty+2, contract.Unlimited, 500_000, 1000); !ok || len(over.Files) != 1 || over.Files[0] != want {
			t.Fatalf("got %v, want %q", over, want)
		}
	}
	if err := check("retours=none"); err != nil {
		t.Errorf("lifted: %v", err)
	}
}

// TestValidateStopsEarly: once the chunks before are past hope no chunk writes an
// error or a log line any more, however often it is tried; with a raised limit the
// line goes on as if nothing had been.
func TestValidateStopsEarly(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.chunkRecords = 2
	bad := rows{}.only("magasins", "1,Nord,Lille,FR,2010-05-01", "2,Sud,Nice,FR,2012-06-01", "3,,,,", "4,,,,,", "5,,,,", "6,,,,", "7,,,,", "8,Est,Metz,FR,2012-06-01")
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().only("magasins", bad["magasins"]...).csv(t)).through(t, "Open", "Plan")
	validate := func(c phase.Chunk, override string) error {
		budgets, err := l.common.Contract.Budgets(override)
		if err != nil {
			t.Fatal(err)
		}
		in := phase.ChunkIn{Import: r.imp, Chunk: c}
		staged := phase.StageIn{ChunkIn: in, Protected: do(t, r, "Protect", in, l.protect().Run)}
		do(t, r, "Stage", staged, l.stage().Run)
		v := l.validate()
		v.Budgets = budgets
		_, err = v.Run(t.Context(), staged)
		return err
	}
	// 5 of 8 are too many, but with 4 of 8 the last chunk could still have been good.
	for _, c := range r.chunks {
		if err := validate(c, "magasins=50%"); err != nil {
			t.Errorf("chunk %d of %s: %v", c.Range.Index, c.Resource, err)
		}
	}
	var stopped []phase.Chunk
	r = l.upload(t, etl.ModeDaily, "2024-10-09", day().only("magasins", bad["magasins"]...).csv(t)).through(t, "Open", "Plan")
	errorsBefore, logged := 0, 0
	for _, c := range r.chunks {
		for range 2 {
			err := validate(c, "magasins=2")
			over, ok := errors.AsType[*fault.BudgetExceeded](err)
			if err != nil && !ok {
				t.Fatal(err)
			}
			if c.Resource != "magasins" || c.Range.Index < 3 {
				if err != nil {
					t.Errorf("chunk %d of %s: %v", c.Range.Index, c.Resource, err)
				}
				continue
			}
			want := phase.OverBudget("store_data_20241009.csv", 4, 6, 2, contract.Unlimited, 0) + phase.StoppedEarly(8)
			if !ok || over.Files[0] != want {
				t.Fatalf("chunk %d: %v, want %q", c.Range.Index, err, want)
			}
			stopped = append(stopped, c)
		}
		if stopped == nil {
			errorsBefore, logged = l.count(t, `SELECT count(*) FROM etl.errors WHERE import_id = $1`, r.imp.ImportID), len(l.log.lines(t, phase.ValidationError))
		}
	}
	if now := l.count(t, `SELECT count(*) FROM etl.errors WHERE import_id = $1`, r.imp.ImportID); now != errorsBefore || len(l.log.lines(t, phase.ValidationError)) != logged {
		t.Errorf("errors and log lines were written after the stop: %d, then %d", errorsBefore, now)
	}
	if len(stopped) != 2 {
		t.Fatalf("%d chunks were stopped", len(stopped))
	}
	if err := validate(stopped[0], "magasins=none"); err != nil {
		t.Errorf("with a raised limit: %v", err)
	}
	if n := l.count(t, `SELECT count(*) FROM etl.rejects WHERE import_id = $1 AND resource = 'magasins'`, r.imp.ImportID); n != 5 {
		t.Errorf("%d records are rejected", n)
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
	faulty := l.upload(t, etl.ModeDaily, "2024-10-08", day().with("magasins", "3,,Metz,FR,2010-01-01").csv(t)).through(t, "Open", "IndexStaging")
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
	corrected.through(t, "Enrich", "Publish")
	if n := l.count(t, `SELECT count(*) FROM final.magasins WHERE name = 'Est'`); n != 1 {
		t.Errorf("the corrected store is published %d times", n)
	}
	if n := l.count(t, `SELECT count(*) FROM etl.errors e JOIN etl.imports USING (import_id, generation) WHERE import_id = $1`, corrected.imp.ImportID); n != 0 {
		t.Errorf("%d errors remain", n)
	}
}
