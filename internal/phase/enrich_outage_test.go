package phase_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
)

// crowd is a day with n clients.
func crowd(n int) rows {
	clients := make([]string, n)
	for i := range clients {
		clients[i] = fmt.Sprintf("%d,Anne,Durand,a%d@exemple.fr,%010d,,,,Lyon,FR,2024-02-02T03:04:05Z", 1000+i, i, 1_000_000_000+i)
	}
	return day().only("clients", clients...)
}

// toEnrich uploads n clients of one chunk, up to Enrich.
func (l *line) toEnrich(t *testing.T, mode etl.Mode, n int) (*run, phase.EnrichIn) {
	t.Helper()
	r := l.upload(t, mode, "2024-10-08", crowd(n).csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "clients")
	return r, phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: chunk}}
}

var errDown = &enrichment.Failure{Code: enrichment.CodeServerError, Reason: "HTTP status 503"}

// expectEnriched checks how many clients have which enrichment.
func (l *line) expectEnriched(t *testing.T, ok, failed int) {
	t.Helper()
	for status, want := range map[string]int{"ok": ok, "failed": failed} {
		if got := l.count(t, `SELECT count(*) FROM final.events WHERE resource = 'clients' AND enrichment = $1`, status); got != want {
			t.Errorf("%d clients are %s, want %d", got, status, want)
		}
	}
	if got := l.count(t, `SELECT count(*) FROM etl.errors WHERE rule = 'enrichment'`); got != failed {
		t.Errorf("%d errors, want %d", got, failed)
	}
}

// TestOutageIsWaitedOut: a source that is down, for seconds or for hours, costs no record
// its enrichment. The waits grow, and an answered part is not asked for again.
func TestOutageIsWaitedOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		down  time.Duration
		waits []int
	}{
		{"2 s", 2 * time.Second, []int{30}},
		{"10 min", 10 * time.Minute, []int{30, 60, 120, 240, 300}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			l.partKeys = 4
			r, in := l.toEnrich(t, etl.ModeInitial, 20)
			var from time.Time
			l.source.before = func([]string) error {
				if len(l.source.asked) < 8 {
					return nil
				}
				if from.IsZero() {
					from = l.clock.now()
				}
				if l.clock.now().Sub(from) < c.down {
					return errDown
				}
				return nil
			}
			var waits []int
			for !in.Progress.Done {
				in.Progress = do(t, r, "Enrich", in, l.enrich().Run)
				if in.Progress.WaitSeconds > 0 {
					waits = append(waits, in.Progress.WaitSeconds)
				}
				l.clock.advance(time.Duration(in.Progress.WaitSeconds) * time.Second)
			}
			if !slices.Equal(waits, c.waits) {
				t.Errorf("the waits are %v s, want %v", waits, c.waits)
			}
			slices.Sort(l.source.asked)
			if asked := slices.Compact(slices.Clone(l.source.asked)); len(asked) != 20 || len(l.source.asked) != 20 {
				t.Errorf("%d of %d keys were asked for once", len(asked), len(l.source.asked))
			}
			if in.Progress.Answers.Enriched != 20 || in.Progress.Silent.Waits != int64(len(waits)) {
				t.Errorf("it ends with %+v", in.Progress)
			}
			r.through(t, "Events", "Publish")
			l.expectEnriched(t, 20, 0)
		})
	}
}

// TestPatienceIsSpent: a source that gives no answer for longer than the patience ends
// the waits in bounded time. What was answered before stays; the rest is recorded.
func TestPatienceIsSpent(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.partKeys, l.patience = 4, 20*time.Minute
	r, in := l.toEnrich(t, etl.ModeDaily, 20)
	l.source.before = func([]string) error {
		if len(l.source.asked) < 8 {
			return nil
		}
		return errDown
	}
	began, calls := l.clock.now(), 0
	for !in.Progress.Done {
		in.Progress = do(t, r, "Enrich", in, l.enrich().Run)
		l.clock.advance(time.Duration(in.Progress.WaitSeconds) * time.Second)
		if calls++; calls > 100 {
			t.Fatal("it does not end")
		}
	}
	if took := l.clock.now().Sub(began); took < 20*time.Minute || took > 21*time.Minute {
		t.Errorf("it took %v, with a patience of 20 minutes", took)
	}
	if l.source.calls > 50 { // the calls that were under way, then three at most after each of nine waits
		t.Errorf("%d calls to a source that is down", l.source.calls)
	}
	if a := in.Progress.Answers; a.Enriched != 8 || a.NotEnriched != 12 {
		t.Errorf("it ends with %+v", a)
	}
	if len(l.alerts.sent) != 1 || !strings.Contains(l.alerts.sent[0].Text, r.imp.ImportID) {
		t.Errorf("after half of the patience %d alerts were sent", len(l.alerts.sent))
	}
	r.through(t, "Events", "Publish")
	if len(l.alerts.sent) != 1 {
		t.Errorf("in the end %d alerts were sent: %+v", len(l.alerts.sent), l.alerts.sent)
	}
	l.expectEnriched(t, 8, 12)
	if logged := l.log.lines(t, phase.EnrichmentError); len(logged) != 12 || logged[0].Line != 10 {
		t.Errorf("%d records are logged", len(logged))
	}
}

// TestRedriveRenewsPatience: the time without an answer counts for the attempt in which
// it was spent, and units that see the same outage share it.
func TestRedriveRenewsPatience(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.patience = 10 * time.Minute
	r, in := l.toEnrich(t, etl.ModeDaily, 6)
	l.source.before = func([]string) error { return errDown }
	run := func() phase.Enriched { return do(t, r, "Enrich", in, l.enrich().Run) }
	if out := run(); out.Done || out.WaitSeconds != 30 {
		t.Fatalf("at first %+v", out)
	}
	l.clock.advance(8 * time.Minute)
	if out := run(); out.Done || out.WaitSeconds != 30 {
		t.Errorf("after 8 of 10 minutes %+v", out)
	}
	l.clock.advance(time.Hour) // the execution was stopped
	imp := l.registry.imports[r.imp.ImportID]
	imp.Attempts++
	l.registry.imports[r.imp.ImportID] = imp
	if out := run(); out.Done || out.WaitSeconds != 30 {
		t.Errorf("after a redrive %+v", out)
	}
	l.clock.advance(11 * time.Minute)
	if out := run(); !out.Done || out.Answers.NotEnriched != 6 {
		t.Errorf("after the patience %+v", out)
	}
}

// TestPoisonedBatch: a batch that fails while the source answers others is given up
// alone, after one retry, and without a wait.
func TestPoisonedBatch(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r, in := l.toEnrich(t, etl.ModeInitial, 20)
	poisoned := 0
	l.source.before = func(keys []string) error {
		if slices.Contains(keys, "1007") {
			poisoned++
			return errDown
		}
		return nil
	}
	out := do(t, r, "Enrich", in, l.enrich().Run)
	if !out.Done || out.Answers.Enriched != 18 || out.Answers.NotEnriched != 2 || poisoned != 2 {
		t.Errorf("%+v after %d calls for the poisoned batch", out, poisoned)
	}
	r.through(t, "Events", "Publish")
	l.expectEnriched(t, 18, 2)
}

// TestTimeIsUp: a slow source gets as many runs as it needs. A function that is killed
// repeats one part at most.
func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.partTime, l.registry.most = 20*time.Second, 1
	r, in := l.toEnrich(t, etl.ModeInitial, 40)
	killed := false
	var kill context.CancelFunc
	l.source.before = func([]string) error {
		l.clock.advance(10 * time.Second)
		if len(l.source.asked) == 20 && !killed {
			killed = true
			kill()
			return context.Canceled
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	kill = cancel
	_, err := l.enrich().Run(ctx, in)
	if _, ok := errors.AsType[*fault.Transient](fault.Lift(err)); !ok {
		t.Fatalf("the killed run: %v", err)
	}
	if out := r.enrich(t, in); out.Answers.Enriched != 40 {
		t.Errorf("it ends with %+v", out)
	}
	if twice := len(l.source.asked) - 40; twice < 0 || twice > 4 { // a part is two calls of two keys
		t.Errorf("%d keys were asked for twice", twice)
	}
	r.through(t, "Events", "Publish")
	l.expectEnriched(t, 40, 0)
}

// TestPartLost is the failure table of a part: its object or its row in the ledger fails,
// before or after it is saved. A saved object is not asked for again.
func TestPartLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		object bool
		saved  bool
		twice  int // keys that are asked for again
	}{
		{"the object failed, not saved", true, false, 4},
		{"the object failed, but saved", true, true, 4},
		{"the row failed, not saved", false, false, 4},
		{"the row failed, but saved", false, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			l.partKeys = 4
			r, in := l.toEnrich(t, etl.ModeInitial, 10)
			broken := l.enrich()
			if c.object {
				broken.Work = objectstore.New(s3.New(emulator.S3(t).Options(), func(o *s3.Options) {
					o.RetryMaxAttempts, o.HTTPClient = 1, &losingNth{HTTPClient: o.HTTPClient, saved: c.saved, nth: 2}
				}), l.work.Bucket())
			} else {
				proxy := postgrestest.Listen(t, l.url)
				broken.DB = server.Open(t, proxy.URL)
				l.source.before = func([]string) error {
					if len(l.source.asked) == 4 {
						proxy.Lose(map[bool]postgrestest.Loss{false: postgrestest.LoseRequest, true: postgrestest.LoseAnswer}[c.saved])
					}
					return nil
				}
			}
			if _, err := broken.Run(t.Context(), in); fault.Name(fault.Lift(err)) != "Transient" {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			l.source.before = nil
			if out := r.enrich(t, in); out.Answers.Enriched != 10 {
				t.Errorf("it ends with %+v", out)
			}
			if twice := len(l.source.asked) - 10; twice != c.twice {
				t.Errorf("%d keys were asked for twice, want %d", twice, c.twice)
			}
			r.through(t, "Events", "Publish")
			l.expectEnriched(t, 10, 0)
		})
	}
}

// losingNth breaks the connection of the nth PUT, before the server has it or after.
type losingNth struct {
	s3.HTTPClient
	saved bool
	nth   int
	puts  int
}

func (l *losingNth) Do(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut {
		l.puts++
	}
	if l.puts == l.nth && r.Method == http.MethodPut {
		return losingPuts{l.HTTPClient, l.saved}.Do(r)
	}
	return l.HTTPClient.Do(r)
}

// TestSharesAreKept: a unit asks only with a share of the source's calls, waits a moment
// while others have them all, and gives its own back.
func TestSharesAreKept(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r, in := l.toEnrich(t, etl.ModeDaily, 4)
	l.registry.taken = true
	out := do(t, r, "Enrich", in, l.enrich().Run)
	if out.Done || out.WaitSeconds != 5 || l.source.calls != 0 {
		t.Errorf("without a share: %+v, %d calls", out, l.source.calls)
	}
	l.registry.taken = false
	held := 0
	l.source.before = func([]string) error {
		held = len(l.registry.shares)
		return nil
	}
	if out = r.enrich(t, in); out.Answers.Enriched != 4 || held != 1 || len(l.registry.shares) != 0 {
		t.Errorf("then %+v; %d shares are held, %d afterwards", out, held, len(l.registry.shares))
	}
}

// TestHistoryIsFull: after 1,000 runs the execution fails while it can still be told
// how to go on.
func TestHistoryIsFull(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r, in := l.toEnrich(t, etl.ModeDaily, 2)
	in.Progress.Runs = 1000
	_, err := l.enrich().Run(t.Context(), in)
	if got, ok := errors.AsType[*fault.Incompatible](fault.Lift(err)); !ok || got.Advice() != fault.Continue {
		t.Errorf("got %v, want Incompatible and to continue", err)
	}
	in.Progress = phase.Enriched{}
	if out := r.enrich(t, in); out.Answers.Enriched != 2 {
		t.Errorf("then %+v", out)
	}
}
