// Package staged owns the layout of a staged row: [Writer] protects the records of a
// chunk and writes their rows as a COPY stream, [Reader] gives a row back its
// plaintext values in memory, and [Fields] says where a field's cells stand.
//
// A row begins with five fixed cells: chunk, line number, fault, raw and the names of
// mistyped fields. The cells of the fields follow in contract order, each with its
// token or its bigint key beside it where the contract asks for one. The columns are
// those of [contract.Resource.StagingStream].
//
// A malformed record has a fault, its sealed text in raw, and no field. A record
// whose values are withheld has no fault, and its public values, sealed as one, in
// raw.
package staged

import (
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
)

// The fixed cells of a row. The chunk stands first.
const (
	lineCell     = 1
	faultCell    = 2
	rawCell      = 3
	mistypedCell = 4
	fixedCells   = 5
)

// Cells says where the cells of a field stand in a row; -1 is none.
type Cells struct {
	Value int
	Token int // of a sensitive field that is joined
	Key   int // the bigint of a public integer that rules compare
}

// Fields returns the cells of each field, by field index.
func Fields(r *contract.Resource) []Cells {
	keyed := make([]bool, len(r.Fields))
	for _, f := range r.StagedKeys() {
		keyed[f.Index] = true
	}
	fields := make([]Cells, len(r.Fields))
	next := fixedCells
	for i, f := range r.Fields {
		fields[i] = Cells{Value: next, Token: -1, Key: -1}
		next++
		if f.Sensitivity == contract.Token {
			fields[i].Token = next
			next++
		}
		if keyed[i] {
			fields[i].Key = next
			next++
		}
	}
	return fields
}

// Line returns the line number of a row.
func Line(row [][]byte) (int64, error) { return copybinary.DecodeInt8(row[lineCell]) }

// Fault returns the code of what is wrong with a malformed record, with its sealed
// text; code is nil if the record could be read.
func Fault(row [][]byte) (code, raw []byte) {
	if row[faultCell] == nil {
		return nil, nil
	}
	return row[faultCell], row[rawCell]
}

// Sealed reports whether a row holds a record's text or values sealed as one: the
// record is malformed or its values are withheld, and it is always rejected.
func Sealed(row [][]byte) bool { return row[rawCell] != nil }
