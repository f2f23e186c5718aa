//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestEnrichmentOutage: the enrichment source answers nothing but errors, for longer than
// the patience with it. The import succeeds all the same, and says of each client that it
// was not enriched.
func TestEnrichmentOutage(t *testing.T) {
	sc := baseline(t)
	defer sc.configure(t, "EnrichFunction", map[string]string{"ENRICHMENT_PATIENCE_DAILY": "0"})()
	defer sc.restoreEnrichment(t)
	of := sc.day(t, "-rows", "60", "-seed", "12")
	sc.enrichment(t, "/faults", map[string]any{"mode": "error500"})
	sc.upload(t, of, of.files(t)...)
	imp := sc.awaitStatus(t, of.Mode, of.Date, succeeded, 1)
	sc.restoreEnrichment(t)
	sc.awaitAlert(t, imp.ImportID, "non enrichis", "server_error")
	found := sc.absorb(t, imp, of)
	clients := found["clients"]
	delete(found, "clients")
	sc.compareEnrichment(t, sc.vault, found) // the other sources answered
	sc.look(t)
	if len(clients) == 0 {
		t.Fatal("no client was imported")
	}
	lines := map[int64]string{} // why each was not enriched
	for _, e := range clients {
		lines[e.line] = text(e.data["enrichment_error"])
		if aws.ToString(e.enrichment) != "failed" || lines[e.line] != "server_error" {
			t.Errorf("event of clients, line %d: enrichment %q, %q", e.line, aws.ToString(e.enrichment), lines[e.line])
		}
	}
	const step = "Transformation et enrichissement"
	rows, err := sc.db.Query(t.Context(), `SELECT line_number, error_details, processing_step = $3 AND file = $2 FROM etl.errors
		WHERE import_id = $1 AND rule = 'enrichment' AND resource = 'clients'`, imp.ImportID, of.file(t, "client_data"), step)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	stored := map[int64]int{}
	for rows.Next() {
		var at int64
		var details string
		var complete bool
		if err := rows.Scan(&at, &details, &complete); err != nil {
			t.Fatal(err)
		}
		if stored[at]++; !complete || lines[at] == "" || !strings.Contains(details, lines[at]) || stored[at] > 1 {
			t.Errorf("etl.errors has line %d %d times: %s", at, stored[at], details)
		}
	}
	logged := map[int64]bool{}
	until(t, "a log line of each client", func() (bool, error) {
		for _, l := range sc.log(t, func(l line) bool {
			return l.ImportID == imp.ImportID && l.Level == "ERROR" && l.Step == step && l.File == of.file(t, "client_data")
		}) {
			logged[l.Line] = true
		}
		return len(logged) >= len(lines), nil
	})
	if len(stored) != len(lines) || len(logged) != len(lines) {
		t.Errorf("%d clients were not enriched; %d are in etl.errors and %d in the log", len(lines), len(stored), len(logged))
	}
}

// TestEnrichmentPause: the enrichment source answers nothing but errors until half of the
// patience with it is spent and the operators are told. Then the import goes on by itself,
// and every client is enriched.
func TestEnrichmentPause(t *testing.T) {
	sc := baseline(t)
	defer sc.configure(t, "EnrichFunction", map[string]string{"ENRICHMENT_PATIENCE_DAILY": "55"})()
	defer sc.restoreEnrichment(t)
	of := sc.day(t, "-rows", "60", "-seed", "13")
	sc.enrichment(t, "/faults", map[string]any{"mode": "error500"})
	sc.upload(t, of, of.files(t)...)
	until(t, "the operators to be told", func() (waits bool, err error) {
		err = sc.db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM etl.enrichment_outages o JOIN etl.imports i USING (import_id)
			WHERE i.file_date = $1 AND o.alerted_at IS NOT NULL)`, of.Date).Scan(&waits)
		return waits, err
	})
	sc.restoreEnrichment(t)
	imp := sc.awaitStatus(t, of.Mode, of.Date, succeeded, 1)
	sc.compareEnrichment(t, sc.vault, sc.absorb(t, imp, of))
	sc.look(t)
}

// TestStoresLocked: the table that stores are enriched from is locked until the import
// waits for it. Then the import goes on by itself, and every store is enriched.
func TestStoresLocked(t *testing.T) {
	sc := baseline(t)
	lock, err := sc.stores(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), `LOCK TABLE stores.places`); err != nil {
		t.Fatal(err)
	}
	of := sc.day(t, "-rows", "60", "-seed", "14")
	sc.upload(t, of, of.files(t)...)
	until(t, "the import to wait for the database", func() (waits bool, err error) {
		err = sc.db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM etl.enrichment_outages o JOIN etl.imports i USING (import_id)
			WHERE i.file_date = $1 AND o.source = 'stores' AND o.cause = 'timeout')`, of.Date).Scan(&waits)
		return waits, err
	})
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	sc.settle(t, of, 1)
}

// restoreEnrichment lets the enrichment source answer again.
func (sc *scenario) restoreEnrichment(t *testing.T) {
	t.Helper()
	sc.enrichment(t, "/faults", map[string]any{"mode": "ok"})
}
