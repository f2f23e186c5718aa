package phase_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres/postgrestest"
)

// seenByReaders tells how many events of which generation readers see, and what
// the sales and the reference tables are, so that nobody sees a part of two
// generations.
const seenByReaders = `SELECT concat_ws(' / ',
	(SELECT string_agg('g' || generation || ' ' || n, ', ' ORDER BY generation) FROM (SELECT generation, count(*) AS n FROM final.events GROUP BY 1) e),
	(SELECT sum(sale_amount) FROM final.ventes), (SELECT string_agg(DISTINCT 'g' || generation, ', ') FROM final.produits))`

// What readers see before and after the replacement: 26 records, then one sale
// more and another amount.
const (
	beforeReplacing = "g1 26 / 61.03 / g1"
	afterReplacing  = "g3 27 / 72.03 / g3"
)

// corrected are the files of day after somebody corrected them.
func corrected() rows {
	return day().only("ventes", "1001,101,1,1,2,12.50,25.00,2024-10-05,magasin", "1002,102,2,2,2,8.00,16.00,2024-10-05,web",
		"1003,103,3,1,5,3.105,15.53,2024-10-05,telephone", "1004,101,1,2,1,12.50,12.50,2024-10-05,web",
		"1005,102,2,1,1,3.00,3.00,2024-10-06,web")
}

// replacing returns a published import that was restarted with corrected files,
// twice, as the first time failed half-way, and is ready to be published.
func replacing(t *testing.T, mode etl.Mode) (*line, *run) {
	t.Helper()
	l := newLine(t)
	first := l.upload(t, mode, "2024-10-08", day().csv(t)).all(t)
	l.deliver(t, mode, "2024-10-08", corrected().csv(t))
	half := first.again(t, true).through(t, "Open", "Reconcile")
	second := half.again(t, false).through(t, "Open", "Reconcile")
	if got := postgrestest.Scan[string](t, l.conn, seenByReaders); got != beforeReplacing {
		t.Fatalf("before it is replaced readers see %s", got)
	}
	return l, second
}

// publishFreely publishes r as soon as no reader holds a table.
func (r *run) publishFreely(t *testing.T) {
	t.Helper()
	for {
		_, err := r.l.publish().Run(t.Context(), r.importIn())
		if _, busy := errors.AsType[*fault.Transient](err); busy {
			continue // a reader held a table when all were to be locked
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
}

// TestForcedRestart: a published import starts over with other files. Until the
// new generation is published readers see the old one, then the new one and
// nothing of the old; its events are never seen twice, and never not at all.
func TestForcedRestart(t *testing.T) {
	t.Parallel()
	for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			l, second := replacing(t, mode)
			committed, repeatable := l.watchQuery(t, pgx.ReadCommitted, seenByReaders), l.watchQuery(t, pgx.RepeatableRead, seenByReaders)
			second.publishFreely(t)
			for level, seen := range map[string][]string{"read committed": committed(), "repeatable read": repeatable()} {
				if got := strings.Join(seen, ", then "); got != beforeReplacing+", then "+afterReplacing && got != beforeReplacing {
					t.Errorf("a reader at %s saw %s", level, got)
				}
			}
			l.nothingReplaced(t, second)
			third := second.again(t, true).all(t)
			if got := postgrestest.Scan[string](t, l.conn, `SELECT concat(status, ' ', published_generation) FROM etl.imports`); got != "réussi 4" {
				t.Errorf("the import is %s", got)
			}
			before := l.dump(t)
			if _, err := l.publish().Run(t.Context(), third.importIn()); err != nil {
				t.Errorf("published twice: %v", err)
			}
			if names := differing(before, l.dump(t)); len(names) > 0 {
				t.Errorf("publishing again changes %v", names)
			}
			if got, want := postgrestest.Scan[string](t, l.conn, seenByReaders), strings.ReplaceAll(afterReplacing, "g3", "g4"); got != want {
				t.Errorf("after the third time readers see %s, want %s", got, want)
			}
		})
	}
}

// nothingReplaced checks that nothing is left of the generations before r.
func (l *line) nothingReplaced(t *testing.T, r *run) {
	t.Helper()
	if got := postgrestest.Scan[string](t, l.conn, seenByReaders); got != afterReplacing {
		t.Errorf("readers see %s", got)
	}
	for _, table := range []string{"etl.ledger", "etl.errors", "etl.rejects", "etl.files", "etl.incoherences", "final.events", "final.ventes"} {
		if got := l.count(t, `SELECT count(*) FROM `+table+` WHERE import_id = $1 AND generation < $2`, r.imp.ImportID, r.imp.Generation); got != 0 {
			t.Errorf("%s has %d rows of what was replaced", table, got)
		}
	}
	if got := l.count(t, `SELECT count(*) FROM pg_class c WHERE relnamespace = 'partitions'::regnamespace AND relkind = 'r'
		AND relname ~ '_g[12]$' AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)`); got != 0 {
		t.Errorf("%d detached tables of what was replaced are left", got)
	}
	if got := l.count(t, `SELECT count(*) FROM etl.data_keys`); got != 1 {
		t.Errorf("%d data keys", got)
	}
}

// TestOldSnapshotSeesWhatIsReplaced: a transaction that began before a day is
// replaced goes on seeing the day as it was, whenever it reads the events.
func TestOldSnapshotSeesWhatIsReplaced(t *testing.T) {
	t.Parallel()
	l, second := replacing(t, etl.ModeDaily)
	reader := postgrestest.Connect(t, l.url)
	err := pgx.BeginTxFunc(t.Context(), reader, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		var one int // the snapshot is taken here, the tables are read later
		if err := tx.QueryRow(t.Context(), `SELECT 1`).Scan(&one); err != nil {
			return err
		}
		second.publishFreely(t)
		var seen string
		err := tx.QueryRow(t.Context(), seenByReaders).Scan(&seen)
		if seen != beforeReplacing {
			t.Errorf("it sees %s", seen)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l.nothingReplaced(t, second)
}

// TestReplacementLost is the failure table of the transaction that replaces: its
// commit fails, or its answer is lost.
func TestReplacementLost(t *testing.T) {
	t.Parallel()
	for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			l, second := replacing(t, mode)
			delete(l.registry.imports, second.imp.ImportID) // no attempt to copy: the next commit is the one that publishes
			proxy := postgrestest.Listen(t, l.url)
			l.db = server.Open(t, proxy.URL)
			for _, c := range []struct {
				name string
				lose postgrestest.Loss
				want string
			}{
				{"failed, not saved", postgrestest.LoseRequest, beforeReplacing},
				{"failed, but saved", postgrestest.LoseAnswer, afterReplacing},
			} {
				proxy.Lose(c.lose)
				if _, err := l.publish().Run(t.Context(), second.importIn()); fault.Name(fault.Lift(err)) != "Transient" {
					t.Fatalf("%s: got %v, want a Transient fault", c.name, err)
				}
				if got := postgrestest.Scan[string](t, l.conn, seenByReaders); got != c.want {
					t.Errorf("%s: readers see %s, want %s", c.name, got, c.want)
				}
			}
			if _, err := l.publish().Run(t.Context(), second.importIn()); err != nil {
				t.Fatal(err)
			}
			l.nothingReplaced(t, second)
		})
	}
}

// TestForcedRestartOfAnOlderDate: what a later date has published stays.
func TestForcedRestartOfAnOlderDate(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	older := l.upload(t, etl.ModeDaily, "2024-10-07", day().csv(t)).all(t)
	newer := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	again := older.again(t, true).all(t)
	for resource, change := range again.published.Tables {
		if change.Written != 0 {
			t.Errorf("%s: %+v", resource, change)
		}
	}
	for r, want := range map[*run]int{again: 2, newer: 1} {
		if got := l.count(t, `SELECT count(*) FROM final.events WHERE import_id = $1 AND generation = $2`, r.imp.ImportID, want); got != 26 {
			t.Errorf("%s has %d events of generation %d", r.imp.ImportID, got, want)
		}
	}
}
