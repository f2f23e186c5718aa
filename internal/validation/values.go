package validation

import (
	"bytes"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/record"
)

// Mistyped reports whether a value's kind does not fit its field: a JSON number
// where a text, a date, a time or a boolean belongs, true or false where no
// boolean does, and any list or object. A CSV field has no kind, and the text of
// a JSON string is read like one, so neither is ever mistyped.
func Mistyped(f *contract.Field, kind record.Kind) bool {
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

// Lexical returns the text of a value as the contract's parsers read it. Only a
// JSON number of a field with a decimal comma is another text than the file's:
// JSON knows no comma, so its point stands for it.
func Lexical(f *contract.Field, v record.Value) []byte {
	if v.Kind == record.KindNumber && f.Type == contract.TypeNumber && f.DecimalMark() != '.' {
		return bytes.Replace(v.Text, []byte{'.'}, []byte{f.DecimalMark()}, 1)
	}
	return v.Text
}

// Values makes the values of a record as a reader yields them into those that
// [Checker.Check] takes, one a field, without a detour through a staging table.
// dst is overwritten and must have one element a field.
func Values(dst []Value, fields []*contract.Field, values []record.Value) {
	for i, f := range fields {
		v := values[i]
		mistyped := Mistyped(f, v.Kind)
		dst[i] = Value{Text: Lexical(f, v), Missing: v.Missing || (!mistyped && f.IsBlank(v.Text)), Mistyped: mistyped}
	}
}
