package enrichment

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/jsonscan"
	"etl-dataloader/internal/validation"
)

// maxNumber is the longest number in an answer, in characters.
const maxNumber = 64

// answerField is a field of an answer, and what checks its values.
type answerField struct {
	of    *contract.Field
	check *validation.ValueChecker
}

// answerFields returns the fields of a source's answers.
func answerFields(fields []contract.EnrichedField) ([]answerField, error) {
	checked := make([]answerField, len(fields))
	for i, f := range fields {
		of := f.Field()
		check, err := validation.NewValueChecker(of)
		if err != nil {
			return nil, err
		}
		checked[i] = answerField{of, check}
	}
	return checked, nil
}

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

// batchOutcomes reads {"results": […]}. A result belongs to the key that it names,
// wherever it stands; keys are distinct. A result for a key that was not asked, or for
// none, would give a record the values of another one, so it is a *Failure of the whole
// answer, as is an answer without any result. What is wrong with one result alone, or
// missing, fails its key alone.
func (s *REST) batchOutcomes(keys []string, answer []byte) ([]Outcome, error) {
	reader := s.newAnswerReader(answer)
	whole, failure := reader.parse(answer)
	if failure != nil {
		return nil, failure
	}
	b := batch{places: make(map[string]int, len(keys)), outcomes: make([]Outcome, len(keys))}
	for i, key := range keys {
		b.places[key] = i
	}
	lists := 0
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
	switch {
	case b.foreign:
		return nil, foreign()
	case lists != 1:
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer has not one list of results"}
	case b.results == 0:
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer has no result"}
	}
	b.fill()
	return b.outcomes, nil
}

// foreign is the failure of an answer whose results are for other keys.
func foreign() *Failure {
	return &Failure{Code: CodeInvalidAnswer, Reason: "a result is for none of the keys"}
}

// batch collects the outcomes of several keys.
type batch struct {
	places   map[string]int // of the keys
	outcomes []Outcome      // without a status until the key has a result
	results  int
	foreign  bool // a result is for no key that was asked
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

// fill gives every key without a result its outcome.
func (b *batch) fill() {
	for i := range b.outcomes {
		if b.outcomes[i].Status == "" {
			b.outcomes[i] = Outcome{Status: etl.EnrichmentFailed, Code: CodeNoResult}
		}
	}
}

// answerReader reads the results of one answer.
type answerReader struct {
	fields []answerField
	parser jsonscan.Parser
	found  []jsonscan.Value // scratch: the values of one result, by field
	others [][]byte         // scratch: the names of the unknown members of one result
	values []byte           // the values of all outcomes, one after the other
}

func (s *REST) newAnswerReader(answer []byte) *answerReader {
	return &answerReader{fields: s.fields, found: make([]jsonscan.Value, len(s.fields)), values: make([]byte, 0, len(answer))}
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
	clear(r.found)
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
			if i := slices.IndexFunc(r.fields, func(f answerField) bool { return f.of.Name == string(name) }); i >= 0 {
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

// known writes the contract's fields of a result as an object, in the contract's
// order and without the other members of the result.
func (r *answerReader) known() Outcome {
	start := len(r.values)
	r.values = append(r.values, '{')
	for i := range r.fields {
		if i > 0 {
			r.values = append(r.values, ',')
		}
		r.values = jsonscan.AppendName(r.values, r.fields[i].of.Name)
		var ok bool
		if r.values, ok = r.fields[i].append(r.values, r.found[i]); !ok {
			r.values = r.values[:start]
			return Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer}
		}
	}
	r.values = append(r.values, '}')
	return Outcome{Status: etl.EnrichmentOK, Values: r.values[start:len(r.values):len(r.values)]}
}

// append appends v if it is null, or of the field's type within its constraints;
// otherwise it returns false. A number is written like one of a file: with all its
// digits and without an exponent, so that every reader of SQL can read it.
func (f *answerField) append(dst []byte, v jsonscan.Value) ([]byte, bool) {
	if v.Kind == jsonscan.Null {
		return append(dst, v.Text...), true
	}
	kind := jsonscan.String
	switch f.of.Type {
	case contract.TypeBoolean:
		kind = jsonscan.Boolean
	case contract.TypeInteger, contract.TypeNumber:
		kind = jsonscan.Number
	}
	if v.Kind != kind || (kind == jsonscan.Number && len(v.Text) > maxNumber) || !f.check.Valid(v.Text) {
		return dst, false
	}
	switch f.of.Type {
	case contract.TypeBoolean:
		return append(dst, v.Text...), true
	case contract.TypeInteger:
		return f.of.AppendCanonical(dst, v.Text)
	case contract.TypeNumber:
		text, ok := f.of.DecimalText(v.Text)
		return append(dst, text...), ok
	default:
		return jsonscan.AppendString(dst, v.Text), true
	}
}
