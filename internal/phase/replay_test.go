package phase_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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

func (l *line) replay() *phase.Replay {
	return &phase.Replay{Enrich: *l.enrich(), UnitEvents: l.unitEvents}
}

// down answers no call.
func (l *line) down() { l.source.before = func([]string) error { return errDown } }

// up answers again.
func (l *line) up() { l.source.before = nil }

// onlyClients leaves the clients alone to be enriched.
func (l *line) onlyClients() {
	for _, r := range l.common.Contract.Resources {
		if r.Name != "clients" && r.Enrichment != nil {
			l.enriches(r.Name, nil)
		}
	}
}

// unenriched publishes n clients while the source is down.
func (l *line) unenriched(t *testing.T, mode etl.Mode, n int) *run {
	t.Helper()
	l.onlyClients()
	l.down()
	r := l.upload(t, mode, "2024-10-08", crowd(n).csv(t)).all(t)
	l.up()
	l.source.asked = nil
	return r
}

// beginReplay begins the next replay of a published import.
func (r *run) beginReplay() phase.ReplayIn {
	known := r.known()
	known.Status = etl.StatusSucceeded
	known.Attempts++
	known.Replay = registry.Replay{Number: known.Replay.Number + 1, Status: etl.StatusRunning}
	r.l.registry.imports[r.imp.ImportID] = known
	imp := r.imp
	imp.KeyID, imp.WrappedKey = 0, nil
	return phase.ReplayIn{Import: imp, Replay: known.Replay.Number}
}

// replayed runs a replay to its end, as the state machine does, and lets the time pass
// that it waits.
func (r *run) replayed(t *testing.T, in phase.ReplayIn) phase.Replayed {
	t.Helper()
	for range 100 {
		in.Progress = do(t, r, "Replay", in, r.l.replay().Run)
		if in.Progress.Done {
			return in.Progress
		}
		r.l.clock.advance(time.Duration(in.Progress.WaitSeconds) * time.Second)
	}
	t.Fatal("it does not end")
	return phase.Replayed{}
}

// asked sums up what a replay counted.
func (f *fakeRegistry) replayedTotal(number int) (total registry.Asked) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.progress {
		if a := p.Enrichment; p.State == etl.StateReplay && a != nil && a.Replay == number {
			total.Asked += a.Asked
			total.Answered += a.Answered
			total.NotFound += a.NotFound
			total.Skipped += a.Skipped
			total.Resolved += a.Resolved
			total.Waits += a.Waits
			for cause, n := range a.Failed {
				if total.Failed == nil {
					total.Failed = map[string]int64{}
				}
				total.Failed[cause] += n
			}
		}
	}
	return total
}

// folded are the events of clients once each completion is folded into what it
// completes, without what is sealed.
const folded = `SELECT concat_ws(' ', e.line_number, e.event_type, coalesce(c.enrichment, e.enrichment),
		((e.data::jsonb - 'enrichment_error') || coalesce(c.data::jsonb, '{}'))
			- '{client_id,first_name,last_name,email,nif,phone,birth_date,address,segment,risk_score}'::text[],
		(SELECT string_agg(k, ',') FROM jsonb_object_keys((e.data::jsonb - 'enrichment_error') || coalesce(c.data::jsonb, '{}')) k))
	FROM final.events e LEFT JOIN final.events c ON c.import_id = e.import_id AND c.completes = e.event_id
	WHERE e.resource = 'clients' AND e.completes IS NULL ORDER BY e.line_number`

// TestReplay: after an outage beyond the patience and a replay, events are those of an
// undisturbed import once each completion is folded, and nothing else has changed.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			undisturbed := newLine(t)
			undisturbed.onlyClients()
			undisturbed.source.unknown = map[string]bool{"1003": true}
			u := undisturbed.upload(t, mode, "2024-10-08", crowd(7).csv(t)).all(t)
			l := newLine(t)
			l.source.unknown, l.unitEvents = undisturbed.source.unknown, 3
			r := l.unenriched(t, mode, 7)
			l.expectEnriched(t, 0, 7)
			before := l.dump(t)
			committed, repeatable := l.watchQuery(t, pgx.ReadCommitted, seenOfReplay), l.watchQuery(t, pgx.RepeatableRead, seenOfReplay)
			r.replayed(t, r.beginReplay())
			for level, seen := range map[string][]string{"read committed": committed(), "repeatable read": repeatable()} {
				for _, state := range seen {
					if !slices.Contains([]string{"7/0", "7/3", "7/6", "7/7"}, state) {
						t.Errorf("a reader at %s saw %s", level, state)
					}
				}
			}
			if diff := cmp.Diff(column(t, undisturbed.conn, folded), column(t, l.conn, folded)); diff != "" {
				t.Errorf("folded (-undisturbed +replayed)\n%s", diff)
			}
			if got, want := l.openAnswers(t, r, "clients"), undisturbed.openAnswers(t, u, "clients"); !slices.Equal(got, want) {
				t.Errorf("the answers are %v, want %v", got, want)
			}
			changed := slices.DeleteFunc(differing(before, l.dump(t)), func(name string) bool {
				return strings.Contains(name, "published_") || strings.Contains(name, "events_")
			})
			if diff := cmp.Diff([]string{"etl.enrichment_outages", "etl.errors", "etl.ledger"}, changed); diff != "" {
				t.Errorf("changed (-want +got)\n%s", diff)
			}
			if got := l.registry.replayedTotal(1); got.Asked != 7 || got.Answered != 6 || got.NotFound != 1 || got.Resolved != 7 {
				t.Errorf("counted %+v", got)
			}
			if got := l.count(t, completedOnce); got != 7 {
				t.Errorf("%d of 7 events are completed once by an event of their own, and their errors resolved", got)
			}
			l.source.asked = nil
			r.replayed(t, r.beginReplay())
			if len(l.source.asked) != 0 || l.count(t, `SELECT count(*) FROM final.events WHERE completes IS NOT NULL`) != 7 {
				t.Errorf("another replay asks for %v", l.source.asked)
			}
		})
	}
}

// seenOfReplay counts the clients' events, and those that complete them.
const seenOfReplay = `SELECT count(*) FILTER (WHERE completes IS NULL) || '/' || count(completes) FROM final.events WHERE resource = 'clients'`

// completedOnce counts the events that exactly one event completes, which has the rest of
// the first, and whose error is resolved.
const completedOnce = `SELECT count(*) FROM final.events e JOIN final.events c ON c.completes = e.event_id AND c.import_id = e.import_id
	JOIN etl.errors x ON (x.import_id, x.generation, x.resource, x.line_number, x.rule) = (e.import_id, e.generation, e.resource, e.line_number, 'enrichment')
	WHERE e.enrichment = 'failed' AND c.event_type = 'client.enriched' AND c.event_id <> e.event_id AND x.resolved_at IS NOT NULL
		AND (c.generation, c.resource, c.file_date, c.line_number, c.client_id, c.client_id_token) = (e.generation, e.resource, e.file_date, e.line_number, e.client_id, e.client_id_token)
		AND c.data->>'client_id' = e.data->>'client_id' AND NOT EXISTS (SELECT FROM final.events d WHERE d.completes = e.event_id AND d.event_id <> c.event_id)`

// TestReplayLost is the failure table of a unit: its transaction fails, or its answer is
// lost. The next run appends each event once; what was appended is not asked for again.
func TestReplayLost(t *testing.T) {
	t.Parallel()
	for name, loss := range map[string]postgrestest.Loss{"failed, not saved": postgrestest.LoseRequest, "failed, but saved": postgrestest.LoseAnswer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			r := l.unenriched(t, etl.ModeDaily, 5)
			in := r.beginReplay()
			proxy := postgrestest.Listen(t, l.url)
			direct := l.db
			l.db = server.Open(t, proxy.URL)
			proxy.Lose(loss)
			if _, err := l.replay().Run(t.Context(), in); fault.Name(fault.Lift(err)) != "Transient" {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			saved := l.count(t, `SELECT count(*) FROM final.events WHERE completes IS NOT NULL`)
			if (saved == 5) != (loss == postgrestest.LoseAnswer) {
				t.Errorf("%d events are appended", saved)
			}
			l.db, l.source.asked = direct, nil
			r.replayed(t, in)
			if got := l.count(t, completedOnce); got != 5 {
				t.Errorf("%d of 5 events are completed once", got)
			}
			if again := len(l.source.asked); again != 5-saved {
				t.Errorf("%d keys are asked for again, %d were saved", again, saved)
			}
		})
	}
}

// TestReplayTwins: any number of functions that work on the same replay, or on an earlier
// one, append each event once.
func TestReplayTwins(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.unitEvents = 4
	r := l.unenriched(t, etl.ModeDaily, 20)
	in := r.beginReplay()
	l.db = server.OpenWide(t, l.url, 4)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := l.replay().Run(t.Context(), in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := l.count(t, completedOnce); got != 20 {
		t.Errorf("%d of 20 events are completed once", got)
	}
	if got := l.count(t, `SELECT sum((result->>'resolved')::int) FROM etl.ledger WHERE phase = 'Replay'`); got != 20 {
		t.Errorf("the ledger counts %d", got)
	}
}

// TestReplaySkips: a record that a newer import has changed is neither asked for nor
// completed, also if it changes while the source is asked.
func TestReplaySkips(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.unenriched(t, etl.ModeDaily, 4)
	next := l.upload(t, etl.ModeDaily, "2024-10-09", crowd(1).csv(t)).all(t)
	l.source.asked = nil
	l.source.before = func([]string) error {
		l.source.before = nil
		postgrestest.Exec(t, l.conn, `UPDATE final.clients SET line_number = line_number, import_id = $1 WHERE import_id = $2 AND line_number = 3`, next.imp.ImportID, r.imp.ImportID)
		return nil
	}
	r.replayed(t, r.beginReplay())
	slices.Sort(l.source.asked)
	if want := []string{"1001", "1002", "1003"}; !slices.Equal(l.source.asked, want) {
		t.Errorf("the keys %v are asked for, want %v", l.source.asked, want)
	}
	got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(line_number::text, ' ' ORDER BY line_number) FROM final.events WHERE completes IS NOT NULL`)
	if got != "4 5" || l.count(t, `SELECT count(*) FROM etl.errors WHERE resolved_at IS NULL AND rule = 'enrichment'`) != 2 {
		t.Errorf("the events of lines %s are completed", got)
	}
	if got := l.registry.replayedTotal(1); got.Skipped != 2 || got.Resolved != 2 {
		t.Errorf("counted %+v", got)
	}
}

// TestReplayOutage: a source that is down is waited for, what it answered before is kept,
// and once the patience is spent the rest stays as it is, for another replay.
func TestReplayOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		down     time.Duration
		resolved int64
		failed   int64
	}{"waited out": {10 * time.Minute, 12, 0}, "beyond the patience": {time.Hour, 4, 8}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			l.unitEvents = 4
			r := l.unenriched(t, etl.ModeDaily, 12)
			l.patience = 20 * time.Minute
			var from time.Time
			l.source.before = func([]string) error {
				if len(l.source.asked) >= 4 && from.IsZero() {
					from = l.clock.now()
				}
				if !from.IsZero() && l.clock.now().Sub(from) < c.down {
					return errDown
				}
				return nil
			}
			r.replayed(t, r.beginReplay())
			got := l.registry.replayedTotal(1)
			if got.Resolved != c.resolved || got.NotEnriched() != c.failed || got.Waits == 0 || got.Asked != 12 {
				t.Errorf("counted %+v", got)
			}
			if appended := l.count(t, completedOnce); int64(appended) != c.resolved {
				t.Errorf("%d events are completed", appended)
			}
			l.up()
			r.replayed(t, r.beginReplay())
			if appended := l.count(t, completedOnce); appended != 12 {
				t.Errorf("then %d events are completed", appended)
			}
			slices.Sort(l.source.asked)
			if asked := slices.Compact(slices.Clone(l.source.asked)); len(asked) != 12 || len(l.source.asked) != 12 {
				t.Errorf("%d keys are asked for, %d times", len(asked), len(l.source.asked))
			}
		})
	}
}

// TestReplayPoisoned: a record for which the source fails stays as it is, with its cause
// counted, and holds nothing up.
func TestReplayPoisoned(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.unitEvents = 2
	r := l.unenriched(t, etl.ModeDaily, 5)
	l.source.fail = map[string]bool{"1001": true, "1004": true}
	r.replayed(t, r.beginReplay())
	if got := l.registry.replayedTotal(1); got.Resolved != 3 || got.Failed["timeout"] != 2 {
		t.Errorf("counted %+v", got)
	}
	l.source.fail, l.source.asked = nil, nil
	r.replayed(t, r.beginReplay())
	if slices.Sort(l.source.asked); !slices.Equal(l.source.asked, []string{"1001", "1004"}) || l.count(t, completedOnce) != 5 {
		t.Errorf("another replay asks for %v", l.source.asked)
	}
}

// TestReplaySource: a replay of one source asks no other.
func TestReplaySource(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.unenriched(t, etl.ModeDaily, 2)
	in := r.beginReplay()
	in.Source = "another"
	if out := r.replayed(t, in); len(out.Resources) != 0 || len(l.source.asked) != 0 {
		t.Errorf("asked %v: %+v", l.source.asked, out)
	}
}

// TestReplayRestarted: a restart of the import ends its replay, wherever that is, and what
// it appended falls with the generation.
func TestReplayRestarted(t *testing.T) {
	t.Parallel()
	for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			l.unitEvents = 2
			r := l.unenriched(t, mode, 4)
			in := r.beginReplay()
			var second *run
			l.source.before = func(keys []string) error {
				if slices.Contains(keys, "1002") && second == nil {
					second = r.again(t, true)
				}
				return nil
			}
			_, err := l.replay().Run(t.Context(), in)
			if _, ok := errors.AsType[*fault.Superseded](fault.Lift(err)); !ok {
				t.Fatalf("got %v, want Superseded", err)
			}
			if got := l.count(t, `SELECT count(*) FROM final.events WHERE completes IS NOT NULL`); got != 2 {
				t.Errorf("%d events are appended", got)
			}
			known := r.known()
			known.Status = etl.StatusRunning
			l.registry.imports[r.imp.ImportID] = known
			second.through(t, "Open", "Reconcile").publishFreely(t)
			if _, err := l.replay().Run(context.WithoutCancel(t.Context()), in); !isSuperseded(fault.Lift(err)) {
				t.Errorf("the old replay: %v", err)
			}
			if got := postgrestest.Scan[string](t, l.conn, seenOfReplay); got != "4/0" {
				t.Errorf("readers see %s", got)
			}
			if got := l.count(t, `SELECT count(*) FROM etl.errors WHERE rule = 'enrichment'`) + l.count(t, `SELECT count(*) FROM etl.ledger WHERE phase = 'Replay'`); got != 0 {
				t.Errorf("%d rows of what was replaced", got)
			}
		})
	}
}

// TestReplayEnds: the history of an execution is bounded, and one that may not go on says
// so.
func TestReplayEnds(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.unenriched(t, etl.ModeDaily, 1)
	in := r.beginReplay()
	in.Progress.Runs = 1000
	if _, err := l.replay().Run(t.Context(), in); fault.Name(fault.Lift(err)) != etl.FaultIncompatible {
		t.Errorf("after 1,000 runs: %v", err)
	}
	for name, change := range map[string]func(*registry.Import){
		"another replay": func(i *registry.Import) { i.Replay.Number++ },
		"given up":       func(i *registry.Import) { i.Replay.Status = etl.StatusAbandoned },
		"not published":  func(i *registry.Import) { i.Status = etl.StatusFailed },
	} {
		in, known := r.beginReplay(), r.known()
		change(&known)
		l.registry.imports[r.imp.ImportID] = known
		if _, err := l.replay().Run(t.Context(), in); !isSuperseded(fault.Lift(err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(l.source.asked) != 0 {
		t.Error("the source is asked")
	}
}

// TestReplayShares: a unit that gets no call of the source waits a moment, and gives back
// what it had.
func TestReplayShares(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.unenriched(t, etl.ModeDaily, 3)
	in := r.beginReplay()
	l.registry.taken = true
	in.Progress = do(t, r, "Replay", in, l.replay().Run)
	if in.Progress.Done || in.Progress.WaitSeconds != 5 || len(l.source.asked) != 0 {
		t.Errorf("without a call: %+v", in.Progress)
	}
	l.registry.taken = false
	l.clock.advance(5 * time.Second)
	r.replayed(t, in)
	if got := l.count(t, completedOnce); got != 3 || len(l.registry.shares) != 0 {
		t.Errorf("%d events are completed, shares %v", got, l.registry.shares)
	}
	if text := fmt.Sprint(l.log.String(), l.metrics.String()); strings.Contains(text, segment) || strings.Contains(text, score) {
		t.Error("an answer is in the log")
	}
}
