package phase_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
)

// TestOlderDate: a day that is imported after a later one changes nothing newer,
// adds what is missing, and its reloads are skipped with a WARN.
func TestOlderDate(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	older := l.upload(t, etl.ModeDaily, "2024-10-07", day().
		only("magasins", "1,Ancien nord,Lille,FR,2010-05-01", "2,Sud,Nice,FR,2012-06-01").
		only("stocks", "1,1,99,2024-10-07T20:00:00Z", "3,2,99,2024-10-07T20:00:00Z").csv(t)).all(t)
	for resource, want := range map[string]phase.TableChange{
		"magasins": {Skipped: true, Rows: 2}, "categories": {Skipped: true, Rows: 3}, "produits": {Skipped: true, Rows: 3}, "fournisseurs": {Skipped: true, Rows: 2},
		"stocks": {Written: 1, Kept: 1}, "clients": {Kept: 3}, "ventes": {Kept: 4}, "paiements": {Kept: 2}, "retours": {Kept: 2}, "employes": {Kept: 2},
	} {
		if got := older.published.Tables[resource]; got != want {
			t.Errorf("%s: %+v, want %+v", resource, got, want)
		}
		if p := l.registry.sum(older.imp, "Publish", resource); p.Persisted != want.Written || p.Kept != want.Kept || p.Skipped != want.Rows {
			t.Errorf("%s: the registry hears of %+v, want %+v", resource, p, want)
		}
	}
	if got := postgrestest.Scan[string](t, l.conn, `SELECT name FROM final.magasins WHERE store_id = 1`); got != "Nord" {
		t.Errorf("store 1 is %q: the reload of an older date was not skipped", got)
	}
	if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', product_id, store_id, quantity, file_date), ', ' ORDER BY product_id, store_id) FROM final.stocks`); got !=
		"1 1 10 2024-10-08, 1 2 5 2024-10-08, 2 2 0 2024-10-08, 3 2 99 2024-10-07" {
		t.Errorf("the stocks are %s", got)
	}
	var skipped []string
	for _, line := range l.log.lines(t, registry.ReloadSkipped) {
		if line.Level != "WARN" || line.ImportID != older.imp.ImportID || line.Step != etl.StepPersistence {
			t.Errorf("a log line lacks something: %+v", line)
		}
		skipped = append(skipped, line.Resource)
	}
	if len(skipped) != 4 {
		t.Errorf("skips were logged of %v", skipped)
	}
	if kept := l.log.lines(t, phase.NewerRowsKept("stocks", 1)); len(kept) != 1 || kept[0].Level != "WARN" {
		t.Errorf("the kept stock was logged as %+v", kept)
	}
	if got := l.count(t, `SELECT count(*) FROM final.events WHERE import_id = $1`, older.imp.ImportID); got != 25 {
		t.Errorf("the older day has %d events, want all 25", got)
	}
}

// TestSameDateAgain: the same date applies again.
func TestSameDateAgain(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	again := l.upload(t, etl.ModeDaily, "2024-10-08", day().only("stocks", "1,1,99,2024-10-08T21:00:00Z").csv(t)).all(t)
	if got := again.published.Tables; got["stocks"] != (phase.TableChange{Written: 1}) || got["magasins"] != (phase.TableChange{Written: 2}) {
		t.Errorf("published %+v", got)
	}
	if got := l.count(t, `SELECT quantity FROM final.stocks WHERE (product_id, store_id) = (1, 1)`); got != 99 {
		t.Errorf("the stock is %d", got)
	}
}

// TestCoherence: a reload that drops what older rows refer to is listed, logged
// and alerted once, and fails nothing.
func TestCoherence(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeInitial, "2024-10-07", day().csv(t)).all(t)
	if len(l.alerts.sent) != 0 {
		t.Fatalf("a coherent import alerts %v", l.alerts.sent)
	}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		only("magasins", "1,Nord,Lille,FR,2010-05-01").
		only("ventes", "1005,101,1,1,1,12.50,12.50,2024-10-08,web").
		only("stocks", "1,1,3,2024-10-08T20:00:00Z").
		only("employes", "7,Luc,Petit,luc@etl.fr,2000000001,1,2015-01-01,").csv(t)).all(t)
	rows, err := l.conn.Query(t.Context(), `SELECT concat_ws(' ', resource, field, parent, missing_key, row_count) FROM etl.incoherences WHERE import_id = $1 ORDER BY 1`, r.imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"employes store_id magasins 2 1", "stocks store_id magasins 2 2", "ventes store_id magasins 2 2"}, got); diff != "" {
		t.Errorf("incoherences (-want +got)\n%s", diff)
	}
	logged := l.log.lines(t, phase.Incoherence)
	if len(logged) != 3 {
		t.Errorf("%d log lines, want 3", len(logged))
	}
	for _, line := range logged {
		if line.Level != "WARN" || line.ImportID != r.imp.ImportID || !strings.Contains(line.Details, "magasins") {
			t.Errorf("a log line lacks something: %+v", line)
		}
	}
	if len(l.alerts.sent) != 1 || !strings.Contains(l.alerts.sent[0].Text, r.imp.ImportID) || strings.Count(l.alerts.sent[0].Text, "\n- ") != 3 {
		t.Errorf("alerts: %+v", l.alerts.sent)
	}
	if got := postgrestest.Scan[string](t, l.conn, `SELECT status FROM etl.imports WHERE import_id = $1`, r.imp.ImportID); got != "réussi" {
		t.Errorf("the import is %q", got)
	}
	if _, err := l.publish().Run(t.Context(), r.importIn()); err != nil {
		t.Fatal(err)
	}
	if got := l.count(t, `SELECT count(*) FROM etl.incoherences`); got != 3 {
		t.Errorf("a second run lists %d incoherences", got)
	}
}

// watcher reads all target tables and the events in one statement, again and
// again, until it is stopped; it returns what it saw, without repetitions.
func (l *line) watch(t *testing.T, isolation pgx.TxIsoLevel) (stop func() []string) {
	t.Helper()
	parts := make([]string, 0, len(l.common.Contract.Resources)+1)
	for _, r := range l.common.Contract.Resources {
		parts = append(parts, `(SELECT concat('`+r.Name+` ', count(*), ' ', coalesce(max(import_id), '-')) FROM final.`+r.Name+`)`)
	}
	query := `SELECT concat_ws(', ', ` + strings.Join(parts, ", ") + `, (SELECT count(*) FROM final.events))`
	return l.watchQuery(t, isolation, query)
}

// watchQuery does so with any query for one text.
func (l *line) watchQuery(t *testing.T, isolation pgx.TxIsoLevel, query string) (stop func() []string) {
	t.Helper()
	conn := postgrestest.Connect(t, l.url)
	ended, seen, first := make(chan struct{}), make(chan []string), make(chan struct{})
	go func() {
		var states []string
		defer func() { seen <- states }()
		for n := 0; ; n++ {
			select {
			case <-ended:
				return
			default:
			}
			var state string
			err := pgx.BeginTxFunc(t.Context(), conn, pgx.TxOptions{IsoLevel: isolation, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
				return tx.QueryRow(t.Context(), query).Scan(&state)
			})
			if err != nil {
				t.Errorf("a reader is disturbed: %v", err)
				close(first)
				return
			}
			if n == 0 {
				close(first)
			}
			if len(states) == 0 || states[len(states)-1] != state {
				states = append(states, state)
			}
		}
	}()
	<-first
	return func() []string {
		close(ended)
		return <-seen
	}
}

// TestReadersSeeAllOrNothing: whoever reads while an import is published sees
// the tables before it or after it, in both modes.
func TestReadersSeeAllOrNothing(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	for _, c := range []struct {
		mode etl.Mode
		date string
	}{{etl.ModeInitial, "2024-10-07"}, {etl.ModeDaily, "2024-10-08"}} {
		r := l.upload(t, c.mode, c.date, day().csv(t)).through(t, "Open", "Reconcile")
		committed := l.watch(t, pgx.ReadCommitted)
		repeatable := l.watch(t, pgx.RepeatableRead)
		for {
			published, err := l.publish().Run(t.Context(), r.importIn())
			if _, busy := errors.AsType[*fault.Transient](err); busy {
				continue // the machine retries: a reader held a table when all were to be locked
			}
			if err != nil {
				t.Fatal(err)
			}
			r.published = published
			break
		}
		for level, seen := range map[string][]string{"read committed": committed(), "repeatable read": repeatable()} {
			if len(seen) > 2 {
				t.Errorf("%s: a reader at %s saw %d states:\n%s", c.mode, level, len(seen), strings.Join(seen, "\n"))
			}
		}
		l.expectPublished(t, r, day(), map[string]int64{})
	}
}

// TestOldSnapshot: a reader whose transaction began before a daily import was
// published keeps seeing what was there.
func TestOldSnapshot(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeInitial, "2024-10-07", day().csv(t)).all(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().only("magasins", "1,Neuf,Lille,FR,2010-05-01", "2,Sud,Nice,FR,2012-06-01", "3,Est,Metz,FR,2020-01-01").csv(t)).through(t, "Open", "Reconcile")
	tx, err := l.conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	var before, after int
	if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM final.magasins`).Scan(&before); err != nil {
		t.Fatal(err)
	}
	r.state(t, "Publish")
	if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM final.magasins`).Scan(&after); err != nil {
		t.Fatal(err)
	}
	var events int
	if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM final.events WHERE import_id = $1`, r.imp.ImportID).Scan(&events); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if before != 2 || after != 2 || events != 0 {
		t.Errorf("the old snapshot sees %d stores, then %d, and %d new events", before, after, events)
	}
	if got := l.count(t, `SELECT count(*) FROM final.magasins`); got != 3 {
		t.Errorf("a new reader sees %d stores", got)
	}
}

// TestPublishWaitsShortly: an initial import does not queue readers up behind a
// long query; it gives up soon, and the machine tries again.
func TestPublishWaitsShortly(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeInitial, "2024-10-07", day().csv(t)).through(t, "Open", "Reconcile")
	tx, err := l.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE final.stocks IN ACCESS SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	_, err = l.publish().Run(t.Context(), r.importIn())
	if _, ok := errors.AsType[*fault.Transient](err); !ok {
		t.Errorf("got %v, want a Transient fault", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.state(t, "Publish")
	l.expectPublished(t, r, day(), map[string]int64{})
}

// TestRetention: the staged records of an import go after their time, when a
// later import is published.
func TestRetention(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	old := l.upload(t, etl.ModeDaily, "2024-10-07", day().csv(t)).all(t)
	postgrestest.Exec(t, l.conn, `UPDATE etl.imports SET published_at = $1`, l.common.Now().Add(-31*24*time.Hour))
	young := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	for r, want := range map[*run]int{old: 0, young: 3} {
		if got := l.count(t, `SELECT count(*) FROM staging.clients WHERE import_id = $1`, r.imp.ImportID); got != want {
			t.Errorf("%s has %d staged clients, want %d", r.imp.ImportID, got, want)
		}
	}
}
