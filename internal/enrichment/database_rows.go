package enrichment

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/jsonscan"
)

// columnType is what the values of a column are read as.
type columnType int

const (
	foreignColumn columnType = iota // of a type that no value of the contract has
	textColumn
	integerColumn
	numberColumn
	booleanColumn
	dateColumn
	timeColumn
	paddedColumn // character(n), whose blanks at the end mean nothing
)

// typeOf returns what a column of a PostgreSQL type is read as.
func typeOf(oid uint32) columnType {
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.NameOID, pgtype.UUIDOID:
		return textColumn
	case pgtype.BPCharOID:
		return paddedColumn
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return integerColumn
	case pgtype.NumericOID, pgtype.Float4OID, pgtype.Float8OID:
		return numberColumn
	case pgtype.BoolOID:
		return booleanColumn
	case pgtype.DateOID:
		return dateColumn
	case pgtype.TimestamptzOID:
		return timeColumn
	}
	return foreignColumn
}

// fits reports whether the values of a column can be those of a field. A number can be an
// integer, as the sum of integers is numeric; its values tell.
func (c columnType) fits(of contract.Type) bool {
	switch of {
	case contract.TypeString:
		return c == textColumn || c == paddedColumn
	case contract.TypeInteger, contract.TypeNumber:
		return c == integerColumn || c == numberColumn
	case contract.TypeBoolean:
		return c == booleanColumn
	case contract.TypeDate:
		return c == dateColumn
	case contract.TypeDateTime:
		return c == timeColumn
	}
	return false
}

// value returns a column's text as the value that a JSON answer would have. A number that
// JSON cannot write, such as NaN, has no kind, and so is none of the contract's.
func (c columnType) value(text []byte) jsonscan.Value {
	if text == nil {
		return jsonscan.Value{Kind: jsonscan.Null, Text: []byte("null")}
	}
	switch c {
	case integerColumn, numberColumn:
		if digits := bytes.TrimPrefix(text, []byte("-")); len(digits) == 0 || digits[0] < '0' || digits[0] > '9' {
			return jsonscan.Value{}
		}
		return jsonscan.Value{Kind: jsonscan.Number, Text: text}
	case booleanColumn:
		if string(text) == "t" {
			return jsonscan.Value{Kind: jsonscan.Boolean, Text: []byte("true")}
		}
		return jsonscan.Value{Kind: jsonscan.Boolean, Text: []byte("false")}
	case timeColumn: // the session is in UTC: 2024-10-08 10:00:00.5+00
		clock, inUTC := bytes.CutSuffix(text, []byte("+00"))
		if !inUTC {
			return jsonscan.Value{}
		}
		return jsonscan.Value{Kind: jsonscan.String, Text: append(bytes.Replace(clock, []byte(" "), []byte("T"), 1), 'Z')}
	case paddedColumn:
		return jsonscan.Value{Kind: jsonscan.String, Text: bytes.TrimRight(text, " ")}
	default:
		return jsonscan.Value{Kind: jsonscan.String, Text: text}
	}
}

// rowReader reads the rows of one answer.
type rowReader struct {
	types       []columnType
	key, values []int // the places of the key's columns, and of the fields'
	unknown     int   // columns that are neither

	reader     fieldValues
	batch      *batch
	parts      []string // scratch: the key of one row
	rows, size int
}

// rowReader returns the reader of an answer for keys with these columns. Columns that the
// contract does not name are left out.
func (s *Database) rowReader(columns []pgconn.FieldDescription, keys []string) (*rowReader, *Failure) {
	r := &rowReader{
		types:   make([]columnType, len(columns)),
		unknown: len(columns) - len(s.key) - len(s.fields),
		reader:  newFieldValues(s.fields, 0),
		batch:   newBatch(keys),
		parts:   make([]string, len(s.key)),
	}
	for i, column := range columns {
		r.types[i] = typeOf(column.DataTypeOID)
	}
	for _, name := range s.key {
		place, failure := placeOf(columns, name)
		if failure != nil {
			return nil, failure
		}
		if r.types[place] == foreignColumn || r.types[place] == timeColumn {
			return nil, &Failure{Code: CodeInvalidAnswer, Reason: fmt.Sprintf("column %s has a type that no key has", name)}
		}
		r.key = append(r.key, place)
	}
	for _, f := range s.fields {
		place, failure := placeOf(columns, f.of.Name)
		if failure != nil {
			return nil, failure
		}
		if !r.types[place].fits(f.of.Type) {
			return nil, &Failure{Code: CodeInvalidAnswer, Reason: fmt.Sprintf("column %s is no %s", f.of.Name, f.of.Type)}
		}
		r.values = append(r.values, place)
	}
	return r, nil
}

// placeOf returns where the only column of a name stands.
func placeOf(columns []pgconn.FieldDescription, name string) (int, *Failure) {
	is := func(c pgconn.FieldDescription) bool { return c.Name == name }
	place := slices.IndexFunc(columns, is)
	if place < 0 || slices.ContainsFunc(columns[place+1:], is) {
		return 0, &Failure{Code: CodeInvalidAnswer, Reason: fmt.Sprintf("the answer has not one column %s", name)}
	}
	return place, nil
}

// add takes a row. A row for none of the keys, or too many of them, are the failure of
// the whole answer; two rows for one key that of the key, as which of them is right is
// unknown.
func (r *rowReader) add(row [][]byte) *Failure {
	r.rows++
	for _, value := range row {
		r.size += len(value)
	}
	switch {
	case len(row) != len(r.types):
		return &Failure{Code: CodeInvalidAnswer, Reason: "a row has not the columns of the answer"}
	case r.size > MaxAnswer:
		return &Failure{Code: CodeInvalidAnswer, Reason: fmt.Sprintf("the answer is longer than %d bytes", MaxAnswer)}
	case r.rows > 2*len(r.batch.outcomes):
		return &Failure{Code: CodeInvalidAnswer, Reason: "there are more than twice as many rows as keys"}
	}
	for i, place := range r.key {
		value := r.types[place].value(row[place])
		if value.Kind < jsonscan.String {
			return foreign()
		}
		r.parts[i] = string(value.Text)
	}
	for i, place := range r.values {
		value := r.types[place].value(row[place])
		if !utf8.Valid(value.Text) {
			value = jsonscan.Value{}
		}
		r.reader.found[i] = value
	}
	outcome := r.reader.known()
	outcome.Dropped = r.unknown
	r.batch.add([]byte(JoinKey(r.parts...)), outcome)
	if r.batch.foreign {
		return foreign()
	}
	return nil
}

// outcomes returns those of the keys. A key without a row is not found.
func (r *rowReader) outcomes() []Outcome {
	for i := range r.batch.outcomes {
		if r.batch.outcomes[i].Status == "" {
			r.batch.outcomes[i] = Outcome{Status: etl.EnrichmentNotFound}
		}
	}
	return r.batch.outcomes
}
