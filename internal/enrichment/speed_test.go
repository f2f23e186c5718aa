package enrichment

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
)

// BenchmarkAnswer is what an answer for a batch of 1,000 keys costs to read and check,
// the network apart.
func BenchmarkAnswer(b *testing.B) {
	pkg, err := contract.Load()
	if err != nil {
		b.Fatal(err)
	}
	source, err := NewREST(RESTConfig{URL: "https://example.com", Name: "clients", Fields: pkg.Resource("clients").Enrichment.Fields, Connections: 1, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	keys := make([]string, 1000)
	var answer strings.Builder
	answer.WriteString(`{"results":[`)
	for i := range keys {
		keys[i] = strconv.Itoa(1_000_000 + i)
		if i > 0 {
			answer.WriteByte(',')
		}
		fmt.Fprintf(&answer, `{"key":%q,"found":true,"segment":"premium","loyalty_tier":"or","risk_score":0.%03d}`, keys[i], i)
	}
	answer.WriteString(`]}`)
	body := []byte(answer.String())
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if got, err := source.outcomes(keys, body, false); err != nil || len(got) != len(keys) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(keys))/b.Elapsed().Seconds(), "records/s")
}
