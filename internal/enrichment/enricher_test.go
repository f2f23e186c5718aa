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
	// hangFrom is when it stops to answer; zero: never.
	hangFrom time.Time
	fail     func(call int, keys []string) error // of the calls counted from 1; nil is no failure

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
	latency := f.latency
	if !f.hangFrom.IsZero() && !time.Now().Before(f.hangFrom) {
		latency = 24 * time.Hour
	}
	if err := wait(ctx, latency); err != nil {
		return nil, fmt.Errorf("fake: %w", err)
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

// initial and daily are the delivered configurations with the contract's defaults.
func initial(source Source) Config { return Initial(source, 1000, time.Minute) }
func daily(source Source) Config   { return Daily(source, 10*time.Second) }

// ask asks for all keys in one run, calls at a time.
func ask(t *testing.T, e *Enricher, keys []string, calls int) Answers {
	t.Helper()
	return e.Start(keys).Ask(t.Context(), keys, Share{Calls: calls}, time.Now().Add(24*time.Hour))
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

var errDown = &Failure{Code: CodeServerError, Reason: "HTTP status 500"}

func TestInitialAsksInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{latency: time.Second}
		e, keys := newEnricher(t, initial(source)), testKeys(9500)
		start := time.Now()
		got := ask(t, e, keys, 4)
		assertOutcomes(t, keys, got.Outcomes, "", nil)
		if len(source.calls) != 10 || got.Calls != 10 || source.most != 4 || time.Since(start) != 3*time.Second {
			t.Errorf("%d calls, %d at once, in %v", len(source.calls), source.most, time.Since(start))
		}
		for _, call := range source.calls {
			if len(call) != 1000 && len(call) != 500 {
				t.Errorf("a call of %d keys", len(call))
			}
		}
	})
}

func TestDailyAsksOneKeyACall(t *testing.T) {
	for _, calls := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			source := &fakeSource{latency: time.Second}
			e, keys := newEnricher(t, daily(source)), testKeys(80)
			start := time.Now()
			assertOutcomes(t, keys, ask(t, e, keys, calls).Outcomes, "", nil)
			if len(source.calls) != 80 || source.most != calls || time.Since(start) != time.Duration(80/calls)*time.Second {
				t.Errorf("%d calls, %d at once, in %v", len(source.calls), source.most, time.Since(start))
			}
		})
	}
}

// TestPoisoned: a call that fails while the source answers others is given up alone:
// a batch after one retry, a key that the source refuses at once.
func TestPoisoned(t *testing.T) {
	invalid := &Failure{Code: CodeInvalidAnswer}
	for _, c := range []struct {
		name     string
		cfg      func(Source) Config
		err      error
		failures int // of the call for the first key
		code     Code
		calls    int // for it
	}{
		{"a batch that is back at the retry", initial, errDown, 1, "", 2},
		{"a batch", initial, errDown, 99, CodeServerError, 2},
		{"a batch without a usable answer", initial, invalid, 99, CodeInvalidAnswer, 2},
		{"a batch that is refused", initial, &Failure{Code: CodeRefused}, 99, CodeRefused, 2},
		{"an error of no kind", initial, errors.New("odd"), 99, CodeUnreachable, 2},
		{"a key that is back at the retry", daily, errDown, 1, "", 2},
		{"a key", daily, errDown, 99, CodeServerError, 2},
		{"a key without a usable answer", daily, invalid, 99, CodeInvalidAnswer, 2},
		{"a key that is refused", daily, &Failure{Code: CodeRefused}, 99, CodeRefused, 1},
	} {
		for _, calls := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d at a time", c.name, calls), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					failed := 0
					source := &fakeSource{latency: time.Second, fail: func(_ int, keys []string) error {
						if keys[0] != "k0" {
							return nil
						}
						if failed++; failed > c.failures {
							return nil
						}
						return c.err
					}}
					e := newEnricher(t, c.cfg(source))
					keys := testKeys(3 * e.BatchSize())
					got := ask(t, e, keys, calls)
					assertOutcomes(t, keys, got.Outcomes, c.code, func(i int) bool { return c.code != "" && i < e.BatchSize() })
					if failed != c.calls || got.Outage != nil {
						t.Errorf("%d calls for the first keys, want %d; outage %+v", failed, c.calls, got.Outage)
					}
				})
			})
		}
	}
}

// TestDown: a source that answers nobody is down after a few calls, whatever it does.
// The answers of before count; no key behind them is marked.
func TestDown(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error // nil: it hangs
		code Code
	}{
		{"errors", errDown, CodeServerError},
		{"no connection", &Failure{Code: CodeUnreachable}, CodeUnreachable},
		{"no usable answer", &Failure{Code: CodeInvalidAnswer}, CodeInvalidAnswer},
		{"hangs", nil, CodeTimeout},
		{"too busy", &Failure{Code: CodeThrottled}, CodeThrottled},
		{"too busy, for a while", &Failure{Code: CodeThrottled, RetryAfter: 2 * time.Second}, CodeThrottled},
		{"too busy, for long", &Failure{Code: CodeThrottled, RetryAfter: time.Hour}, CodeThrottled},
		{"refuses the credentials", &Failure{Code: CodeUnauthorized}, CodeUnauthorized},
	} {
		for name, cfg := range map[string]func(Source) Config{"initial": initial, "daily": daily} {
			for _, calls := range []int{1, 4, 8} {
				t.Run(fmt.Sprintf("%s, %s, %d at a time", c.name, name, calls), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						start := time.Now()
						down := start.Add(2*time.Second + time.Millisecond) // after two rounds of calls
						source := &fakeSource{latency: time.Second, fail: func(int, []string) error {
							if time.Now().Before(down) {
								return nil
							}
							return c.err
						}}
						if c.err == nil {
							source.fail, source.hangFrom = nil, down.Add(-time.Millisecond)
						}
						e := newEnricher(t, cfg(source))
						keys := testKeys(100 * e.BatchSize())
						got := ask(t, e, keys, calls)
						answered := 2 * calls
						n := answered * e.BatchSize()
						assertOutcomes(t, keys[:n], got.Outcomes, "", nil)
						if got.Outage == nil || got.Outage.Code != c.code {
							t.Fatalf("the outage is %+v, want %s", got.Outage, c.code)
						}
						if since := got.Outage.Since.Sub(start); since != 2*time.Second {
							t.Errorf("it is down since %v", since)
						}
						if most := answered + 2*calls + 3; got.Calls > most || got.Calls != len(source.calls) {
							t.Errorf("%d calls, %d counted, want at most %d", len(source.calls), got.Calls, most)
						}
						if again := e.Start(keys); again.Ask(t.Context(), keys[n:], Share{Calls: 1}, time.Now().Add(time.Hour)).Outage == nil {
							t.Error("a new run does not ask")
						}
					})
				})
			}
		}
	}
}

// TestShortOutage: an outage that ends while the source is asked again costs nothing,
// wherever it begins.
func TestShortOutage(t *testing.T) {
	for _, lasts := range []time.Duration{time.Millisecond, 100 * time.Millisecond, 700 * time.Millisecond, 2 * time.Second, 5 * time.Second} {
		for offset := range 10 {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				from := start.Add(time.Duration(offset) * 100 * time.Millisecond)
				source := &fakeSource{latency: 70 * time.Millisecond, fail: func(int, []string) error {
					if now := time.Now(); now.Before(from) || now.After(from.Add(lasts)) {
						return nil
					}
					return errDown
				}}
				e, keys := newEnricher(t, daily(source)), testKeys(100)
				for next := 0; next < len(keys); {
					got := e.Start(keys).Ask(t.Context(), keys[next:], Share{Calls: 4}, time.Now().Add(time.Hour))
					assertOutcomes(t, keys[next:next+len(got.Outcomes)], got.Outcomes, "", nil)
					if next += len(got.Outcomes); got.Outage != nil {
						if err := wait(t.Context(), 30*time.Second); err != nil { // as the machine, by synctest's clock
							t.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// TestSingleKey: of one key nobody can say whether it is poisoned or the source is down,
// so it is waited for.
func TestSingleKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{fail: func(int, []string) error { return errDown }}
		got := ask(t, newEnricher(t, daily(source)), []string{"k"}, 8)
		if len(got.Outcomes) != 0 || got.Outage == nil || len(source.calls) != 3 {
			t.Errorf("%d outcomes, outage %+v, %d calls", len(got.Outcomes), got.Outage, len(source.calls))
		}
	})
}

func TestBackoffDoublesAndHeedsRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{fail: func(call int, _ []string) error {
			if call == 3 {
				return &Failure{Code: CodeThrottled, RetryAfter: 7 * time.Second}
			}
			return errDown
		}}
		e := newEnricher(t, daily(source), func(cfg *Config) {
			cfg.DownAfter, cfg.MaxBackoff = 6, 800*time.Millisecond
			cfg.Jitter = func() float64 { return 0.5 }
		})
		ask(t, e, []string{"k"}, 1)
		at := time.Duration(0)
		for i, pause := range []time.Duration{0, 150 * time.Millisecond, 300 * time.Millisecond, 7 * time.Second, 600 * time.Millisecond, 600 * time.Millisecond} {
			at += pause
			if source.started[i] != at {
				t.Errorf("attempt %d at %v, want %v", i+1, source.started[i], at)
			}
		}
	})
}

// TestTimeIsUp: no call begins once the time is up; those under way end.
func TestTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{latency: 4 * time.Second}
		e, keys := newEnricher(t, daily(source)), testKeys(100)
		start := time.Now()
		got := e.Start(keys).Ask(t.Context(), keys, Share{Calls: 8}, start.Add(10*time.Second))
		if took := time.Since(start); len(got.Outcomes) != 24 || got.Outage != nil || took != 12*time.Second {
			t.Errorf("%d outcomes in %v, outage %+v", len(got.Outcomes), took, got.Outage)
		}
	})
}

func TestRateIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		e, keys := newEnricher(t, daily(source)), testKeys(101)
		start := time.Now()
		got := e.Start(keys).Ask(t.Context(), keys, Share{Calls: 8, PerSecond: 10}, start.Add(time.Hour))
		assertOutcomes(t, keys, got.Outcomes, "", nil)
		if took := time.Since(start).Round(time.Millisecond); took != 10*time.Second {
			t.Errorf("100 calls after the first took %v", took)
		}
	})
}

func TestCancelledContext(t *testing.T) {
	for _, c := range []struct {
		name   string
		rate   float64
		change func(*Config)
	}{
		{"in a call", 0, func(cfg *Config) { cfg.Source.(*fakeSource).latency = time.Hour; cfg.Timeout = 2 * time.Hour }},
		{"in a pause", 0, func(cfg *Config) { cfg.Source.(*fakeSource).fail = func(int, []string) error { return errDown } }},
		{"before the rate allows", 0.001, func(*Config) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				e := newEnricher(t, daily(&fakeSource{}), func(cfg *Config) {
					cfg.DownAfter, cfg.Backoff, cfg.MaxBackoff = 1000, time.Minute, time.Minute
				}, c.change)
				keys := testKeys(50)
				start := time.Now()
				got := e.Start(keys).Ask(ctx, keys, Share{Calls: 8, PerSecond: c.rate}, start.Add(time.Hour))
				if time.Since(start) > time.Second {
					t.Errorf("it took %v", time.Since(start))
				}
				for i, o := range got.Outcomes {
					if o.Status != etl.EnrichmentOK {
						t.Errorf("key %d is %+v", i, o)
					}
				}
				if got.Outage != nil {
					t.Errorf("the source is taken for down: %+v", got.Outage)
				}
			})
		})
	}
}

func TestUnusableKeysAreNotAsked(t *testing.T) {
	source := &fakeSource{}
	keys := testKeys(2500)
	for i := 0; i < len(keys); i += 3 {
		keys[i] = []string{"", strings.Repeat("é", MaxKey+1), "\xff"}[i%9/3]
	}
	keys[1] = strings.Repeat("é", MaxKey)
	e := newEnricher(t, initial(source))
	assertOutcomes(t, keys, ask(t, e, keys, 4).Outcomes, CodeUnusableKey, func(i int) bool { return i%3 == 0 })
	if asked := slices.Concat(source.calls...); len(asked) != 1666 || !slices.Contains(asked, keys[1]) {
		t.Errorf("%d keys were asked for", len(asked))
	}
	if got := ask(t, e, nil, 4); len(got.Outcomes) != 0 {
		t.Errorf("%d outcomes for no key", len(got.Outcomes))
	}
}

func TestSourceThatForgetsAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := testKeys(10)
		if got := ask(t, newEnricher(t, initial(forgetful{})), keys, 4); got.Outage == nil || got.Outage.Code != CodeInvalidAnswer {
			t.Errorf("got %+v", got)
		}
	})
}

type forgetful struct{}

func (forgetful) Lookup(_ context.Context, keys []string) ([]Outcome, error) {
	return make([]Outcome, len(keys)-1), nil
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no source":             func(c *Config) { c.Source = nil },
		"no batch":              func(c *Config) { c.BatchSize = 0 },
		"no attempts":           func(c *Config) { c.Attempts = 0 },
		"no timeout":            func(c *Config) { c.Timeout = 0 },
		"a negative pause":      func(c *Config) { c.Backoff = -1 },
		"a lower maximum":       func(c *Config) { c.MaxBackoff = c.Backoff - 1 },
		"never down":            func(c *Config) { c.DownAfter = 0 },
		"a negative RetryAfter": func(c *Config) { c.MaxRetryAfter = -1 },
	} {
		cfg := daily(&fakeSource{})
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
