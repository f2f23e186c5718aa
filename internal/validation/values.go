package validation

import (
	"bytes"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/record"
)

// mistyped reports whether a value's kind does not fit its field: a JSON number for a
// text, date, time or boolean, true or false for anything but a boolean, and any list
// or object. A CSV field has no kind, and a JSON string is read like one, so neither
// is ever mistyped.
func mistyped(f *contract.Field, kind record.Kind) bool {
	switch kind {
	case record.KindComposite:
		return true
	case record.KindNumber:
		return f.Type != contract.TypeInteger && f.Type != contract.TypeNumber
	case record.KindBoolean:
		return f.Type != contract.TypeBoolean
	default:
		return false
	}
}

// lexical returns the text of a value as the contract's parsers read it. It differs
// from the file's text only for a JSON number of a field with a decimal comma: JSON
// has no comma, so its point takes its place.
func lexical(f *contract.Field, v record.Value) []byte {
	if v.Kind == record.KindNumber && f.Type == contract.TypeNumber && f.DecimalMark() != '.' {
		return bytes.Replace(v.Text, []byte{'.'}, []byte{f.DecimalMark()}, 1)
	}
	return v.Text
}

// Values converts the values of a record from a reader into those for
// [Checker.Check], one per field, without a staging table. dst is overwritten and must
// have one element per field.
func Values(dst []Value, fields []*contract.Field, values []record.Value) {
	for i, f := range fields {
		v := &values[i]
		switch v.Kind {
		case record.KindMissing, record.KindText, record.KindString: // never mistyped, and read as they are
			dst[i] = Value{Text: v.Text, Missing: v.Missing || f.IsBlank(v.Text)}
		default:
			wrongKind := mistyped(f, v.Kind)
			dst[i] = Value{Text: lexical(f, *v), Missing: v.Missing || (!wrongKind && f.IsBlank(v.Text)), Mistyped: wrongKind}
		}
	}
}
