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
	if cap(a.sealed)-len(a.sealed) < sealedRoom {
		a.sealed = make([]byte, 0, sealedBlock)
	}
	start := len(a.sealed)
	var err error
	a.sealed, err = answers.Seal(a.sealed, a.resource.Enrichment.Fields, o.Values, func(dst []byte, column string, plain []byte) []byte {
		return a.sealer.Seal(dst, of, column, plain)
	})
	answer.Values = a.sealed[start:len(a.sealed):len(a.sealed)]
	return answer, err
}

// Sealed values are written into blocks of memory, one after the other: an allocation for
// each would cost as much as the encryption. A block with less room left than most values
// need makes way for a new one.
const (
	sealedBlock = 64 << 10
	sealedRoom  = 1 << 10
)

// answersSealed reports whether a resource's source answers anything that is sensitive.
func answersSealed(r *contract.Resource) bool {
	return slices.ContainsFunc(r.Enrichment.Fields, func(f contract.EnrichedField) bool { return f.Sensitive })
}
