package record

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// byteOrderMark is U+FEFF in UTF-8.
var byteOrderMark = []byte{0xEF, 0xBB, 0xBF} //nolint:gochecknoglobals // a constant

// wideMarks are the byte order marks of UTF-16 and UTF-32 (that of UTF-32 in
// little-endian order starts with that of UTF-16).
var wideMarks = [][]byte{{0xFF, 0xFE}, {0xFE, 0xFF}, {0x00, 0x00, 0xFE, 0xFF}} //nolint:gochecknoglobals // a constant

// normalize fills in the defaults of a layout and checks it.
func (l Layout) normalize() (Layout, error) {
	if l.Delimiter == 0 {
		l.Delimiter = ','
	}
	if l.Quote == 0 {
		l.Quote = '"'
	}
	switch {
	case l.Format != CSV && l.Format != JSON && l.Format != JSONL:
		return l, fmt.Errorf("record: the format %q is not known", l.Format)
	case len(l.Columns) == 0:
		return l, errors.New("record: the layout has no columns")
	case l.Delimiter == l.Quote || strings.IndexByte("\r\n", l.Delimiter) >= 0 || strings.IndexByte("\r\n", l.Quote) >= 0:
		return l, errors.New("record: delimiter and quote must differ from each other and from line ends")
	case l.Delimiter >= 0x80 || l.Quote >= 0x80:
		return l, errors.New("record: delimiter and quote must be ASCII")
	}
	return l, nil
}

// checkEncoding looks at the first bytes of a file and steps over the byte order
// mark of UTF-8, where cs is UTF-8.
func checkEncoding(w *window, cs *charset) error {
	const look = 4
	if err := w.need(look); err != nil {
		return err
	}
	data := w.data()
	for _, mark := range wideMarks {
		if bytes.HasPrefix(data, mark) {
			return &FileError{Reason: ReasonEncoding}
		}
	}
	// Text in UTF-16 or UTF-32 without a mark: every ASCII character has a NUL.
	if bytes.Count(data[:min(look, len(data))], []byte{0}) >= 2 {
		return &FileError{Reason: ReasonEncoding}
	}
	if cs == nil && bytes.HasPrefix(data, byteOrderMark) {
		w.advance(len(byteOrderMark))
	}
	return nil
}

// readHeader reads the header of a CSV file and compares it with the contract.
func readHeader(s *csvSplitter, cs *charset, columns []string) ([]string, error) {
	var sp span
	err := s.next(&sp)
	switch {
	case isEnd(err):
		return nil, &FileError{Reason: ReasonEmpty}
	case err != nil:
		return nil, err
	case bytes.IndexByte(sp.raw, 0) >= 0 || (sp.fault != FaultSize && !cs.valid(sp.raw)):
		return nil, &FileError{Reason: ReasonEncoding}
	case sp.fault != "":
		return nil, &FileError{Reason: ReasonFormat}
	}
	names := make([]string, 0, sp.fields)
	d := csvDecoder{delimiter: s.delimiter, quote: s.quote, charset: cs}
	rest := sp.raw
	for range sp.fields {
		var name []byte
		name, rest = d.cut(rest, sp.quoted)
		names = append(names, string(d.utf8(name)))
	}
	if err := compareHeader(names, columns); err != nil {
		return nil, err
	}
	return names, nil
}

// compareHeader tells what the header lacks and what it has too much.
func compareHeader(header, columns []string) error {
	fault := &FileError{Reason: ReasonHeader}
	for _, column := range columns {
		if !slices.Contains(header, column) {
			fault.Missing = append(fault.Missing, column)
		}
	}
	for i, name := range header {
		if !slices.Contains(columns, name) || slices.Contains(header[:i], name) {
			fault.Extra = append(fault.Extra, printable(name))
		}
	}
	if fault.Missing == nil && fault.Extra == nil {
		return nil
	}
	if !namesColumn(header, columns) {
		fault.Extra = nil
	}
	return fault
}

// namesColumn tells whether a word of the header is a column of the contract, in
// any case: only then is the line a header, and not data that must not be shown.
func namesColumn(header, columns []string) bool {
	separates := func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for _, field := range header {
		for _, word := range strings.FieldsFunc(field, separates) {
			if slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, word) }) {
				return true
			}
		}
	}
	return false
}

// printable makes a column's name fit for a log: at most maxName characters,
// none of them a control character.
func printable(name string) string {
	const maxName = 100
	runes := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name))
	if len(runes) > maxName {
		return string(runes[:maxName]) + "…"
	}
	return string(runes)
}
