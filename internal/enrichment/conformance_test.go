package enrichment

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"

	"etl-dataloader/internal/contract"
)

// The keys that the systems of the suite are asked for. The first is known, the second too,
// but without values, and the third is not.
var conformanceKeys = []string{secretKey, "nulls", "unknown"}

var conformanceFields = []contract.EnrichedField{
	{Name: "segment", Type: contract.TypeString, Constraints: contract.Constraints{MaxLength: 12}},
	{Name: "risk_score", Type: contract.TypeNumber, Constraints: contract.Constraints{Minimum: apd.New(0, 0), Maximum: apd.New(1, 0)}},
	{Name: "orders", Type: contract.TypeInteger, Constraints: contract.Constraints{Minimum: apd.New(0, 0), Maximum: apd.New(1000, 0)}},
}

const (
	known  = `ok  {"segment":"fidèle <1>","risk_score":0.25,"orders":12}`
	nulls  = `ok  {"segment":null,"risk_score":null,"orders":null}`
	absent = `not_found`
	wrong  = `failed invalid_answer`
)

// sourceKind is a kind of source, with systems for it to ask.
type sourceKind struct {
	name string
	// source returns a source whose system is in a situation. read reads a part of its
	// secret, which is right if it is [rightCredential].
	source func(t *testing.T, situation string, read func() string) Source
	// differs are the answers in which the kind cannot but differ from the others.
	differs map[string][]string
}

// rightCredential lets calls in at the systems of the suite.
const rightCredential = "right-" + canary

// kinds are all there are. A new one is added here.
func kinds() []sourceKind {
	return []sourceKind{restKind(), soapKind(contract.SOAP11), soapKind(contract.SOAP12), databaseKind()}
}

// TestConformance: whatever kind a source is of, the engine is told the same. No error
// quotes a key or a secret.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		situation string
		want      []string // an outcome for each key, or the code of a failure
	}{
		{"answers", []string{known, nulls, absent}},
		{"answers in another order", []string{known, nulls, absent}},
		{"unknown members", []string{known, nulls, absent}},
		{"half an answer", []string{known, "failed no_result", "failed no_result"}},
		{"every result twice", []string{wrong, wrong, absent}},
		{"a value out of bounds", []string{wrong, nulls, absent}},
		{"a value that is too long", []string{wrong, nulls, absent}},
		{"a number without end", []string{wrong, nulls, absent}},
		{"a value of another type", []string{wrong, nulls, absent}},
		{"a missing member", []string{wrong, nulls, absent}},
		{"a result for another key", []string{"invalid_answer"}},
		{"an answer that is too long", []string{"invalid_answer"}},
		{"something else than an answer", []string{"invalid_answer"}},
		{"an error", []string{"server_error"}},
		{"too many calls", []string{"throttled"}},
		{"a call that it cannot read", []string{"refused"}},
		{"nobody there", []string{"unreachable"}},
		{"an answer that breaks off", []string{"unreachable"}},
		{"no answer", []string{"timeout"}},
	} {
		for _, kind := range kinds() {
			t.Run(c.situation+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				source := kind.source(t, c.situation, func() string { return rightCredential })
				ctx := t.Context()
				if c.situation == "no answer" {
					ctx = within(t, 300*time.Millisecond)
				}
				want := c.want
				if own, differs := kind.differs[c.situation]; differs {
					want = own
				}
				outcomes, err := source.Lookup(ctx, conformanceKeys)
				if got := told(t, outcomes, err); !slices.Equal(got, want) {
					t.Errorf("%q\nwant %q", got, want)
				}
				if c.situation == "unknown members" && outcomes[0].Dropped != 2 {
					t.Errorf("%d members dropped, want 2", outcomes[0].Dropped)
				}
			})
		}
	}
}

// told returns what a lookup tells: its outcomes, or the code of its failure.
func told(t *testing.T, outcomes []Outcome, err error) []string {
	t.Helper()
	if err == nil {
		return printed(outcomes)
	}
	if outcomes != nil || strings.Contains(err.Error(), canary) {
		t.Errorf("%v, with %d outcomes", err, len(outcomes))
	}
	return []string{string(codeOf(t, err))}
}

// TestConformanceOfSecrets: a source that refuses the secret has it read again, and the
// call repeated once.
func TestConformanceOfSecrets(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		for _, c := range []struct {
			name  string
			right int32 // from which reading on; 0: never
			want  []string
			reads int32
		}{
			{"at once", 1, []string{known, nulls, absent}, 1},
			{"changed", 2, []string{known, nulls, absent}, 2},
			{"refused for good", 0, []string{"unauthorized"}, 2},
		} {
			t.Run(c.name+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				var reads atomic.Int32
				source := kind.source(t, "answers", func() string {
					if n := reads.Add(1); c.right > 0 && n >= c.right {
						return rightCredential
					}
					return "wrong-" + canary
				})
				outcomes, err := source.Lookup(t.Context(), conformanceKeys)
				if got := told(t, outcomes, err); !slices.Equal(got, c.want) || reads.Load() != c.reads {
					t.Errorf("%q after %d readings, want %q after %d", got, reads.Load(), c.want, c.reads)
				}
			})
		}
	}
}

// TestConformanceOfCancelling: a lookup ends with its context.
func TestConformanceOfCancelling(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			reading := make(chan struct{}, 2)
			source := kind.source(t, "no answer", func() string {
				reading <- struct{}{}
				return rightCredential
			})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-reading // the call has begun
				cancel()
			}()
			outcomes, err := source.Lookup(ctx, conformanceKeys)
			if failure := failureOf(ctx, err); failure.Code != CodeCancelled || outcomes != nil {
				t.Errorf("%d outcomes, %v", len(outcomes), err)
			}
		})
	}
}
