package enrichment

import (
	"fmt"
	"hash/maphash"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"etl-dataloader/internal/etl"
)

// TestForbiddenKey: a source that lets a call in for other keys, but not for one, has not
// refused the credentials: what it does not give is not enriched, and nothing waits.
func TestForbiddenKey(t *testing.T) {
	for name, cfg := range map[string]func(Source) Config{"initial": initial, "daily": daily} {
		for _, calls := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d at a time", name, calls), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					forbidden := 0
					source := &fakeSource{latency: time.Second, fail: func(_ int, keys []string) error {
						if !slices.Contains(keys, "k0") {
							return nil
						}
						forbidden++
						return &Failure{Code: CodeUnauthorized, Reason: "HTTP status 403"}
					}}
					e := newEnricher(t, cfg(source))
					keys := testKeys(5 * e.BatchSize())
					got := ask(t, e, keys, calls)
					assertOutcomes(t, keys, got.Outcomes, CodeUnauthorized, func(i int) bool { return i < e.BatchSize() })
					if got.Outage != nil || forbidden != 2 || got.Calls > 5+1+2 {
						t.Errorf("%d of %d calls with the key; outage %+v", forbidden, got.Calls, got.Outage)
					}
				})
			})
		}
	}
}

// TestRefusedCredentials: a source that refuses the credentials for two keys is not
// asked for a third.
func TestRefusedCredentials(t *testing.T) {
	for n, most := range map[int]int{1: 1, 3000: 2} {
		synctest.Test(t, func(t *testing.T) {
			source := &fakeSource{fail: func(int, []string) error { return &Failure{Code: CodeUnauthorized} }}
			got := ask(t, newEnricher(t, initial(source)), testKeys(n), 1)
			if len(got.Outcomes) != 0 || got.Outage == nil || got.Outage.Code != CodeUnauthorized || len(source.calls) > most {
				t.Errorf("of %d keys: %d outcomes, outage %+v, %d calls", n, len(got.Outcomes), got.Outage, len(source.calls))
			}
		})
	}
}

// askOn asks for all keys as the machine does: after an outage it waits, and then a single
// call finds out whether the source is back.
func askOn(t *testing.T, e *Enricher, keys []string, calls int) (outcomes []Outcome, runs, waits int) {
	t.Helper()
	probing := false
	for run := e.Start(keys); len(outcomes) < len(keys); {
		share, to := Share{Calls: calls}, len(keys)
		if probing {
			share.Calls, to = 1, min(to, len(outcomes)+e.BatchSize())
		}
		got := run.Ask(t.Context(), keys[len(outcomes):to], share, time.Now().Add(time.Hour))
		outcomes = append(outcomes, got.Outcomes...)
		if probing = got.Outage != nil; probing {
			waits++
			if err := wait(t.Context(), 30*time.Second); err != nil { // by synctest's clock
				t.Fatal(err)
			}
			run = e.Start(keys)
			runs++
		}
	}
	return outcomes, runs, waits
}

// TestOneOutagePoisonsNothing: one outage costs no key its answer, however short it is and
// however the calls lie in it, some of which take longer than others.
func TestOneOutagePoisonsNothing(t *testing.T) {
	for _, lasts := range []time.Duration{10, 50, 100, 150, 200, 250, 300, 400, 500, 700, 1000, 2000, 10_000} {
		for offset := range 20 {
			synctest.Test(t, func(t *testing.T) {
				from := time.Now().Add(time.Second + time.Duration(offset)*13*time.Millisecond)
				source := &fakeSource{fail: func(call int, _ []string) error {
					if err := wait(t.Context(), time.Duration(20+call*37%180)*time.Millisecond); err != nil {
						return err
					}
					if now := time.Now(); now.Before(from) || now.After(from.Add(lasts*time.Millisecond)) {
						return nil
					}
					return errDown
				}}
				keys := testKeys(300)
				outcomes, _, _ := askOn(t, newEnricher(t, daily(source)), keys, 8)
				assertOutcomes(t, keys, outcomes, "", nil)
			})
		}
	}
}

// TestRandomFailures: of a source that fails every second call, whatever it is asked, a call
// may look poisoned: it failed twice, and each time the source answered another one then.
// That is so for about every ninth, which is told with its cause; the rest is answered, and it ends.
func TestRandomFailures(t *testing.T) {
	seed := maphash.MakeSeed()
	for name, cfg := range map[string]func(Source) Config{"initial": initial, "daily": daily} {
		for _, calls := range []int{1, 8} {
			t.Run(fmt.Sprintf("%s, %d at a time", name, calls), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					source := &fakeSource{latency: 50 * time.Millisecond, fail: func(call int, keys []string) error {
						if maphash.String(seed, fmt.Sprint(call, keys[0]))%2 == 0 {
							return errDown
						}
						return nil
					}}
					e := newEnricher(t, cfg(source), func(cfg *Config) { cfg.BatchSize = min(cfg.BatchSize, 10) })
					const asked = 500
					keys := testKeys(asked * e.BatchSize())
					outcomes, runs, waits := askOn(t, e, keys, calls)
					failed := 0
					for i := 0; i < len(outcomes); i += e.BatchSize() {
						if o := outcomes[i]; o.Status == etl.EnrichmentFailed {
							if failed++; o.Code != CodeServerError {
								t.Errorf("%+v", o)
							}
						}
					}
					t.Logf("of %d calls %d are taken for poisoned; %d attempts, %d waits", asked, failed, len(source.calls), waits)
					if failed > asked/5 || runs >= 500 || len(source.calls) > 12*asked {
						t.Errorf("of %d calls %d are taken for poisoned; %d attempts, %d runs", asked, failed, len(source.calls), runs)
					}
				})
			})
		}
	}
}
