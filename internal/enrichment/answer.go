package enrichment

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
)

// maxNumber is the longest number in an answer, in characters.
const maxNumber = 64

// outcomes reads an answer: the result itself for one key, {"results": […]} for
// several, one per key in the order of the keys. A result for another key would give
// a record the values of another one, so it is a *Failure of the whole answer. A
// result for its key that breaks the contract fails alone.
func (s *REST) outcomes(keys []string, answer []byte) ([]Outcome, error) {
	if !utf8.Valid(answer) || !json.Valid(answer) {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer is no JSON"} // its error may quote the text, so it is dropped
	}
	reader := answerReader{fields: s.fields, found: make([][]byte, len(s.fields)), values: make([]byte, 0, len(answer))}
	outcomes := make([]Outcome, 0, len(keys))
	matches := true
	next := func(result []byte) {
		if matches = matches && len(outcomes) < len(keys); matches {
			var outcome Outcome
			outcome, matches = reader.outcome(keys[len(outcomes)], result)
			outcomes = append(outcomes, outcome)
		}
	}
	if len(keys) == 1 {
		next(answer)
	} else {
		eachMember(answer, func(name, value []byte) {
			if string(name) == `"results"` {
				eachElement(value, next)
			}
		})
	}
	if !matches || len(outcomes) != len(keys) {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the results are not those of the keys"}
	}
	return outcomes, nil
}

// answerReader reads the results of one answer, which is valid JSON in UTF-8.
type answerReader struct {
	fields []contract.EnrichedField
	found  [][]byte // scratch: the values of one result, by field
	values []byte   // the values of all outcomes, one after the other
}

// outcome reads one result; it returns false if that is not for key.
func (r *answerReader) outcome(key string, result []byte) (Outcome, bool) {
	var itsKey, found, fault []byte
	clear(r.found)
	eachMember(result, func(name, value []byte) {
		switch string(name) {
		case `"key"`:
			itsKey = value
		case `"found"`:
			found = value
		case `"error"`:
			fault = value
		default:
			for i := range r.fields {
				if name := name[1 : len(name)-1]; string(name) == r.fields[i].Name {
					r.found[i] = value
				}
			}
		}
	})
	switch text, ok := decodeText(itsKey); {
	case !ok || string(text) != key:
		return Outcome{}, false
	case fault != nil && string(fault) != "null":
		return Outcome{Status: etl.EnrichmentFailed, Code: CodeRecordError}, true
	case string(found) == "false":
		return Outcome{Status: etl.EnrichmentNotFound}, true
	case string(found) == "true":
		return r.known(), true
	default:
		return Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer}, true
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
		r.values = append(appendText(r.values, field.Name), ':')
		var ok bool
		if r.values, ok = appendValue(r.values, field.Type, r.found[i]); !ok {
			r.values = r.values[:start]
			return Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer}
		}
	}
	r.values = append(r.values, '}')
	return Outcome{Status: etl.EnrichmentOK, Values: r.values[start:len(r.values):len(r.values)]}
}

// appendValue appends raw if it is a JSON value of the type or null; otherwise it
// returns false. Numbers keep their digits.
func appendValue(dst []byte, kind contract.Type, raw []byte) ([]byte, bool) {
	if string(raw) == "null" {
		return append(dst, raw...), true
	}
	switch kind {
	case contract.TypeBoolean:
		return append(dst, raw...), string(raw) == "true" || string(raw) == "false"
	case contract.TypeInteger, contract.TypeNumber:
		if len(raw) == 0 || len(raw) > maxNumber || (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9')) {
			return dst, false
		}
		return append(dst, raw...), kind == contract.TypeNumber || !bytes.ContainsAny(raw, ".eE")
	}
	text, ok := decodeText(raw)
	if !ok || bytes.IndexByte(text, 0) >= 0 {
		return dst, false // PostgreSQL has no text with NUL
	}
	switch kind {
	case contract.TypeDate:
		_, ok = contract.ParseDate(text)
	case contract.TypeDateTime:
		_, ok = contract.ParseDateTime(text)
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return append(dst, raw...), ok
	}
	return appendText(dst, string(text)), ok
}

// decodeText returns the text of a JSON string, or false if raw is not one. A text
// without escapes is a part of raw.
func decodeText(raw []byte) ([]byte, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return nil, false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	var text string
	err := json.Unmarshal(raw, &text) // makes U+FFFD of half a surrogate pair, which PostgreSQL refuses
	return []byte(text), err == nil
}

// appendText appends a text as JSON.
func appendText(dst []byte, text string) []byte {
	if simple(text) {
		return append(append(append(dst, '"'), text...), '"')
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return append(dst, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// simple reports whether text is a JSON string without any escape.
func simple(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
