package enrichment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"etl-dataloader/internal/etl"
)

// fakeSource answers a key with itself, in upper case. Each call takes latency
// and may be made to fail. Its time is that of synctest.
type fakeSource struct {
	latency time.Duration
	fail    func(call int, keys []string) error // of the calls counted from 1; nil is no failure

	mu       sync.Mutex
	calls    [][]string
	started  []time.Duration // since the first call
	first    time.Time
	inFlight int
	most     int
}

func (f *fakeSource) Lookup(ctx context.Context, keys []string) ([]Outcome, error) {
	f.mu.Lock()
	if len(f.calls) == 0 {
		f.first = time.Now()
	}
	f.calls = append(f.calls, keys)
	f.started = append(f.started, time.Since(f.first))
	call := len(f.calls)
	f.inFlight++
	f.most = max(f.most, f.inFlight)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.inFlight--
	}()
	if !wait(ctx, f.latency) {
		return nil, fmt.Errorf("fake: %w", ctx.Err())
	}
	if f.fail != nil {
		if err := f.fail(call, keys); err != nil {
			return nil, err
		}
	}
	outcomes := make([]Outcome, len(keys))
	for i, key := range keys {
		outcomes[i] = Outcome{Status: etl.EnrichmentOK, Values: []byte(`"` + strings.ToUpper(key) + `"`)}
	}
	return outcomes, nil
}

func testKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d", i)
	}
	return keys
}

func newEnricher(t *testing.T, cfg Config, change ...func(*Config)) *Enricher {
	t.Helper()
	cfg.Jitter = func() float64 { return 0 }
	for _, f := range change {
		f(&cfg)
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// assertOutcomes checks order and statuses: every key has its own values, or
// failed with code if failed says so.
func assertOutcomes(t *testing.T, keys []string, got []Outcome, code Code, failed func(i int) bool) {
	t.Helper()
	if len(got) != len(keys) {
		t.Fatalf("%d outcomes for %d keys", len(got), len(keys))
	}
	for i, o := range got {
		if failed != nil && failed(i) {
			if o.Status != etl.EnrichmentFailed || o.Code != code || o.Values != nil {
				t.Fatalf("key %d: %+v, want failed with %s", i, o, code)
			}
			continue
		}
		if want := `"` + strings.ToUpper(keys[i]) + `"`; o.Status != etl.EnrichmentOK || o.Code != "" || string(o.Values) != want {
			t.Fatalf("key %d: %+v, want ok with %s", i, o, want)
		}
	}
}

func all(int) bool { return true }

var errDown = &Failure{Code: CodeServerError, Reason: "HTTP status 500"}

func TestInitialAsksInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{latency: time.Second}
		e, keys := newEnricher(t, Initial(source)), testKeys(9500)
		start := time.Now()
		assertOutcomes(t, keys, e.Enrich(t.Context(), keys), "", nil)
		if len(source.calls) != 10 || source.most != 4 || time.Since(start) != 3*time.Second {
			t.Errorf("%d calls, %d at once, in %v", len(source.calls), source.most, time.Since(start))
		}
		for _, call := range source.calls {
			if len(call) != 1000 && len(call) != 500 {
				t.Errorf("a call of %d keys", len(call))
			}
		}
		if e.Window() != 4000 {
			t.Errorf("window is %d", e.Window())
		}
	})
}

func TestDailyAsksOneKeyACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{latency: time.Second}
		e, keys := newEnricher(t, Daily(source)), testKeys(80)
		start := time.Now()
		assertOutcomes(t, keys, e.Enrich(t.Context(), keys), "", nil)
		if len(source.calls) != 80 || source.most != 8 || time.Since(start) != 10*time.Second {
			t.Errorf("%d calls, %d at once, in %v", len(source.calls), source.most, time.Since(start))
		}
		if e.Window() != 1000 {
			t.Errorf("window is %d", e.Window())
		}
	})
}

func TestFailedBatchIsRetriedOnce(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		failures int // of the first batch
		code     Code
		calls    int
	}{
		{"back at the retry", errDown, 1, "", 4},
		{"down", errDown, 9, CodeServerError, 4},
		{"refused is retried too", &Failure{Code: CodeRefused}, 9, CodeRefused, 4},
		{"an error of no kind", errors.New("odd"), 9, CodeUnreachable, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failed := 0
				source := &fakeSource{fail: func(_ int, keys []string) error {
					if keys[0] != "k0" || failed == c.failures {
						return nil
					}
					failed++
					return c.err
				}}
				keys := testKeys(3000)
				got := newEnricher(t, Initial(source), func(cfg *Config) { cfg.Concurrency = 1 }).Enrich(t.Context(), keys)
				assertOutcomes(t, keys, got, c.code, func(i int) bool { return c.code != "" && i < 1000 })
				if len(source.calls) != c.calls || source.started[1] != 250*time.Millisecond {
					t.Errorf("%d calls, at %v", len(source.calls), source.started)
				}
			})
		})
	}
}

func TestDailyFailureIsOneRecords(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		code  Code
		calls int // of the failing key
	}{
		{"down", errDown, CodeServerError, 3},
		{"refused", &Failure{Code: CodeRefused}, CodeRefused, 1},
		{"wants too much patience", &Failure{Code: CodeThrottled, RetryAfter: time.Hour}, CodeThrottled, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				source := &fakeSource{fail: func(_ int, keys []string) error {
					if keys[0] != "k7" {
						return nil
					}
					calls++
					return c.err
				}}
				keys := testKeys(20)
				got := newEnricher(t, Daily(source)).Enrich(t.Context(), keys)
				assertOutcomes(t, keys, got, c.code, func(i int) bool { return i == 7 })
				if calls != c.calls {
					t.Errorf("%d calls, want %d", calls, c.calls)
				}
			})
		})
	}
}

func TestBackoffDoublesAndHeedsRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{fail: func(call int, _ []string) error {
			if call == 3 {
				return &Failure{Code: CodeThrottled, RetryAfter: 7 * time.Second}
			}
			return errDown
		}}
		e := newEnricher(t, Daily(source), func(cfg *Config) {
			cfg.Attempts, cfg.TripAfter, cfg.MaxBackoff = 6, 100, 800*time.Millisecond
			cfg.Jitter = func() float64 { return 0.5 }
		})
		e.Enrich(t.Context(), []string{"k"})
		at := time.Duration(0)
		for i, pause := range []time.Duration{0, 150 * time.Millisecond, 300 * time.Millisecond, 7 * time.Second, 600 * time.Millisecond, 600 * time.Millisecond} {
			at += pause
			if source.started[i] != at {
				t.Errorf("attempt %d at %v, want %v", i+1, source.started[i], at)
			}
		}
	})
}

func TestAttemptTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{latency: time.Hour}
		start := time.Now()
		got := newEnricher(t, Daily(source)).Enrich(t.Context(), []string{"k"})
		assertOutcomes(t, []string{"k"}, got, CodeTimeout, all)
		if took := time.Since(start); len(source.calls) != 3 || took != 15*time.Second+300*time.Millisecond {
			t.Errorf("%d calls in %v", len(source.calls), took)
		}
	})
}

func TestOpenCircuitFailsFastAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		source := &fakeSource{latency: time.Second, fail: func(int, []string) error {
			if down {
				return errDown
			}
			return nil
		}}
		e := newEnricher(t, Daily(source), func(cfg *Config) { cfg.Concurrency, cfg.TripAfter = 1, 6 })
		keys := testKeys(100)
		got := e.Enrich(t.Context(), keys)
		assertOutcomes(t, keys[:2], got[:2], CodeServerError, all)
		assertOutcomes(t, keys[2:], got[2:], CodeCircuitOpen, all)
		if len(source.calls) != 6 {
			t.Errorf("%d calls to a source that is down, want 6", len(source.calls))
		}

		down = false
		assertOutcomes(t, keys, e.Enrich(t.Context(), keys), CodeCircuitOpen, all)
		if len(source.calls) != 6 {
			t.Error("the source was called while the circuit was open")
		}
		wait(t.Context(), 31*time.Second) // by synctest's clock: no time passes
		assertOutcomes(t, keys, e.Enrich(t.Context(), keys), "", nil)
	})
}

func TestRefusedCallsDoNotOpenTheCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{fail: func(int, []string) error { return &Failure{Code: CodeRefused} }}
		keys := testKeys(100)
		assertOutcomes(t, keys, newEnricher(t, Daily(source)).Enrich(t.Context(), keys), CodeRefused, all)
		if len(source.calls) != 100 {
			t.Errorf("%d calls", len(source.calls))
		}
	})
}

func TestRateIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		e, keys := newEnricher(t, Daily(source), func(cfg *Config) { cfg.CallsPerSecond = 10 }), testKeys(108)
		start := time.Now()
		assertOutcomes(t, keys, e.Enrich(t.Context(), keys), "", nil)
		if took := time.Since(start).Round(time.Millisecond); took != 10*time.Second {
			t.Errorf("100 calls beyond the burst took %v", took)
		}
	})
}

func TestCancelledContext(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
	}{
		{"in a call", func(cfg *Config) { cfg.Source.(*fakeSource).latency = time.Hour; cfg.Timeout = 2 * time.Hour }},
		{"in a pause", func(cfg *Config) { cfg.Source.(*fakeSource).fail = func(int, []string) error { return errDown } }},
		{"before the rate allows", func(cfg *Config) { cfg.CallsPerSecond = 0.001 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				source := &fakeSource{}
				e := newEnricher(t, Daily(source), func(cfg *Config) {
					cfg.Attempts, cfg.TripAfter, cfg.Backoff, cfg.MaxBackoff = 100, 1000, time.Minute, time.Minute
				}, c.change)
				keys := testKeys(50)
				start := time.Now()
				got := e.Enrich(ctx, keys)
				if time.Since(start) > time.Second {
					t.Errorf("it took %v", time.Since(start))
				}
				if last := got[len(got)-1]; last.Status != etl.EnrichmentFailed || last.Code != CodeCancelled {
					t.Errorf("the last outcome is %+v", last)
				}
			})
		})
	}
}

// An abandoned call proves nothing about the source.
func TestCancelledCallsDoNotOpenTheCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{latency: time.Second}
		e, keys := newEnricher(t, Daily(source)), testKeys(100)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for range 10 {
			e.Enrich(ctx, keys)
		}
		assertOutcomes(t, keys, e.Enrich(t.Context(), keys), "", nil)
	})
}

func TestUnusableKeysAreNotAsked(t *testing.T) {
	source := &fakeSource{}
	keys := testKeys(2500)
	for i := 0; i < len(keys); i += 3 {
		keys[i] = []string{"", strings.Repeat("é", MaxKey+1), "\xff"}[i%9/3]
	}
	keys[1] = strings.Repeat("é", MaxKey)
	e := newEnricher(t, Initial(source))
	assertOutcomes(t, keys, e.Enrich(t.Context(), keys), CodeUnusableKey, func(i int) bool { return i%3 == 0 })
	if asked := slices.Concat(source.calls...); len(asked) != 1666 || !slices.Contains(asked, keys[1]) {
		t.Errorf("%d keys were asked for", len(asked))
	}
	if got := e.Enrich(t.Context(), nil); len(got) != 0 {
		t.Errorf("%d outcomes for no key", len(got))
	}
}

func TestSourceThatForgetsAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := testKeys(10)
		got := newEnricher(t, Initial(forgetful{})).Enrich(t.Context(), keys)
		assertOutcomes(t, keys, got, CodeInvalidAnswer, all)
	})
}

type forgetful struct{}

func (forgetful) Lookup(_ context.Context, keys []string) ([]Outcome, error) {
	return make([]Outcome, len(keys)-1), nil
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no source":          func(c *Config) { c.Source = nil },
		"no batch":           func(c *Config) { c.BatchSize = 0 },
		"no concurrency":     func(c *Config) { c.Concurrency = 0 },
		"no attempts":        func(c *Config) { c.Attempts = 0 },
		"no timeout":         func(c *Config) { c.Timeout = 0 },
		"a negative pause":   func(c *Config) { c.Backoff = -1 },
		"a lower maximum":    func(c *Config) { c.MaxBackoff = c.Backoff - 1 },
		"a negative rate":    func(c *Config) { c.CallsPerSecond = -1 },
		"an instant circuit": func(c *Config) { c.TripAfter = 0 },
		"no open time":       func(c *Config) { c.OpenFor = 0 },
		"negative patience":  func(c *Config) { c.MaxRetryAfter = -1 },
	} {
		cfg := Daily(&fakeSource{})
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
