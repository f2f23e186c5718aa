//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
)

// historyDate is the file date of the history, and firstDay that of the first day
// after it: the sample event of the sweep is about that day.
const (
	historyDate = "2024-10-01"
	firstDay    = "2024-10-08"
)

// scenario is what a test has to work with: the stack, and what the tests before
// it published.
type scenario struct {
	*system
	journal
	vault  *vault
	search *search
}

// baseline opens the stack for a scenario. The first one on a stack imports the
// history; the others begin with what is published, which they read from the journal.
func baseline(t *testing.T) *scenario {
	t.Helper()
	sc := &scenario{system: open(t), journal: journal{Model: model{}}, search: newSearch()}
	sc.vault = sc.system.vault()
	if sc.fresh(t) {
		sc.forget(t)
		sc.history(t)
		return sc
	}
	sc.recall(t, publishedFile, &sc.journal)
	sc.recall(t, searchFile, sc.search)
	sc.recall(t, alertsFile, &sc.alerts)
	sc.undisturbed(t)
	return sc
}

// fresh reports whether the stack has never begun an import.
func (sc *scenario) fresh(t *testing.T) bool {
	t.Helper()
	return len(sc.allImports(t)) == 0
}

// undisturbed ends the test if the stack holds an import that the journal does not
// know: then nobody can say what the published tables must hold.
func (sc *scenario) undisturbed(t *testing.T) {
	t.Helper()
	for _, imp := range sc.allImports(t) {
		if imp.Status != etl.StatusAbandoned && (imp.Status != succeeded || !slices.Contains(sc.Imports, imp.ImportID)) {
			t.Fatalf("%s is «%s», and no test has recorded it: an earlier test failed, or the stack is used otherwise; `make e2e` starts a fresh one", imp.ImportID, imp.Status)
		}
	}
}

// history is the initial import: its files come in any order, with every
// notification repeated, and make one import, which readers see whole or not at
// all.
func (sc *scenario) history(t *testing.T) {
	t.Helper()
	of := sc.sample(t, "initial", historyDate, "-rows", historyRows, "-seed", "7", "-faults", "0.01")
	before, readers := sc.expected(), sc.watch(t)
	sc.upload(t, of, of.files(t)...)
	for _, name := range slices.Concat(of.files(t), of.files(t)) {
		sc.notifyLater(t, of.Mode+"/"+name, "")
	}
	sc.sleepThrough(t, readers, before)
	imp := sc.settle(t, of, 1)
	readers.sawOnly(t, before, sc.expected())
	sc.replay(t, of)
	if n := len(sc.allImports(t)); n != 1 {
		t.Errorf("%d imports, want one", n)
	}
	machine := sc.Env["STATE_MACHINE_ARN"]
	executions, err := sc.SFN.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &machine})
	if err != nil || len(executions.Executions) != 1 {
		t.Errorf("%d executions, want one: %v", len(executions.Executions), err)
	}
	var chunks int
	if err := sc.db.QueryRow(t.Context(), `SELECT count(*) FROM etl.ledger WHERE import_id = $1 AND phase = 'Stage'`, imp.ImportID).Scan(&chunks); err != nil || chunks <= 10 {
		t.Errorf("%d chunks of ten files, want more: %v", chunks, err)
	}
}

// sleepThrough lets a reader take its snapshot while rows are prepared, and look
// only when the import is proven: it must not be published before that reader is
// done, who would see the new tables with some of their rows.
func (sc *scenario) sleepThrough(t *testing.T, readers *reader, before counts) {
	t.Helper()
	in := func(phase string) {
		until(t, "a unit of "+phase, func() (done bool, err error) {
			err = sc.db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM etl.ledger WHERE phase = $1)`, phase).Scan(&done)
			return done, err
		})
	}
	in("Prepare")
	sleeper := sc.sleep(t)
	in("Reconcile")
	const aWhile = 200 // polls of the other readers: time enough to publish
	polls := readers.polls()
	until(t, "the other readers to go on", func() (bool, error) { return readers.polls() > polls+aWhile, nil })
	if got := sleeper.wake(t); got != before {
		t.Errorf("a reader with an older snapshot sees %v = %v, want %v", watched, got, before)
	}
}

// day makes the files of a day that no other scenario has.
func (sc *scenario) day(t *testing.T, options ...string) set {
	t.Helper()
	return sc.sample(t, "daily", sc.nextDate(t), options...)
}

// newestDay returns the newest day that is published. If there is none yet, it
// publishes one.
func (sc *scenario) newestDay(t *testing.T) set {
	t.Helper()
	if last := sc.Sets[len(sc.Sets)-1]; last.Mode == "daily" {
		return last
	}
	of := sc.day(t, "-rows", "60", "-seed", "6")
	sc.upload(t, of, of.files(t)...)
	sc.confirm(t, of, 1)
	return of
}

// settle waits until the import of a set has succeeded, compares everything with the
// oracle's word, and looks for the canaries in what is new.
func (sc *scenario) settle(t *testing.T, of set, attempts int) stack.Import {
	t.Helper()
	imp := sc.confirm(t, of, attempts)
	sc.look(t)
	return imp
}

// confirm waits until the import of a set has succeeded and compares everything with
// the oracle's word. It leaves the canaries to the next one who looks.
func (sc *scenario) confirm(t *testing.T, of set, attempts int) stack.Import {
	t.Helper()
	imp := sc.awaitStatus(t, of.Mode, of.Date, succeeded, attempts)
	sc.compareEnrichment(t, sc.vault, sc.absorb(t, imp, of))
	return imp
}

// absorb compares an import with the oracle and adds it to the journal. It returns
// the events whose enrichment is not yet compared.
func (sc *scenario) absorb(t *testing.T, imp stack.Import, of set) enriched {
	t.Helper()
	want := sc.judge(t, of, sc.Sets...)
	sc.publish(imp, of, want, sc.contract)
	sc.note(t, publishedFile, sc.journal)
	found := sc.compare(t, sc.vault, imp, of, want)
	sc.Model.check(t, sc.system, sc.vault)
	return found
}
