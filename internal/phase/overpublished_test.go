package phase_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres/postgrestest"
)

// publishUntilSettled publishes r with a connection of its own, as a stack with a
// registry of its own does, and tries again as the machine does.
func (r *run) publishUntilSettled(ctx context.Context, t *testing.T) error {
	t.Helper()
	publish := r.l.publish()
	publish.DB = server.Open(t, r.l.url)
	for {
		_, err := publish.Run(ctx, r.importIn())
		if _, busy := errors.AsType[*fault.Transient](err); !busy {
			return err
		}
	}
}

// expectRefusedOver checks that err refuses r because of another import.
func expectRefusedOver(t *testing.T, err error, r, other *run) {
	t.Helper()
	refused, ok := errors.AsType[*fault.Refused](err)
	if !ok || refused.ImportID != r.imp.ImportID || !strings.Contains(refused.Reason, other.imp.ImportID) {
		t.Errorf("got %v, want %s refused because of %s", err, r.imp.ImportID, other.imp.ImportID)
	}
}

// TestInitialOverPublished: an initial import does not replace what another import
// published in the same database, whatever registry allowed it; that one can still
// replace itself.
func TestInitialOverPublished(t *testing.T) {
	t.Parallel()
	for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			first := l.upload(t, mode, "2024-10-08", day().csv(t)).all(t)
			second := l.upload(t, etl.ModeInitial, "2024-10-09", corrected().csv(t)).through(t, "Open", "Reconcile")
			for range 2 {
				_, err := l.publish().Run(t.Context(), second.importIn())
				expectRefusedOver(t, err, second, first)
				if got := postgrestest.Scan[string](t, l.conn, seenByReaders); got != beforeReplacing {
					t.Errorf("readers see %s, want %s", got, beforeReplacing)
				}
			}
			again := first.again(t, true).all(t)
			if got := l.count(t, `SELECT count(*) FROM final.events WHERE import_id = $1 AND generation = $2`, first.imp.ImportID, again.imp.Generation); got != 26 {
				t.Errorf("%d events of the forced restart, want 26", got)
			}
		})
	}
}

// TestTwoInitialsAtOnce: of two initial imports that are published at the same time,
// one is.
func TestTwoInitialsAtOnce(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	runs := []*run{
		l.upload(t, etl.ModeInitial, "2024-10-07", day().csv(t)).through(t, "Open", "Reconcile"),
		l.upload(t, etl.ModeInitial, "2024-10-08", day().csv(t)).through(t, "Open", "Reconcile"),
	}
	errs := make([]error, len(runs))
	var both sync.WaitGroup
	for i, r := range runs {
		both.Go(func() { errs[i] = r.publishUntilSettled(t.Context(), t) })
	}
	both.Wait()
	winner, loser := 0, 1
	if errs[0] != nil {
		winner, loser = 1, 0
	}
	if errs[winner] != nil {
		t.Fatalf("neither was published: %v", errs)
	}
	expectRefusedOver(t, errs[loser], runs[loser], runs[winner])
	if got := l.count(t, `SELECT count(DISTINCT import_id) FROM final.events`); got != 1 {
		t.Errorf("readers see the events of %d imports", got)
	}
}
