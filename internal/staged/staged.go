// Package staged owns the layout of a staged row: [Writer] protects the records of a
// chunk and writes their rows as a COPY stream, [Reader] recovers a row's plaintext
// values in memory, [KeyChecker] tells whether a stored record still has its key, and
// [Fields] returns the positions of a field's cells.
//
// A row begins with five fixed cells: chunk, line number, fault, raw and the names of
// mistyped fields. The cells of the fields follow in contract order, each followed by
// its token or bigint key if the contract asks for one. The columns are those of
// [contract.Resource.StagingStream].
//
// A malformed record has a fault, its sealed text in raw, and no fields. A record whose
// values are withheld has no fault; raw holds its public values, sealed together.
package staged

import (
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
)

// The fixed cells of a row. The chunk comes first.
const (
	lineCell     = 1
	faultCell    = 2
	rawCell      = 3
	mistypedCell = 4
	fixedCells   = 5
)

// Cells are the positions of a field's cells in a row; -1 for none.
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

// Fault returns the fault code of a malformed record and its sealed text. code is nil
// if the record could be read.
func Fault(row [][]byte) (code, raw []byte) {
	if row[faultCell] == nil {
		return nil, nil
	}
	return row[faultCell], row[rawCell]
}

// Sealed reports whether a row holds the text or the values of a record sealed
// together: the record is malformed or its values are withheld, and it is always
// rejected.
func Sealed(row [][]byte) bool { return row[rawCell] != nil }
