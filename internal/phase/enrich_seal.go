package phase

import (
	"slices"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/protection"
)

// answerSealer makes of outcomes what may be persisted of them.
type answerSealer struct {
	resource *contract.Resource
	values   *lateOpener
	chunk    int                // whose field key seals them
	sealer   *protection.Sealer // nil until there is something to seal
	sealed   []byte             // the block that takes the next sealed values
}

// answer returns what may be persisted of an outcome: the answer for a record, with
// its sensitive values sealed and bound to the record like those of the file.
func (s *answerSealer) answer(of protection.Record, o enrichment.Outcome) (event.Enrichment, error) {
	answer := event.Enrichment{Status: o.Status, Error: string(o.Code), Values: o.Values}
	if o.Values == nil || !answersSealed(s.resource) {
		return answer, nil
	}
	if s.sealer == nil {
		key, err := s.values.dataKey()
		if err != nil {
			return answer, err
		}
		if s.sealer, err = protection.NewSealer(key, s.values.scope, s.chunk); err != nil {
			return answer, err
		}
	}
	if cap(s.sealed)-len(s.sealed) < sealedRoom {
		s.sealed = make([]byte, 0, sealedBlock)
	}
	start := len(s.sealed)
	var err error
	s.sealed, err = answers.Seal(s.sealed, s.resource.Enrichment.Fields, o.Values, func(dst []byte, column string, plain []byte) []byte {
		return s.sealer.Seal(dst, of, column, plain)
	})
	answer.Values = s.sealed[start:len(s.sealed):len(s.sealed)]
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
