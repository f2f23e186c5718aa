package staged

import (
	"encoding/binary"
	"errors"
	"fmt"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/validation"
)

// If one value of a record does not fit its column, any column may hold any value: a
// forgotten comma moves a street into the city. The public values of such a record are
// withheld from staging: their columns are NULL, and the column raw, in a row without a
// fault, holds them all, encrypted together. Validate decrypts them in memory and checks
// the record like any other. The record is always rejected, so nobody else reads its
// values.
//
// The key to which the record's other sealed values are bound may be among them. They
// are bound to none themselves.
//
// Two things are not withheld, because the rules across records compare them in SQL: the
// bigint beside an integer key, and a public key or relation that is a text, date or
// boolean.

// comparedTexts reports, by field index, which public values SQL compares as texts.
func comparedTexts(r *contract.Resource) []bool {
	compared := make([]bool, len(r.Fields))
	mark := func(names []string) {
		for _, name := range names {
			f := r.Field(name)
			compared[f.Index] = !f.Sensitive() && f.Type != contract.TypeInteger
		}
	}
	mark(r.Key)
	for _, key := range r.Unique {
		mark(key)
	}
	for _, relation := range r.Relations {
		mark(relation.Fields)
	}
	return compared
}

// withheld reports whether the value of a field is kept out of its column.
func (w *Writer) withheld(f *contract.Field) bool {
	value := &w.values[f.Index]
	return !f.Sensitive() && !value.Missing && (!w.compared[f.Index] || value.Mistyped)
}

// withhold writes the public values of a record, encrypted together.
func (w *Writer) withhold(rec *record.Record) {
	w.withheldText = w.withheldText[:0]
	for i, f := range w.resource.Fields {
		if w.withheld(f) {
			w.withheldText = binary.AppendUvarint(w.withheldText, uint64(i))
			w.withheldText = binary.AppendUvarint(w.withheldText, uint64(len(w.values[i].Text)))
			w.withheldText = append(w.withheldText, w.values[i].Text...)
		}
	}
	w.sealed = w.keys.Sealer.Seal(w.sealed[:0], protection.Record{Line: rec.Line}, protection.WithheldColumn, w.withheldText)
	w.rows.Bytea(w.sealed)
}

// errWithheld never shows the text.
var errWithheld = errors.New("the withheld values are not as Protect writes them")

// readWithheld sets the values withheld from a row. They alias text.
func readWithheld(text []byte, values []validation.Value) error {
	for len(text) > 0 {
		i, n := binary.Uvarint(text)
		if n <= 0 || i >= uint64(len(values)) {
			return errWithheld
		}
		length, m := binary.Uvarint(text[n:])
		if m <= 0 || length > uint64(len(text)-n-m) { //nolint:gosec // not negative: both were read from text
			return errWithheld
		}
		text = text[n+m:]
		values[i].Text, values[i].Missing = text[:length:length], false
		text = text[length:]
	}
	return nil
}

// withheldValues decrypts the withheld values of a row into r's values.
func (r *Reader) withheldValues(row [][]byte, line int64) error {
	plain, err := r.open(r.withheld[:0], protection.Record{Line: line}, protection.WithheldColumn, row[rawCell])
	if err == nil {
		r.withheld = plain
		err = readWithheld(plain, r.values)
	}
	if err != nil {
		return fmt.Errorf("%s, line %d, withheld values: %w", r.resource.Name, line, err)
	}
	return nil
}
