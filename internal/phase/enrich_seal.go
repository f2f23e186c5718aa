package phase

import (
	"slices"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/protection"
)

// answer returns what a work object may hold of an outcome: the answer for a record, with
// its sensitive values sealed and bound to the record like those of the file.
func (a *asking) answer(of protection.Record, o enrichment.Outcome) (event.Enrichment, error) {
	answer := event.Enrichment{Status: o.Status, Error: string(o.Code), Values: o.Values}
	if o.Values == nil || !answersSealed(a.resource) {
		return answer, nil
	}
	if a.sealer == nil {
		key, err := a.values.dataKey()
		if err != nil {
			return answer, err
		}
		if a.sealer, err = protection.NewSealer(key, a.values.scope, a.in.Chunk.Range.Index); err != nil {
			return answer, err
		}
	}
	var err error
	answer.Values, err = answers.Seal(nil, a.resource.Enrichment.Fields, o.Values, func(dst []byte, column string, plain []byte) []byte {
		return a.sealer.Seal(dst, of, column, plain)
	})
	return answer, err
}

// answersSealed reports whether a resource's source answers anything that is sensitive.
func answersSealed(r *contract.Resource) bool {
	return slices.ContainsFunc(r.Enrichment.Fields, func(f contract.EnrichedField) bool { return f.Sensitive })
}
