package enrichment

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/jsonscan"
)

// outcomes reads the answer for the keys: the result itself for a single key, else
// {"results": […]}.
func (s *REST) outcomes(keys []string, answer []byte, single bool) ([]Outcome, error) {
	if !single {
		return s.batchOutcomes(keys, answer)
	}
	reader := s.newAnswerReader(answer)
	whole, failure := reader.parse(answer)
	if failure != nil {
		return nil, failure
	}
	key, outcome := reader.result(whole)
	if key == nil || string(key) != keys[0] {
		return nil, foreign()
	}
	return []Outcome{outcome}, nil
}

// batchOutcomes reads {"results": […]}.
func (s *REST) batchOutcomes(keys []string, answer []byte) ([]Outcome, error) {
	reader := s.newAnswerReader(answer)
	whole, failure := reader.parse(answer)
	if failure != nil {
		return nil, failure
	}
	b, lists := newBatch(keys), 0
	reader.parser.Members(whole, func(name []byte, value jsonscan.Value) {
		if string(name) != "results" {
			return
		}
		lists++
		reader.parser.Elements(value, func(element jsonscan.Value) {
			if !b.foreign {
				b.add(reader.result(element))
			}
		})
	})
	if lists != 1 && !b.foreign {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer has not one list of results"}
	}
	return b.finish()
}

// foreign is the failure of an answer whose results are for other keys.
func foreign() *Failure {
	return &Failure{Code: CodeInvalidAnswer, Reason: "a result is for none of the keys"}
}

// batch collects the outcomes of several keys, which are distinct. A result belongs to
// the key that it names, wherever it stands. A result for a key that was not asked, or
// for none, would give a record the values of another one, so it is a *Failure of the
// whole answer, as is an answer without any result. What is wrong with one result alone,
// or missing, fails its key alone.
type batch struct {
	places   map[string]int // of the keys
	outcomes []Outcome      // without a status until the key has a result
	results  int
	foreign  bool // a result is for no key that was asked
}

func newBatch(keys []string) *batch {
	b := &batch{places: make(map[string]int, len(keys)), outcomes: make([]Outcome, len(keys))}
	for i, key := range keys {
		b.places[key] = i
	}
	return b
}

// add takes the result for a key.
func (b *batch) add(key []byte, outcome Outcome) {
	place, asked := b.places[string(key)]
	if key == nil || !asked {
		b.foreign = true
		return
	}
	b.results++
	if first := &b.outcomes[place]; first.Status != "" { // which of the two is right is unknown
		outcome = Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer, Dropped: first.Dropped + outcome.Dropped}
	}
	b.outcomes[place] = outcome
}

// finish returns an outcome for every key. It fails with a *Failure.
func (b *batch) finish() ([]Outcome, error) {
	switch {
	case b.foreign:
		return nil, foreign()
	case b.results == 0:
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer has no result"}
	}
	for i := range b.outcomes {
		if b.outcomes[i].Status == "" {
			b.outcomes[i] = Outcome{Status: etl.EnrichmentFailed, Code: CodeNoResult}
		}
	}
	return b.outcomes, nil
}

// answerReader reads the results of one answer.
type answerReader struct {
	fieldValues
	parser jsonscan.Parser
	others [][]byte // scratch: the names of the unknown members of one result
}

func (s *REST) newAnswerReader(answer []byte) *answerReader {
	return &answerReader{fieldValues: newFieldValues(s.fields, len(answer))}
}

// parse returns the value of a whole answer.
func (r *answerReader) parse(answer []byte) (jsonscan.Value, *Failure) {
	if utf8.Valid(answer) {
		if whole, valid := r.parser.Parse(answer); valid {
			return whole, nil
		}
	}
	return jsonscan.Value{}, &Failure{Code: CodeInvalidAnswer, Reason: "the answer is no JSON"}
}

// result reads one result and returns the key that it is for; nil if it does not name
// exactly one.
func (r *answerReader) result(result jsonscan.Value) ([]byte, Outcome) {
	var key, found, fault jsonscan.Value
	keys, repeated := 0, false
	r.clear()
	r.others = r.others[:0]
	take := func(to *jsonscan.Value, value jsonscan.Value) {
		repeated = repeated || to.Kind != 0
		*to = value
	}
	r.parser.Members(result, func(name []byte, value jsonscan.Value) {
		switch string(name) {
		case "key":
			keys++
			key = value
		case "found":
			take(&found, value)
		case "error":
			take(&fault, value)
		default:
			if i := r.index(name); i >= 0 {
				take(&r.found[i], value)
			} else {
				r.others = append(r.others, name)
			}
		}
	})
	if keys != 1 || key.Kind != jsonscan.String {
		return nil, Outcome{}
	}
	outcome := Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer}
	switch {
	case repeated || r.othersRepeated():
	case fault.Kind > jsonscan.Null:
		outcome.Code = CodeRecordError
	case found.Kind != jsonscan.Boolean:
	case string(found.Text) == "false":
		outcome = Outcome{Status: etl.EnrichmentNotFound}
	default:
		outcome = r.known()
	}
	outcome.Dropped = len(r.others)
	return key.Text, outcome
}

// othersRepeated reports whether two unknown members of a result have one name.
func (r *answerReader) othersRepeated() bool {
	slices.SortFunc(r.others, bytes.Compare)
	for i := 1; i < len(r.others); i++ {
		if bytes.Equal(r.others[i-1], r.others[i]) {
			return true
		}
	}
	return false
}
