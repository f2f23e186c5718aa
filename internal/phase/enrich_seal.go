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
	fields := a.resource.Enrichment.Fields
	if o.Values == nil || !slices.ContainsFunc(fields, func(f contract.EnrichedField) bool { return f.Sensitive }) {
		return answer, nil
	}
	if a.sealer == nil {
		key, err := a.values.dataKey()
		if err != nil {
			return answer, err
		}
		if a.sealer, err = protection.NewSealer(key, a.values.scope, a.chunk); err != nil {
			return answer, err
		}
	}
	var err error
	answer.Values, err = answers.Seal(nil, fields, o.Values, func(dst []byte, column string, plain []byte) []byte {
		return a.sealer.Seal(dst, of, column, plain)
	})
	return answer, err
}
