package enrichment

import (
	"bytes"
	"unicode/utf8"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/jsonscan"
)

// maxNumber is the longest number in an answer, in characters.
const maxNumber = 64

// outcomes reads an answer: the result itself for one key, {"results": […]} for
// several, one per key in the order of the keys. A result for another key would give
// a record the values of another one, so it is a *Failure of the whole answer. A
// result for its key that breaks the contract fails alone.
func (s *REST) outcomes(keys []string, answer []byte) ([]Outcome, error) {
	reader := answerReader{fields: s.fields, found: make([]jsonscan.Value, len(s.fields)), values: make([]byte, 0, len(answer))}
	outcomes := make([]Outcome, 0, len(keys))
	matches := true
	next := func(result jsonscan.Value) {
		if matches = matches && len(outcomes) < len(keys); matches {
			var outcome Outcome
			outcome, matches = reader.outcome(keys[len(outcomes)], result)
			outcomes = append(outcomes, outcome)
		}
	}
	whole, valid := jsonscan.Value{}, utf8.Valid(answer)
	if valid {
		whole, valid = reader.parser.Parse(answer)
	}
	if !valid {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer is no JSON"}
	}
	if len(keys) == 1 {
		next(whole)
	} else {
		reader.parser.Members(whole, func(name []byte, value jsonscan.Value) {
			if string(name) == "results" {
				reader.parser.Elements(value, next)
			}
		})
	}
	if !matches || len(outcomes) != len(keys) {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the results are not those of the keys"}
	}
	return outcomes, nil
}

// answerReader reads the results of one answer.
type answerReader struct {
	fields []contract.EnrichedField
	parser jsonscan.Parser
	found  []jsonscan.Value // scratch: the values of one result, by field
	values []byte           // the values of all outcomes, one after the other
}

// outcome reads one result; it returns false if that is not for key.
func (r *answerReader) outcome(key string, result jsonscan.Value) (Outcome, bool) {
	var itsKey, found, fault jsonscan.Value
	clear(r.found)
	r.parser.Members(result, func(name []byte, value jsonscan.Value) {
		switch string(name) {
		case "key":
			itsKey = value
		case "found":
			found = value
		case "error":
			fault = value
		default:
			for i := range r.fields {
				if string(name) == r.fields[i].Name {
					r.found[i] = value
				}
			}
		}
	})
	switch {
	case itsKey.Kind != jsonscan.String || string(itsKey.Text) != key:
		return Outcome{}, false
	case fault.Kind > jsonscan.Null:
		return Outcome{Status: etl.EnrichmentFailed, Code: CodeRecordError}, true
	case found.Kind != jsonscan.Boolean:
		return Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer}, true
	case string(found.Text) == "false":
		return Outcome{Status: etl.EnrichmentNotFound}, true
	default:
		return r.known(), true
	}
}

// known writes the contract's fields of a result as an object, in the contract's
// order and without the other members of the result.
func (r *answerReader) known() Outcome {
	start := len(r.values)
	r.values = append(r.values, '{')
	for i, field := range r.fields {
		if i > 0 {
			r.values = append(r.values, ',')
		}
		r.values = jsonscan.AppendName(r.values, field.Name)
		var ok bool
		if r.values, ok = appendValue(r.values, field.Type, r.found[i]); !ok {
			r.values = r.values[:start]
			return Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer}
		}
	}
	r.values = append(r.values, '}')
	return Outcome{Status: etl.EnrichmentOK, Values: r.values[start:len(r.values):len(r.values)]}
}

// appendValue appends v if it is of the type or null; otherwise it returns false. Numbers
// keep their digits.
func appendValue(dst []byte, kind contract.Type, v jsonscan.Value) ([]byte, bool) {
	if v.Kind == jsonscan.Null {
		return append(dst, v.Text...), true
	}
	switch kind {
	case contract.TypeBoolean:
		return append(dst, v.Text...), v.Kind == jsonscan.Boolean
	case contract.TypeInteger, contract.TypeNumber:
		return append(dst, v.Text...), v.Kind == jsonscan.Number && len(v.Text) <= maxNumber &&
			(kind == contract.TypeNumber || !bytes.ContainsAny(v.Text, ".eE"))
	}
	if v.Kind != jsonscan.String || bytes.IndexByte(v.Text, 0) >= 0 {
		return dst, false // PostgreSQL has no text with NUL
	}
	ok := true
	switch kind {
	case contract.TypeDate:
		_, ok = contract.ParseDate(v.Text)
	case contract.TypeDateTime:
		_, ok = contract.ParseDateTime(v.Text)
	}
	return jsonscan.AppendString(dst, v.Text), ok
}
