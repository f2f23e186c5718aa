package answers

import (
	"encoding/base64"
	"errors"
	"slices"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/jsonscan"
)

// errValues is the error of values that are not those of the contract. It shows none.
var errValues = errors.New("answers: the values are no object of the contract's fields")

// Seal appends the values of an answer to dst, with those of sensitive fields encrypted,
// which then are strings of base64 like the other sealed members of an event. seal
// encrypts the text of a value (of a string, its characters) under the field's name as
// column. Null stays null, as a missing value of a file does. If values are nil there is
// nothing to append. Seal fails, and returns dst as it was, if values hold anything but
// the fields.
func Seal(dst []byte, fields []contract.EnrichedField, values []byte, seal func(dst []byte, column string, plain []byte) []byte) ([]byte, error) {
	if values == nil {
		return dst, nil
	}
	var parser jsonscan.Parser
	var sealed []byte
	out, known := append(dst, '{'), true
	whole := parser.Object(values, func(name []byte, v jsonscan.Value) {
		i := slices.IndexFunc(fields, func(f contract.EnrichedField) bool { return f.Name == string(name) })
		if i < 0 || v.Kind == jsonscan.Object || v.Kind == jsonscan.Array {
			known = false
			return
		}
		if len(out) > len(dst)+1 {
			out = append(out, ',')
		}
		out = jsonscan.AppendName(out, fields[i].Name)
		switch {
		case fields[i].Sensitive && v.Kind != jsonscan.Null:
			sealed = seal(sealed[:0], fields[i].Name, v.Text)
			out = append(out, '"')
			out = base64.StdEncoding.AppendEncode(out, sealed)
			out = append(out, '"')
		case v.Kind == jsonscan.String:
			out = jsonscan.AppendString(out, v.Text)
		default:
			out = append(out, v.Text...)
		}
	})
	if !whole || !known {
		return dst, errValues
	}
	return append(out, '}'), nil
}
