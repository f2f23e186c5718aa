package staged

import (
	"io"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/validation"
)

// Keys are what the values of a chunk are protected with.
type Keys struct {
	Sealer     *protection.Sealer
	Tokenizers []*protection.Tokenizer // by field index, nil where there is no token
}

// Writer writes the protected form of records. It is not safe for concurrent use.
type Writer struct {
	rows     *copybinary.Writer
	resource *contract.Resource
	chunk    int32
	columns  int
	fields   []Cells
	compared []bool              // by field index: whether SQL compares the public text
	checker  *validation.Checker // detects values in the wrong column
	keys     Keys
	public   []*contract.Field // of the primary key

	values       []validation.Value // scratch, as are the next
	sealed       []byte
	canonical    []byte
	withheldText []byte
	bound        []byte // the key to which the record's values are bound
}

// NewWriter returns a writer of the rows of a resource's chunk to w.
func NewWriter(w io.Writer, r *contract.Resource, chunk int, checker *validation.Checker, keys Keys) *Writer {
	return &Writer{
		rows: copybinary.NewWriter(w), resource: r, columns: len(r.StagingStream()), fields: Fields(r),
		chunk:    int32(chunk), //nolint:gosec // a manifest has far fewer chunks
		compared: comparedTexts(r), checker: checker, keys: keys, public: PublicKey(r), values: make([]validation.Value, len(r.Fields)),
	}
}

// Close ends the stream, and clears what is left of plaintext values.
func (w *Writer) Close() error {
	clear(w.canonical[:cap(w.canonical)])
	clear(w.withheldText[:cap(w.withheldText)])
	return w.rows.Close()
}

// Write adds the row of a record.
func (w *Writer) Write(rec *record.Record) error {
	w.rows.Row(w.columns)
	w.rows.Int4(w.chunk)
	w.rows.Int8(rec.Line)
	if rec.Fault != "" {
		w.malformed(rec)
	} else {
		w.wellFormed(rec)
	}
	return w.rows.Err()
}

// malformed writes the sealed text of a record that could not be read, and no fields.
func (w *Writer) malformed(rec *record.Record) {
	w.rows.String(rec.Code())
	w.sealed = w.keys.Sealer.Seal(w.sealed[:0], protection.Record{Line: rec.Line}, protection.RawColumn, rec.Raw)
	w.rows.Bytea(w.sealed)
	for range w.columns - fixedCells + 1 {
		w.rows.Null()
	}
}

// wellFormed writes the protected values of a record.
func (w *Writer) wellFormed(rec *record.Record) {
	validation.Values(w.values, w.resource.Fields, rec.Values)
	w.rows.Null() // fault
	fits := w.checker.Fits(w.values)
	if fits {
		w.rows.Null() // raw
		w.rows.Null() // mistyped
	} else {
		w.withhold(rec)
		w.mistyped()
	}
	of := w.record(rec.Line)
	for i, f := range w.resource.Fields {
		value := &w.values[i]
		switch {
		case value.Missing, !fits && w.withheld(f):
			w.rows.Null()
		case f.Sensitive():
			w.sealed = w.keys.Sealer.Seal(w.sealed[:0], of, f.Name, value.Text)
			w.rows.Bytea(w.sealed)
		default:
			w.rows.Text(value.Text)
		}
		if w.fields[i].Token >= 0 {
			w.token(f, value)
		}
		if w.fields[i].Key >= 0 {
			w.key(value)
		}
	}
}

// record returns what the record's values are bound to, valid until the next record.
func (w *Writer) record(line int64) protection.Record {
	w.bound = w.bound[:0]
	for _, f := range w.public {
		text := w.values[f.Index].Text
		if w.values[f.Index].Missing {
			text = nil // as it is staged: a blank text is no value
		}
		w.bound = AppendKey(w.bound, f, text)
	}
	return protection.Record{Line: line, Key: w.bound}
}

// token writes the token of a value if it has a canonical form. A value whose JSON kind
// is not that of its field has none.
func (w *Writer) token(f *contract.Field, value *validation.Value) {
	if value.Missing || value.Mistyped {
		w.rows.Null()
		return
	}
	canonical, ok := f.AppendCanonical(w.canonical[:0], value.Text)
	w.canonical = canonical
	if !ok {
		w.rows.Null()
		return
	}
	token := w.keys.Tokenizers[f.Index].Token(canonical)
	w.rows.Bytea(token[:])
}

// key writes the bigint of a public field that rules compare, if the value is an
// integer.
func (w *Writer) key(value *validation.Value) {
	key, ok := contract.ParseInteger(value.Text)
	if value.Missing || value.Mistyped || !ok {
		w.rows.Null()
		return
	}
	w.rows.Int8(key)
}

// mistyped writes the names of the fields whose JSON kind does not fit the contract,
// if any. A record with such a field never fits.
func (w *Writer) mistyped() {
	var names []string
	for i, f := range w.resource.Fields {
		if w.values[i].Mistyped {
			names = append(names, f.Name)
		}
	}
	if names == nil {
		w.rows.Null()
		return
	}
	w.rows.String(strings.Join(names, ","))
}
