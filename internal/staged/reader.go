package staged

import (
	"bytes"
	"fmt"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/validation"
)

// Open decrypts the sealed value of a column and appends it to dst, as
// [protection.Opener.Open] does.
type Open func(dst []byte, of protection.Record, column string, sealed []byte) ([]byte, error)

// Reader recovers the plaintext values of staged rows, in memory. It is not safe for
// concurrent use.
type Reader struct {
	resource *contract.Resource
	open     Open
	fields   []Cells
	public   []*contract.Field // of the primary key
	values   []validation.Value
	plain    []byte
	withheld []byte // the decrypted withheld values of a row
	bound    []byte // the key to which the values are bound
}

// NewReader returns a reader for the rows of a resource.
func NewReader(r *contract.Resource, open Open) *Reader {
	return &Reader{resource: r, open: open, fields: Fields(r), public: PublicKey(r), values: make([]validation.Value, len(r.Fields))}
}

// Value returns one value of a well-formed row whose values are not withheld, valid until
// the next call.
func (r *Reader) Value(f *contract.Field, line int64, row [][]byte) (validation.Value, error) {
	value := r.cell(f, row)
	if value.Missing || !f.Sensitive() {
		return value, nil
	}
	plain, err := r.unseal(r.plain[:0], f, r.Record(line, row), value.Text)
	if err != nil {
		return value, err
	}
	r.plain, value.Text = plain, plain
	return value, nil
}

// Record returns what the sealed values of a well-formed row are bound to, valid until
// the next call. A value that is added to the record later is bound to the same.
func (r *Reader) Record(line int64, row [][]byte) protection.Record {
	for _, key := range r.public {
		r.values[key.Index] = r.cell(key, row)
	}
	return r.record(line)
}

// Wipe clears the decrypted values of the last row.
func (r *Reader) Wipe() {
	clear(r.plain[:cap(r.plain)])
	clear(r.withheld[:cap(r.withheld)])
}

// Values returns the values of a well-formed row, valid until the next call.
func (r *Reader) Values(row [][]byte, line int64) ([]validation.Value, error) {
	for i, f := range r.resource.Fields {
		r.values[i] = r.cell(f, row)
	}
	if row[rawCell] != nil {
		if err := r.withheldValues(row, line); err != nil {
			return nil, err
		}
	}
	of := r.record(line)
	r.plain = r.plain[:0]
	for i, f := range r.resource.Fields {
		value := &r.values[i]
		if value.Missing || !f.Sensitive() {
			continue
		}
		start := len(r.plain)
		plain, err := r.unseal(r.plain, f, of, value.Text)
		if err != nil {
			return nil, err
		}
		r.plain, value.Text = plain, plain[start:len(plain):len(plain)]
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

// cell returns the value of a field as it is staged.
func (r *Reader) cell(f *contract.Field, row [][]byte) validation.Value {
	cell := row[r.fields[f.Index].Value]
	return validation.Value{Text: cell, Missing: cell == nil}
}

// record returns what a row's values are bound to, once its public values are known.
func (r *Reader) record(line int64) protection.Record {
	r.bound = r.bound[:0]
	for _, f := range r.public {
		r.bound = AppendKey(r.bound, f, r.values[f.Index].Text)
	}
	return protection.Record{Line: line, Key: r.bound}
}

func (r *Reader) unseal(dst []byte, f *contract.Field, of protection.Record, sealed []byte) ([]byte, error) {
	plain, err := r.open(dst, of, f.Name, sealed)
	if err != nil {
		return dst, fmt.Errorf("%s, line %d, field %s: %w", r.resource.Name, of.Line, f.Name, err)
	}
	return plain, nil
}
