package record

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	case l.LineEnds != nil && len(l.LineEnds) != len(l.Columns), l.Required != nil && len(l.Required) != len(l.Columns):
		return l, errors.New("record: the layout says of some columns only what it must say of all")
	case l.Delimiter >= 0x80 || l.Quote >= 0x80:
		return l, errors.New("record: delimiter and quote must be ASCII")
	}
	return l, nil
}

// checkEncoding checks the first bytes of a file, and skips the byte order mark of
// UTF-8 if cs is UTF-8.
func checkEncoding(w *window, cs *charset) error {
	const look = 4
	if err := w.need(longestMagic); err != nil {
		return err
	}
	data := w.data()
	if isCompressed(data) {
		return &FileError{Reason: ReasonCompressed}
	}
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
func readHeader(s *csvSplitter, cs *charset, layout Layout) ([]string, error) {
	var sp span
	switch err := s.next(&sp); {
	case isEnd(err):
		return nil, &FileError{Reason: ReasonEmpty}
	case err != nil:
		return nil, err
	}
	if reason := headerFault(&sp, cs, layout); reason != "" {
		return nil, &FileError{Reason: reason}
	}
	names := make([]string, 0, sp.fields)
	d := csvDecoder{delimiter: s.delimiter, quote: s.quote, charset: cs}
	rest := sp.raw
	for range sp.fields {
		var name []byte
		name, rest = d.cut(rest, sp.quoted)
		names = append(names, string(d.utf8(name)))
	}
	if err := compareHeader(names, layout); err != nil {
		return nil, err
	}
	return names, nil
}

// headerFault returns why a record cannot be a header, or "".
func headerFault(sp *span, cs *charset, layout Layout) Reason {
	switch {
	case bytes.IndexByte(sp.raw, 0) >= 0:
		return ReasonEncoding
	case bytes.IndexByte(sp.raw, '\r') >= 0:
		return ReasonLineEnds
	case len(sp.raw) > layout.headerLimit():
		return ReasonHeaderLength
	case !cs.valid(sp.raw):
		return ReasonEncoding
	case sp.fault != "" || bytes.IndexByte(sp.raw, '\n') >= 0:
		return ReasonFormat
	default:
		return ""
	}
}

// headerLimit returns how long a header can be, in bytes: twice that of the
// contract with every name quoted, and 1 KiB for unknown columns.
func (l Layout) headerLimit() int {
	const own, foreign = 2, 1 << 10
	n := foreign
	for _, name := range l.Columns {
		n += own * (len(name) + len(`"",`))
	}
	return n
}

// compareHeader returns a [*FileError] with the missing and extra columns of the
// header, or nil.
func compareHeader(header []string, layout Layout) error {
	present := make([]bool, len(layout.Columns))
	var strangers []stranger
	for i, name := range header {
		column := slices.Index(layout.Columns, name)
		if column >= 0 && !present[column] {
			present[column] = true
			continue
		}
		strangers = append(strangers, stranger{name: name, position: i + 1, twice: column >= 0})
	}
	missing := layout.columnsWhere(func(i int) bool { return !present[i] })
	if missing == nil && strangers == nil {
		return nil
	}
	return layout.foreign(ReasonHeader, missing, present, strangers)
}

// columnsWhere returns the columns for which is reports true.
func (l Layout) columnsWhere(is func(i int) bool) []string {
	var names []string
	for i, name := range l.Columns {
		if is(i) {
			names = append(names, name)
		}
	}
	return names
}

// requires reports whether no record is valid without the column.
func (l Layout) requires(column int) bool { return l.Required != nil && l.Required[column] }

// lineEndsOf returns for each column of a header whether its values may hold a
// line end; nil: all may.
func (l Layout) lineEndsOf(header []string) []bool {
	if l.LineEnds == nil {
		return nil
	}
	may := make([]bool, len(header))
	for i, name := range header {
		column := slices.Index(l.Columns, name)
		may[i] = column < 0 || l.LineEnds[column]
	}
	return may
}
