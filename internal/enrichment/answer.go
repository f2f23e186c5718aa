package enrichment

import (
	"bytes"
	"encoding/json"
	"strings"

	"etl-dataloader/internal/contract"
)

// maxNumber is the longest number in an answer, in characters.
const maxNumber = 64

// batchOutcomes reads the answer of a batch: {"results": […]}, one a key and in
// the keys' order. An answer that is otherwise would give values to the wrong
// records, so it is a *Failure as a whole.
func (s *REST) batchOutcomes(keys []string, answer []byte) ([]Outcome, error) {
	var batch struct {
		Results []json.RawMessage `json:"results"`
	}
	if err := json.Unmarshal(answer, &batch); err != nil {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer is not the JSON of a batch"} // err may quote the answer
	}
	if len(batch.Results) != len(keys) {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the number of results is not the number of keys"}
	}
	return s.outcomes(keys, batch.Results)
}

// outcomes reads one result a key. A result that is for another key is a
// *Failure of all; one that is for its key but breaks the contract fails alone.
func (s *REST) outcomes(keys []string, results []json.RawMessage) ([]Outcome, error) {
	outcomes := make([]Outcome, len(keys))
	for i, raw := range results {
		var members map[string]json.RawMessage // by exact name, unlike a struct's
		var key *string
		if json.Unmarshal(raw, &members) != nil || json.Unmarshal(members["key"], &key) != nil || key == nil || *key != keys[i] {
			return nil, &Failure{Code: CodeInvalidAnswer, Reason: "a result is not that of its key"}
		}
		outcomes[i] = s.outcome(members)
	}
	return outcomes, nil
}

// outcome reads the result of one key.
func (s *REST) outcome(members map[string]json.RawMessage) Outcome {
	if reason, failed := members["error"]; failed && string(reason) != "null" {
		return Outcome{Status: Failed, Code: CodeRecordError}
	}
	switch string(members["found"]) {
	case "true":
		return s.found(members)
	case "false":
		return Outcome{Status: NotFound}
	default:
		return Outcome{Status: Failed, Code: CodeInvalidAnswer}
	}
}

// found picks the fields of the contract out of a result, whatever else it
// holds, and writes them anew in the contract's order.
func (s *REST) found(members map[string]json.RawMessage) Outcome {
	values := []byte{'{'}
	for i, field := range s.fields {
		if i > 0 {
			values = append(values, ',')
		}
		values = appendText(values, field.Name)
		values = append(values, ':')
		var ok bool
		if values, ok = appendValue(values, field.Type, members[field.Name]); !ok {
			return Outcome{Status: Failed, Code: CodeInvalidAnswer}
		}
	}
	return Outcome{Status: OK, Values: append(values, '}')}
}

// appendValue appends a JSON value of the type, or null; false if raw is none.
// Texts are encoded anew, so that what the database gets is always valid UTF-8;
// numbers keep their digits.
func appendValue(dst []byte, kind contract.Type, raw json.RawMessage) ([]byte, bool) {
	if string(raw) == "null" {
		return append(dst, raw...), true
	}
	switch kind {
	case contract.TypeBoolean:
		return append(dst, raw...), string(raw) == "true" || string(raw) == "false"
	case contract.TypeInteger, contract.TypeNumber:
		var number json.Number
		if len(raw) == 0 || raw[0] == '"' || len(raw) > maxNumber || json.Unmarshal(raw, &number) != nil {
			return dst, false
		}
		return append(dst, raw...), kind == contract.TypeNumber || !strings.ContainsAny(number.String(), ".eE")
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || strings.ContainsRune(text, 0) {
		return dst, false
	}
	switch kind {
	case contract.TypeDate:
		if _, ok := contract.ParseDate([]byte(text)); !ok {
			return dst, false
		}
	case contract.TypeDateTime:
		if _, ok := contract.ParseDateTime([]byte(text)); !ok {
			return dst, false
		}
	}
	return appendText(dst, text), true
}

// appendText appends a text as JSON.
func appendText(dst []byte, text string) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return append(dst, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
