package enrichment

import (
	"bytes"
	"encoding/xml"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/jsonscan"
)

// soapResults reads the results of one answer.
type soapResults struct {
	fieldValues
	namespace string
}

// outcomes reads the results for the keys in the response that is open.
func (s *SOAP) outcomes(r *xmlReader, keys []string) ([]Outcome, error) {
	results := &soapResults{newFieldValues(s.fields, 64*len(keys)), s.namespace}
	b := newBatch(keys)
	for element, more := r.child(); more; element, more = r.child() {
		if (element.Name != xml.Name{Space: s.namespace, Local: "result"}) || b.foreign {
			r.skip()
			continue
		}
		b.add(results.read(r))
	}
	return b.finish()
}

// read reads one result and returns the key that it is for; nil if it does not name
// exactly one.
func (a *soapResults) read(r *xmlReader) ([]byte, Outcome) {
	var key, found, fault xmlContent
	seen, repeated, dropped := map[string]bool{}, false, 0
	a.clear()
	for part, more := r.child(); more; part, more = r.child() {
		name := part.Name.Local
		if part.Name.Space != a.namespace {
			name = "" // none of ours
		}
		switch name {
		case "key":
			key = r.content(part)
		case "found":
			found = r.content(part)
		case "error":
			fault = r.content(part)
		case "values":
			lost, twice := a.values(r)
			dropped, repeated = dropped+lost, repeated || twice
		default:
			dropped++
			r.skip()
			continue
		}
		repeated = repeated || seen[name]
		if name == "key" && seen[name] {
			key.null = true // of which of two is unknown
		}
		seen[name] = true
	}
	if !seen["key"] || key.null || !key.plain {
		return nil, Outcome{}
	}
	outcome := Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer}
	known, told := boolean(found)
	switch {
	case repeated:
	case seen["error"] && !fault.null:
		outcome.Code = CodeRecordError
	case !seen["found"] || !told:
	case !known:
		outcome = Outcome{Status: etl.EnrichmentNotFound}
	default:
		outcome = a.known()
	}
	outcome.Dropped = dropped
	return key.text, outcome
}

// values reads the values of a result. It counts the elements that the contract does not
// name, and reports whether one that it names stands twice.
func (a *soapResults) values(r *xmlReader) (dropped int, repeated bool) {
	for part, more := r.child(); more; part, more = r.child() {
		i := -1
		if part.Name.Space == a.namespace {
			i = a.index([]byte(part.Name.Local))
		}
		if i < 0 {
			dropped++
			r.skip()
			continue
		}
		repeated = repeated || a.found[i].Kind != 0
		a.found[i] = a.fields[i].ofXML(r.content(part))
	}
	return dropped, repeated
}

// ofXML returns the value that an element holds, as JSON has it; an object if it cannot
// be one of the field.
func (f *answerField) ofXML(c xmlContent) jsonscan.Value {
	kind := f.kind()
	switch {
	case !c.plain:
		return jsonscan.Value{Kind: jsonscan.Object}
	case c.null:
		return jsonscan.Value{Kind: jsonscan.Null, Text: []byte("null")}
	case kind == jsonscan.Boolean:
		value, ok := boolean(c)
		switch {
		case !ok:
			return jsonscan.Value{Kind: jsonscan.Object}
		case value:
			return jsonscan.Value{Kind: kind, Text: []byte("true")}
		default:
			return jsonscan.Value{Kind: kind, Text: []byte("false")}
		}
	case f.isText():
		return jsonscan.Value{Kind: kind, Text: c.text}
	default:
		return jsonscan.Value{Kind: kind, Text: bytes.Trim(c.text, xmlSpace)}
	}
}

// boolean reads an xs:boolean; ok is false if the content is none.
func boolean(c xmlContent) (value, ok bool) {
	text := string(bytes.Trim(c.text, xmlSpace))
	value = text == "true" || text == "1"
	return value, !c.null && c.plain && (value || text == "false" || text == "0")
}
