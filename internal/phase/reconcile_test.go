package phase_test

import (
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestReconcileMismatch: whatever is changed in the detached tables, by one row
// or one byte, fails the import before a reader sees it.
func TestReconcileMismatch(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "IndexTargets")
	const suffix = "_20241009_150000_001_g1"
	const events, clients, staging = "partitions.events" + suffix, "partitions.target_clients" + suffix, "partitions.staging_ventes" + suffix
	for _, table := range []string{events, clients, staging, "etl.files", "etl.ledger"} {
		postgrestest.Exec(t, l.conn, `CREATE TEMP TABLE IF NOT EXISTS kept_`+tail(table)+` AS SELECT * FROM `+table)
	}
	for name, c := range map[string]struct{ table, tamper string }{
		"event lost":            {events, `DELETE FROM ` + events + ` WHERE resource = 'clients' AND line_number = 3`},
		"event doubled":         {events, `INSERT INTO ` + events + ` SELECT gen_random_uuid(), "timestamp", event_type, import_id, generation, resource, file_date, line_number, client_id, client_id_token, enrichment, data FROM ` + events + ` WHERE resource = 'ventes' LIMIT 1`},
		"event replaced":        {events, `UPDATE ` + events + ` SET event_id = gen_random_uuid() WHERE resource = 'magasins' AND line_number = 2`},
		"data changed":          {events, `UPDATE ` + events + ` SET data = replace(data::text, 'Lille', 'Lilla')::json WHERE resource = 'magasins'`},
		"data reordered":        {events, `UPDATE ` + events + ` SET data = (data::text || ' ')::json WHERE resource = 'stocks'`},
		"type changed":          {events, `UPDATE ` + events + ` SET event_type = 'x' WHERE resource = 'stocks' AND line_number = 2`},
		"enrichment changed":    {events, `UPDATE ` + events + ` SET enrichment = 'failed' WHERE resource = 'clients' AND line_number = 2`},
		"lines exchanged":       {events, `UPDATE ` + events + ` SET line_number = 5 - line_number WHERE resource = 'magasins'`},
		"event of another file": {events, `UPDATE ` + events + ` SET resource = 'produits' WHERE resource = 'stocks' AND line_number = 2`},
		"target lost":           {clients, `DELETE FROM ` + clients + ` WHERE line_number = 2`},
		"target doubled":        {clients, `INSERT INTO ` + clients + ` SELECT * FROM ` + clients + ` WHERE line_number = 2`},
		"staged row lost":       {staging, `DELETE FROM ` + staging + ` WHERE line_number = 2`},
		"valid and rejected":    {"etl.files", `UPDATE etl.files SET rejected = 1 WHERE resource = 'retours'`},
		"chunk not prepared":    {"etl.ledger", `DELETE FROM etl.ledger WHERE phase = 'Prepare' AND resource = 'paiements'`},
	} {
		postgrestest.Exec(t, l.conn, c.tamper)
		expectMismatch(t, name, call(r.importIn(), l.reconcile().Run)(t.Context()))
		postgrestest.Exec(t, l.conn, `DELETE FROM `+c.table)
		postgrestest.Exec(t, l.conn, `INSERT INTO `+c.table+` SELECT * FROM kept_`+tail(c.table))
	}
	if got := l.count(t, `SELECT count(*) FROM final.events`); got != 0 {
		t.Errorf("%d events are visible", got)
	}
	r.through(t, "Reconcile", "Publish") // as it was, it is proven
	l.expectPublished(t, r, day(), map[string]int64{})
}

// tail is a table's name without its schema.
func tail(table string) string {
	for i := range table {
		if table[i] == '.' {
			return table[i+1:]
		}
	}
	return table
}

// TestPublishNeedsReconcile: an import that was not proven is not published by
// the initial mode, which takes its counts from the proof.
func TestPublishNeedsReconcile(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeInitial, "2024-10-08", day().csv(t)).through(t, "Open", "IndexTargets")
	if _, err := l.publish().Run(t.Context(), r.importIn()); err == nil {
		t.Error("an import that was not proven is published")
	}
	if got := l.count(t, `SELECT count(*) FROM final.events`); got != 0 {
		t.Errorf("%d events are visible", got)
	}
}
