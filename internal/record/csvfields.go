package record

import (
	"bytes"
	"unicode/utf8"
)

// csvDecoder judges and reads CSV records.
type csvDecoder struct {
	delimiter, quote byte
	charset          *charset
	columns          []int // of each field of the file its position in the contract
	scratch          []byte
}

// check implements decoder.
func (d *csvDecoder) check(sp *span) Fault {
	switch {
	case sp.fault != "":
		return sp.fault
	case bytes.IndexByte(sp.raw, 0) >= 0:
		return FaultNUL
	case !d.charset.valid(sp.raw):
		return FaultEncoding
	case sp.fields != len(d.columns):
		return FaultFields
	default:
		return ""
	}
}

// detail implements decoder.
func (d *csvDecoder) detail(sp *span) Detail {
	return Detail{Fields: sp.fields, Expected: len(d.columns)}
}

// decode implements decoder.
func (d *csvDecoder) decode(sp *span, values []Value) Fault {
	if fault := d.check(sp); fault != "" {
		return fault
	}
	if !sp.quoted && d.charset == nil {
		d.plain(sp.raw, values)
		return ""
	}
	d.scratch = d.scratch[:0]
	rest := sp.raw
	for _, column := range d.columns {
		var text []byte
		text, rest = d.cut(rest, sp.quoted)
		values[column] = textValue(d.utf8(text))
	}
	return ""
}

// plain is decode of a well-formed record without quoted fields, in UTF-8.
func (d *csvDecoder) plain(rest []byte, values []Value) {
	for _, column := range d.columns[:len(d.columns)-1] {
		n := bytes.IndexByte(rest, d.delimiter)
		values[column] = textValue(rest[:n:n])
		rest = rest[n+1:]
	}
	values[d.columns[len(d.columns)-1]] = textValue(rest)
}

func textValue(text []byte) Value {
	if len(text) == 0 {
		return Value{Missing: true}
	}
	return Value{Text: text, Kind: KindText}
}

// utf8 converts a field to UTF-8 if the file has another encoding.
func (d *csvDecoder) utf8(text []byte) []byte {
	if d.charset == nil {
		return text
	}
	from := len(d.scratch)
	for _, c := range text {
		d.scratch = utf8.AppendRune(d.scratch, d.charset.runes[c])
	}
	return d.scratch[from:len(d.scratch):len(d.scratch)]
}

// cut splits the first field off a well-formed record.
func (d *csvDecoder) cut(b []byte, quoted bool) (text, rest []byte) {
	if quoted && len(b) > 0 && b[0] == d.quote {
		return d.cutQuoted(b[1:])
	}
	n := bytes.IndexByte(b, d.delimiter)
	if n < 0 {
		return b, nil
	}
	return b[:n:n], b[n+1:]
}

// cutQuoted splits off a quoted field; b starts behind its opening quote.
func (d *csvDecoder) cutQuoted(b []byte) (text, rest []byte) {
	n := bytes.IndexByte(b, d.quote)
	text, b = b[:n:n], b[n+1:]
	if len(b) == 0 || b[0] != d.quote {
		return text, skipDelimiter(b)
	}
	from := len(d.scratch)
	d.scratch = append(d.scratch, text...)
	for len(b) > 0 && b[0] == d.quote {
		n = 1 + bytes.IndexByte(b[1:], d.quote)
		d.scratch = append(d.scratch, b[:n]...)
		b = b[n+1:]
	}
	return d.scratch[from:len(d.scratch):len(d.scratch)], skipDelimiter(b)
}

// skipDelimiter steps over the delimiter behind a quoted field.
func skipDelimiter(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b[1:]
}
