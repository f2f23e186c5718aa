package enrichment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
	"unicode/utf8"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"etl-dataloader/internal/etl"
)

// Config configures how an [Enricher] calls its source. [Initial] and [Daily] return
// the two delivered ones.
type Config struct {
	Source Source

	// BatchSize is the largest number of keys in a call; 1 is one call per record.
	BatchSize int
	// Concurrency is the largest number of concurrent calls of one Enrich.
	Concurrency int
	// Attempts is the largest number of attempts at a call, including the first. A
	// refused call is not repeated, unless it is a batch: a batch may fail because of
	// one of its keys.
	Attempts int
	// Timeout is how long one attempt may take.
	Timeout time.Duration
	// Backoff is the pause before the second attempt; it doubles with each
	// further one up to MaxBackoff. Half of every pause is random.
	Backoff, MaxBackoff time.Duration
	// MaxRetryAfter is the longest pause that a source may ask for. A call that would
	// have to wait longer fails at once.
	MaxRetryAfter time.Duration
	// CallsPerSecond limits the attempts, in bursts of at most Concurrency; 0 is
	// no limit.
	CallsPerSecond float64
	// TripAfter is how many attempts in a row must fail to open the circuit. Then no
	// call is made for OpenFor, and afterwards one at a time until one succeeds.
	// Refused calls do not count, because the source answers.
	TripAfter uint32
	OpenFor   time.Duration
	// Jitter returns random numbers in [0, 1); nil is math/rand/v2.
	Jitter func() float64
}

// Initial returns the configuration of the initial import: batches of 1,000
// keys, four at a time, each retried once.
func Initial(source Source) Config {
	return Config{
		Source: source, BatchSize: 1000, Concurrency: 4, Attempts: 2, Timeout: 30 * time.Second,
		Backoff: 500 * time.Millisecond, MaxBackoff: 5 * time.Second, MaxRetryAfter: 30 * time.Second,
		TripAfter: 6, OpenFor: 30 * time.Second,
	}
}

// Daily returns the configuration of the daily import: one key per call, eight at a
// time, three attempts.
func Daily(source Source) Config {
	return Config{
		Source: source, BatchSize: 1, Concurrency: 8, Attempts: 3, Timeout: 5 * time.Second,
		Backoff: 200 * time.Millisecond, MaxBackoff: 2 * time.Second, MaxRetryAfter: 10 * time.Second,
		TripAfter: 24, OpenFor: 30 * time.Second,
	}
}

// Enricher asks a source for many keys. It is safe for concurrent use. Keep one for
// the life of the process, because it remembers whether the source is down.
type Enricher struct {
	cfg     Config
	limiter *rate.Limiter
	breaker *gobreaker.CircuitBreaker[[]Outcome]
}

// New returns an Enricher. It fails if cfg has no source, or a number in it is
// zero or negative where it must not be.
func New(cfg Config) (*Enricher, error) {
	if cfg.Source == nil || cfg.BatchSize < 1 || cfg.Concurrency < 1 || cfg.Attempts < 1 || cfg.TripAfter < 1 {
		return nil, errors.New("enrichment: a source, a batch size, a concurrency, attempts and failures to trip after are needed")
	}
	if cfg.Timeout <= 0 || cfg.OpenFor <= 0 || cfg.Backoff < 0 || cfg.MaxBackoff < cfg.Backoff || cfg.MaxRetryAfter < 0 || cfg.CallsPerSecond < 0 {
		return nil, errors.New("enrichment: a duration or rate is out of range")
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	limit := rate.Inf
	if cfg.CallsPerSecond > 0 {
		limit = rate.Limit(cfg.CallsPerSecond)
	}
	return &Enricher{
		cfg:     cfg,
		limiter: rate.NewLimiter(limit, cfg.Concurrency),
		breaker: gobreaker.NewCircuitBreaker[[]Outcome](gobreaker.Settings{
			Timeout:     cfg.OpenFor,
			ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= cfg.TripAfter },
			IsSuccessful: func(err error) bool {
				failure, ok := errors.AsType[*Failure](err)
				return err == nil || (ok && failure.permanent())
			},
			IsExcluded: func(err error) bool {
				failure, ok := errors.AsType[*Failure](err)
				return ok && failure.Code == CodeCancelled
			},
		}),
	}, nil
}

// Window returns the number of keys with which one Enrich makes all the concurrent
// calls that it may.
func (e *Enricher) Window() int { return max(e.cfg.BatchSize*e.cfg.Concurrency, 1000) }

// Enrich returns one outcome per key, in the order of the keys, however the source
// behaves. A key that is empty, longer than [MaxKey] or not UTF-8 fails with
// [CodeUnusableKey] without a call. When ctx ends, keys without an answer fail with
// [CodeCancelled]; a caller whose context ended must not persist the outcomes.
func (e *Enricher) Enrich(ctx context.Context, keys []string) []Outcome {
	outcomes := make([]Outcome, len(keys))
	asked, places := make([]string, 0, len(keys)), make([]int, 0, len(keys))
	for i, key := range keys {
		if key == "" || utf8.RuneCountInString(key) > MaxKey || !utf8.ValidString(key) {
			outcomes[i] = Outcome{Status: etl.EnrichmentFailed, Code: CodeUnusableKey}
			continue
		}
		asked, places = append(asked, key), append(places, i)
	}
	var calls errgroup.Group
	calls.SetLimit(e.cfg.Concurrency)
	for from := 0; from < len(asked); from += e.cfg.BatchSize {
		to := min(from+e.cfg.BatchSize, len(asked))
		calls.Go(func() error {
			for i, outcome := range e.call(ctx, asked[from:to]) {
				outcomes[places[from+i]] = outcome
			}
			return nil
		})
	}
	_ = calls.Wait() // no call returns an error; outcomes carry the failures
	return outcomes
}

// call makes one call, with its retries.
func (e *Enricher) call(ctx context.Context, keys []string) []Outcome {
	for attempt := 1; ; attempt++ {
		outcomes, failure := e.attempt(ctx, keys)
		if failure == nil {
			return outcomes
		}
		pause, retry := e.pause(attempt, failure)
		if retry && !wait(ctx, pause) {
			failure, retry = failureOf(ctx, ctx.Err()), false
		}
		if retry {
			continue
		}
		outcomes = make([]Outcome, len(keys))
		for i := range outcomes {
			outcomes[i] = Outcome{Status: etl.EnrichmentFailed, Code: failure.Code}
		}
		return outcomes
	}
}

// attempt makes one attempt, unless rate or circuit forbid it.
func (e *Enricher) attempt(ctx context.Context, keys []string) ([]Outcome, *Failure) {
	if err := e.limiter.Wait(ctx); err != nil {
		// The context ended, or would before the rate allows the call.
		return nil, &Failure{Code: CodeCancelled, Reason: "the caller's context ends before the rate allows a call"}
	}
	outcomes, err := e.breaker.Execute(func() ([]Outcome, error) {
		attemptCtx, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
		defer cancel()
		outcomes, err := e.cfg.Source.Lookup(attemptCtx, keys)
		if err != nil {
			return nil, failureOf(ctx, err)
		}
		if len(outcomes) != len(keys) {
			return nil, &Failure{Code: CodeInvalidAnswer, Reason: fmt.Sprintf("%d outcomes for %d keys", len(outcomes), len(keys))}
		}
		return outcomes, nil
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, &Failure{Code: CodeCircuitOpen, Reason: "the source failed too often just now"}
	}
	if err != nil {
		return nil, failureOf(ctx, err)
	}
	return outcomes, nil
}

// pause returns how long to wait after a failed attempt, and whether to try again.
func (e *Enricher) pause(attempt int, failure *Failure) (time.Duration, bool) {
	switch {
	case attempt >= e.cfg.Attempts, failure.Code == CodeCircuitOpen, failure.Code == CodeCancelled,
		failure.permanent() && e.cfg.BatchSize == 1, failure.RetryAfter > e.cfg.MaxRetryAfter:
		return 0, false
	}
	pause := e.cfg.Backoff
	for range attempt - 1 {
		pause = min(2*pause, e.cfg.MaxBackoff)
	}
	pause = pause/2 + time.Duration(float64(pause/2)*e.cfg.Jitter())
	return max(pause, failure.RetryAfter), true
}

// wait waits for d. It returns false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
