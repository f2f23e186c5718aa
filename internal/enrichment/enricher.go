package enrichment

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"etl-dataloader/internal/etl"
)

// Config configures how an [Enricher] calls its source. [Initial] and [Daily] return
// the two delivered ones.
type Config struct {
	Source Source

	// BatchSize is the largest number of keys in a call; 1 is one call per record.
	BatchSize int
	// Attempts is how often a call must fail while the source answers others until it
	// counts as poisoned. A call for one key that the source refuses is not repeated.
	Attempts int
	// Timeout is how long one attempt may take.
	Timeout time.Duration
	// Backoff is the pause before the second attempt; it doubles with each further one up
	// to MaxBackoff. Half of every pause is random.
	Backoff, MaxBackoff time.Duration
	// MaxRetryAfter is the longest pause that a source may ask for within a run. A
	// longer one is an outage, which is waited out elsewhere.
	MaxRetryAfter time.Duration
	// DownAfter is how many attempts in a row, probes included, must fail over
	// different keys until the source counts as down.
	DownAfter int

	Now    func() time.Time                                 // nil is time.Now
	Pause  func(ctx context.Context, d time.Duration) error // waits; fails if ctx ends first. Nil is a timer
	Jitter func() float64                                   // random numbers in [0, 1); nil is math/rand/v2
}

// Initial returns the configuration of the initial import: batches, each retried once.
func Initial(source Source, batch int, timeout time.Duration) Config {
	return Config{
		Source: source, BatchSize: batch, Attempts: 2, Timeout: timeout,
		Backoff: 500 * time.Millisecond, MaxBackoff: 5 * time.Second, MaxRetryAfter: 30 * time.Second, DownAfter: 3,
	}
}

// Daily returns the configuration of the daily import: one key per call, retried once.
func Daily(source Source, timeout time.Duration) Config {
	return Config{
		Source: source, BatchSize: 1, Attempts: 2, Timeout: timeout,
		Backoff: 200 * time.Millisecond, MaxBackoff: 2 * time.Second, MaxRetryAfter: 10 * time.Second, DownAfter: 3,
	}
}

// Enricher asks a source for many keys. Keep one for the life of the process: its
// source keeps connections and tokens.
type Enricher struct{ cfg Config }

// New returns an Enricher. It fails if cfg has no source, or a number in it is zero or
// negative where it must not be.
func New(cfg Config) (*Enricher, error) {
	if cfg.Source == nil || cfg.BatchSize < 1 || cfg.Attempts < 1 || cfg.DownAfter < 1 {
		return nil, errors.New("enrichment: a source, a batch size, attempts and failures until a source is down are needed")
	}
	if cfg.Timeout <= 0 || cfg.Backoff < 0 || cfg.MaxBackoff < cfg.Backoff || cfg.MaxRetryAfter < 0 {
		return nil, errors.New("enrichment: a duration is out of range")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Pause == nil {
		cfg.Pause = wait
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	return &Enricher{cfg: cfg}, nil
}

// Share is what a run may use of the limits of a source.
type Share struct {
	Calls     int     // in flight, at least 1
	PerSecond float64 // calls a second; 0 is no limit
}

// Outage tells that a source does not answer.
type Outage struct {
	Code       Code          // of the last failure
	Since      time.Time     // start of the first attempt without an answer
	RetryAfter time.Duration // how long the source asks to wait; 0 if unknown
}

// Answers are what a source answered for the first keys that it was asked for.
type Answers struct {
	Outcomes []Outcome // one per key, of the first keys, in their order
	Calls    int       // made for them, with retries and probes
	// Outage is why the rest has no answer; nil if all have one, or time was up.
	Outage *Outage
}

// Start begins a run over the keys of a unit of work, which are what probes ask for. It
// is not safe for concurrent use.
func (e *Enricher) Start(keys []string) *Run {
	return &Run{cfg: e.cfg, health: health{cfg: e.cfg, keys: keys, probing: make(chan struct{}, 1)}, limiter: rate.NewLimiter(rate.Inf, 1)}
}

// BatchSize is the largest number of keys in a call.
func (e *Enricher) BatchSize() int { return e.cfg.BatchSize }

// Reserve is how long a call that has begun may take at most, in the usual case: two
// attempts and two probes that hang, and the pauses between them.
func (e *Enricher) Reserve() time.Duration { return 4*e.cfg.Timeout + e.cfg.MaxRetryAfter }

// maxTries is how often a call is tried whose failures prove nothing, because the source
// answers now and then. Then the run is over, and the source counts as down.
const maxTries = 8

// Run asks a source for keys. It remembers from one [Run.Ask] to the next what the
// source answered.
type Run struct {
	cfg     Config
	health  health
	limiter *rate.Limiter
}

// Ask asks for keys, as many calls at a time as share allows, and begins no call after
// until. It returns the answers for the first keys. Those behind them are to be asked
// again: the source is down, time is up, or ctx ended, which says nothing about the source.
// A key with a value that is empty, longer than [MaxKey] or not UTF-8 fails with [CodeUnusableKey]
// without a call.
func (r *Run) Ask(ctx context.Context, keys []string, share Share, until time.Time) Answers {
	r.limit(share)
	outcomes := make([]Outcome, len(keys))
	asked, places := make([]string, 0, len(keys)), make([]int, 0, len(keys))
	for i, key := range keys {
		if !usable(key) {
			outcomes[i] = Outcome{Status: etl.EnrichmentFailed, Code: CodeUnusableKey}
			continue
		}
		asked, places = append(asked, key), append(places, i)
	}
	before := r.health.calls()
	var calls sync.WaitGroup
	inFlight := make(chan struct{}, max(1, share.Calls))
	for from := 0; from < len(asked); from += r.cfg.BatchSize {
		inFlight <- struct{}{}
		// Calls begin in order, so that time that is up leaves no gap in the answers.
		if !r.mayBegin(ctx, until) {
			break
		}
		to := min(from+r.cfg.BatchSize, len(asked))
		calls.Go(func() {
			defer func() { <-inFlight }()
			for i, outcome := range r.call(ctx, asked[from:to]) {
				outcomes[places[from+i]] = outcome
			}
		})
	}
	calls.Wait()
	answered := 0
	for answered < len(outcomes) && outcomes[answered].Status != "" {
		answered++
	}
	return Answers{Outcomes: outcomes[:answered], Calls: r.health.calls() - before, Outage: r.health.outage()}
}

// mayBegin reports whether another call may begin.
func (r *Run) mayBegin(ctx context.Context, until time.Time) bool {
	return r.health.outage() == nil && ctx.Err() == nil && r.cfg.Now().Before(until)
}

// limit sets the rate of calls.
func (r *Run) limit(share Share) {
	limit := rate.Inf
	if share.PerSecond > 0 {
		limit = rate.Limit(share.PerSecond)
	}
	r.limiter.SetLimit(limit)
}

// call asks for the keys of one call until they have an answer, the call is poisoned, or
// the source is down; then it returns nil.
func (r *Run) call(ctx context.Context, keys []string) []Outcome {
	own := 0 // failures that are not the source's
	for tries := 1; ; tries++ {
		started := r.cfg.Now()
		outcomes, failure := r.attempt(ctx, keys)
		if failure == nil {
			r.health.answered(keys[0], started)
			return outcomes
		}
		if failure.Code == CodeCancelled {
			return nil
		}
		switch r.judge(ctx, keys, failure, started) {
		case sourceDown:
			return nil
		case sourceAnswers:
			if own++; own >= r.cfg.Attempts || (failure.permanent() && len(keys) == 1) {
				return failed(len(keys), failure.Code)
			}
		case sourceUnknown:
			if tries >= maxTries {
				r.health.end(failure)
				return nil
			}
		}
		if r.cfg.Pause(ctx, r.pause(tries, failure)) != nil {
			return nil
		}
	}
}

// failed returns outcomes of keys that have no answer.
func failed(n int, code Code) []Outcome {
	outcomes := make([]Outcome, n)
	for i := range outcomes {
		outcomes[i] = Outcome{Status: etl.EnrichmentFailed, Code: code}
	}
	return outcomes
}

// attempt makes one attempt, when the rate allows it.
func (r *Run) attempt(ctx context.Context, keys []string) ([]Outcome, *Failure) {
	if err := r.limiter.Wait(ctx); err != nil {
		// The context ended, or would before the rate allows the call.
		return nil, &Failure{Code: CodeCancelled, Reason: "the caller's context ends before the rate allows a call"}
	}
	r.health.count()
	attemptCtx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	outcomes, err := r.cfg.Source.Lookup(attemptCtx, keys)
	if err != nil {
		return nil, failureOf(ctx, err)
	}
	if len(outcomes) != len(keys) {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the number of outcomes is not that of the keys"}
	}
	return outcomes, nil
}

// pause returns how long to wait after a failed attempt.
func (r *Run) pause(tries int, failure *Failure) time.Duration {
	pause := r.cfg.Backoff
	for range tries - 1 {
		pause = min(2*pause, r.cfg.MaxBackoff)
	}
	pause = pause/2 + time.Duration(float64(pause/2)*r.cfg.Jitter())
	return max(pause, failure.RetryAfter)
}

// wait waits for d. It fails if ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
