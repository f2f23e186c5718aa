package staged

import (
	"bytes"
	"fmt"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/validation"
)

// Open decrypts the sealed value of a column and appends it to dst, as
// [protection.Opener.Open] does.
type Open func(dst []byte, column string, line int64, sealed []byte) ([]byte, error)

// Reader recovers the plaintext values of staged rows, in memory. It is not safe for
// concurrent use.
type Reader struct {
	resource *contract.Resource
	open     Open
	fields   []Cells
	values   []validation.Value
	plain    []byte
}

// NewReader returns a reader for the rows of a resource.
func NewReader(r *contract.Resource, open Open) *Reader {
	return &Reader{resource: r, open: open, fields: Fields(r), values: make([]validation.Value, len(r.Fields))}
}

// Value returns one value of a well-formed row. A sensitive one is decrypted and
// appended to dst.
func (r *Reader) Value(dst []byte, f *contract.Field, line int64, row [][]byte) (validation.Value, error) {
	cell := row[r.fields[f.Index].Value]
	value := validation.Value{Text: cell, Missing: cell == nil}
	if value.Missing || !f.Sensitive() {
		return value, nil
	}
	plain, err := r.open(dst, f.Name, line, cell)
	if err != nil {
		return value, fmt.Errorf("%s, line %d, field %s: %w", r.resource.Name, line, f.Name, err)
	}
	value.Text = plain[len(dst):len(plain):len(plain)]
	return value, nil
}

// Wipe clears the decrypted values of the last row.
func (r *Reader) Wipe() { clear(r.plain[:cap(r.plain)]) }

// Values returns the values of a well-formed row, valid until the next call.
func (r *Reader) Values(row [][]byte, line int64) ([]validation.Value, error) {
	r.plain = r.plain[:0]
	for i, f := range r.resource.Fields {
		value, err := r.Value(r.plain, f, line, row)
		if err != nil {
			return nil, err
		}
		if f.Sensitive() {
			r.plain = append(r.plain, value.Text...) // in place: it was decrypted there
		}
		r.values[i] = value
	}
	if row[rawCell] != nil {
		if err := r.withheldValues(row, line); err != nil {
			return nil, err
		}
	}
	if names := row[mistypedCell]; names != nil {
		for _, name := range bytes.Split(names, []byte(",")) {
			if f := r.resource.Field(string(name)); f != nil {
				r.values[f.Index].Mistyped = true
			}
		}
	}
	return r.values, nil
}
