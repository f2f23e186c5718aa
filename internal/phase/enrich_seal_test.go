package phase_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/staged"
)

// TestAnswersAreSealed: what is sensitive of an answer is sealed in its event, and bound
// to the event's own record, whether the record has a public key or not. What is public
// stays as it is.
func TestAnswersAreSealed(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	fields := l.common.Contract.Resource("clients").Enrichment.Fields
	l.enriches("paiements", &contract.Enrichment{
		Source: "clients", Kind: contract.KindREST, Key: []string{"payment_id"}, Fields: fields, Limits: contract.DefaultSourceLimits(),
	})
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	const want = segment + " or " + score
	for resource, events := range map[string]int{"clients": 3, "paiements": 2} {
		if got := l.openAnswers(t, r, resource); len(got) != events || slices.ContainsFunc(got, func(text string) bool { return text != want }) {
			t.Errorf("%s: the events hold %v, want %d times %s", resource, got, events, want)
		}
	}
	if got := postgrestest.Scan[int](t, l.conn, `SELECT count(DISTINCT data->>'segment') FROM final.events WHERE enrichment = 'ok'`); got != 5 {
		t.Errorf("%d different ciphertexts of one value, want 5", got)
	}
}

// openAnswers returns what the events of a resource hold of the answers, in clear.
func (l *line) openAnswers(t *testing.T, r *run, resource string) (opened []string) {
	t.Helper()
	open := func(of protection.Record, column, sealed string) string {
		ciphertext, err := base64.StdEncoding.DecodeString(sealed)
		if err != nil {
			t.Fatalf("%s, line %d, %s is not sealed", resource, of.Line, column)
		}
		return l.unseal(t, r, resource, of, column, ciphertext)
	}
	for _, row := range column(t, l.conn, fmt.Sprintf(`SELECT concat_ws(' ', line_number, data->>'segment', data->>'loyalty_tier', data->>'risk_score', data->>'payment_id')
		FROM final.events WHERE resource = '%s' AND enrichment = 'ok' ORDER BY line_number`, resource)) {
		var of protection.Record
		var sealedSegment, tier, sealedScore, key string
		if n, err := fmt.Sscan(row, &of.Line, &sealedSegment, &tier, &sealedScore, &key); n < 4 {
			t.Fatalf("%s: %s: %v", resource, row, err)
		}
		for _, f := range staged.PublicKey(l.common.Contract.Resource(resource)) {
			of.Key = staged.AppendKey(of.Key, f, []byte(key))
		}
		opened = append(opened, open(of, "segment", sealedSegment)+" "+tier+" "+open(of, "risk_score", sealedScore))
	}
	return opened
}
