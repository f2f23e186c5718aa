package phase_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestNotEnrichedIsTold: what was published without enrichment is alerted with its
// causes, once, in both modes.
func TestNotEnrichedIsTold(t *testing.T) {
	t.Parallel()
	for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
		l := newLine(t)
		l.source.fail = map[string]bool{"101": true, "102": true}
		l.source.unknown = map[string]bool{"103": true}
		r := l.upload(t, mode, "2024-10-08", day().csv(t)).all(t)
		causes := map[string]int64{"timeout": 2}
		if diff := cmp.Diff(map[string]map[string]int64{"clients": causes}, r.published.NotEnriched); diff != "" {
			t.Errorf("%s: published (-want +got):\n%s", mode, diff)
		}
		want := []alert.Alert{alert.NotEnriched(r.imp.ImportID, "clients", 2, causes)}
		for range 2 {
			if diff := cmp.Diff(want, l.alerts.sent); diff != "" {
				t.Errorf("%s: alerts (-want +got):\n%s", mode, diff)
			}
			again := do(t, r, "Publish", r.importIn(), l.publish().Run)
			if diff := cmp.Diff(r.published, again); diff != "" {
				t.Errorf("%s: published again (-want +got):\n%s", mode, diff)
			}
		}
	}
}

// TestNotEnrichedNobody: an import of which every record has an answer alerts nothing.
func TestNotEnrichedNobody(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.source.unknown = map[string]bool{"103": true}
	if r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t); len(l.alerts.sent) != 0 || r.published.NotEnriched != nil {
		t.Errorf("alerts %v, not enriched %v", l.alerts.sent, r.published.NotEnriched)
	}
	if got := l.count(t, `SELECT count(*) FROM etl.ledger WHERE phase = 'NotEnriched'`); got != 0 {
		t.Errorf("the ledger has %d rows about it", got)
	}
}

// TestNotEnrichedAlertLost is the failure table of the alert and of its ledger row. One
// that was not sent is sent by the next run. One whose commit is lost is sent again only
// if the commit did not happen.
func TestNotEnrichedAlertLost(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.source.fail = map[string]bool{"102": true}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	proxy := postgrestest.Listen(t, l.url)
	l.db = server.Open(t, proxy.URL)
	for _, c := range []struct {
		name   string
		before func() error
		sent   int
	}{
		{"alert failed", func() error { return errors.New("no answer") }, 1},
		{"commit failed, not saved", func() error { proxy.Lose(postgrestest.LoseRequest); return nil }, 2},
		{"commit failed, but saved", func() error { proxy.Lose(postgrestest.LoseAnswer); return nil }, 1},
	} {
		postgrestest.Exec(t, l.conn, `DELETE FROM etl.ledger WHERE phase = 'NotEnriched'`)
		l.alerts.sent, l.alerts.before = nil, c.before
		if _, err := l.publish().Run(t.Context(), r.importIn()); err == nil {
			t.Errorf("%s: no error", c.name)
		}
		for range 2 {
			do(t, r, "Publish", r.importIn(), l.publish().Run)
		}
		if len(l.alerts.sent) != c.sent || !strings.Contains(l.alerts.sent[0].Text, r.imp.ImportID) {
			t.Errorf("%s: %d alerts, want %d", c.name, len(l.alerts.sent), c.sent)
		}
	}
}

// TestNotEnrichedToldBefore: a source whose silence was alerted is not alerted again. One
// that was silent without an alert is noted as told.
func TestNotEnrichedToldBefore(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.source.fail = map[string]bool{"102": true}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Reconcile")
	const outage = `INSERT INTO etl.enrichment_outages (import_id, generation, source, attempt, cause, alerted_at) VALUES ($1, 1, $2, 1, 'timeout', now())`
	postgrestest.Exec(t, l.conn, outage, r.imp.ImportID, "clients")
	for range 2 {
		do(t, r, "Publish", r.importIn(), l.publish().Run)
		if len(l.alerts.sent) != 0 {
			t.Errorf("a source that was alerted before is alerted: %v", l.alerts.sent)
		}
	}
	postgrestest.Exec(t, l.conn, `DELETE FROM etl.ledger WHERE phase = 'NotEnriched'`)
	postgrestest.Exec(t, l.conn, `UPDATE etl.enrichment_outages SET alerted_at = NULL`)
	for range 2 {
		do(t, r, "Publish", r.importIn(), l.publish().Run)
		if told := l.count(t, `SELECT count(*) FROM etl.enrichment_outages WHERE alerted_at IS NOT NULL`); len(l.alerts.sent) != 1 || told != 1 {
			t.Errorf("%d alerts, and %d sources are noted", len(l.alerts.sent), told)
		}
	}
}
