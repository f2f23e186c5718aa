package enrichment

import (
	"slices"

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

// fieldValues are the values of one result, by field, and what writes them. One serves
// for all results of an answer.
type fieldValues struct {
	fields  []answerField
	found   []jsonscan.Value // those of the present result; the zero value where there is none
	written []byte           // of all results, one after the other
}

// newFieldValues returns no values yet, with room to write size bytes.
func newFieldValues(fields []answerField, size int) fieldValues {
	return fieldValues{fields: fields, found: make([]jsonscan.Value, len(fields)), written: make([]byte, 0, size)}
}

// clear forgets the values of the last result.
func (v *fieldValues) clear() { clear(v.found) }

// index returns the place of a field; -1 if the contract has no such field.
func (v *fieldValues) index(name []byte) int {
	return slices.IndexFunc(v.fields, func(f answerField) bool { return f.of.Name == string(name) })
}

// known writes the contract's fields of a result as an object, in the contract's
// order and without the other members of the result.
func (v *fieldValues) known() Outcome {
	start := len(v.written)
	v.written = append(v.written, '{')
	for i := range v.fields {
		if i > 0 {
			v.written = append(v.written, ',')
		}
		v.written = jsonscan.AppendName(v.written, v.fields[i].of.Name)
		var ok bool
		if v.written, ok = v.fields[i].append(v.written, v.found[i]); !ok {
			v.written = v.written[:start]
			return Outcome{Status: etl.EnrichmentFailed, Code: CodeInvalidAnswer}
		}
	}
	v.written = append(v.written, '}')
	return Outcome{Status: etl.EnrichmentOK, Values: v.written[start:len(v.written):len(v.written)]}
}

// kind is the kind of a value in JSON.
func (f *answerField) kind() jsonscan.Kind {
	switch f.of.Type {
	case contract.TypeBoolean:
		return jsonscan.Boolean
	case contract.TypeInteger, contract.TypeNumber:
		return jsonscan.Number
	default:
		return jsonscan.String
	}
}

// isText reports whether the field's values are any text, in which white space counts.
func (f *answerField) isText() bool { return f.of.Type == contract.TypeString }

// append appends v if it is null, or of the field's type within its constraints;
// otherwise it returns false. A number is written like one of a file: with all its
// digits and without an exponent, so that every reader of SQL can read it.
func (f *answerField) append(dst []byte, v jsonscan.Value) ([]byte, bool) {
	if v.Kind == jsonscan.Null {
		return append(dst, v.Text...), true
	}
	kind := f.kind()
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
