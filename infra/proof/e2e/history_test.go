//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// TestHistory: the initial import is imported once. That is the baseline of every
// scenario; here all its notifications come once more and change nothing.
func TestHistory(t *testing.T) {
	sc := baseline(t)
	imports := len(sc.allImports(t))
	imp, _ := sc.importOf(t, "initial", historyDate)
	sc.replay(t, sc.Sets[0])
	again, _ := sc.importOf(t, "initial", historyDate)
	if again.ImportID != imp.ImportID || again.Attempts != 1 || again.Executions != imp.Executions || again.Status != succeeded {
		t.Errorf("the notifications of a published import changed %+v to %+v", imp, again)
	}
	if n := len(sc.allImports(t)); n != imports {
		t.Errorf("%d imports, then %d", imports, n)
	}
}

// replay delivers the notifications of a set that is published once more.
func (sc *scenario) replay(t *testing.T, of set) {
	t.Helper()
	for _, name := range of.files(t) {
		if outcome := sc.notify(t, of.Mode+"/"+name, ""); outcome != "unchanged" {
			t.Errorf("the replayed notification of %s: %q", name, outcome)
		}
	}
}

// TestDayWithFaults: a daily import of mixed formats with a fault of every kind.
func TestDayWithFaults(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "300", "-seed", "7", "-faults", "0.02", "-format", "mixed")
	before, readers := sc.expected(), sc.watch(t)
	sc.upload(t, of, of.files(t)...)
	sc.settle(t, of, 1)
	readers.sawOnly(t, before, sc.expected())
}

// TestOlderDay: a date comes after a later one was published. What it brings is
// inserted, but nothing newer changes.
func TestOlderDay(t *testing.T) {
	sc := baseline(t)
	newer := sc.newestDay(t)
	of := sc.sample(t, "daily", daysAfter(t, newer.Date, -1), "-rows", "200", "-seed", "8")
	sc.upload(t, of, of.files(t)...)
	imp := sc.settle(t, of, 1)
	skipped := sc.log(t, func(l line) bool {
		return l.ImportID == imp.ImportID && l.Level == "WARN" && strings.HasPrefix(l.Message, "Rechargement ignoré")
	})
	if len(skipped) != 4 {
		t.Errorf("%d reloads of reference tables were skipped with a WARN, want 4", len(skipped))
	}
	var kept int
	if err := sc.db.QueryRow(t.Context(), `SELECT count(*) FROM final.clients c WHERE file_date = $2 AND EXISTS (
		SELECT FROM final.events e WHERE e.import_id = $1 AND e.client_id_token = c.client_id_token)`, imp.ImportID, newer.Date).Scan(&kept); err != nil || kept == 0 {
		t.Errorf("the older day brings no client that is newer already (%v): the guard was not tried", err)
	}
}
