package record

import (
	"bytes"

	"etl-dataloader/internal/jsonscan"
)

// joined follows whether a CSV or JSON Lines file has lost its line ends: all its
// records are faulty, and each is several lines that a CR alone parts. Such a file
// is refused as a whole, as otherwise a few rejects, or one, would stand for all
// its records. One record that is not so is enough to take it: a slip costs its own
// line.
type joined struct {
	layout Layout
	over   bool // some record is not so
}

// add takes the next record.
func (j *joined) add(sp *span, fault Fault) {
	switch {
	case j.over:
	case fault == "" || j.layout.Format == JSON:
		j.over = true
	case j.layout.Format == CSV:
		j.over = !j.layout.joinsRows(sp.raw)
	default:
		j.over = !joinsObjects(sp.raw)
	}
}

// fault returns the fault of a file with so many records, or nil.
func (j *joined) fault(records int64) error {
	if records == 0 || j.over {
		return nil
	}
	return &FileError{Reason: ReasonCRLines}
}

// joinsRows reports whether a record is several lines between CRs, most of which
// have as many fields as the layout.
func (l Layout) joinsRows(raw []byte) bool {
	lines, whole := 0, 0
	for line := range bytes.SplitSeq(raw, []byte{'\r'}) {
		if len(line) == 0 {
			continue
		}
		lines++
		if l.fieldsOf(line) == len(l.Columns) {
			whole++
		}
	}
	return lines > 1 && whole > lines/2
}

// fieldsOf counts the fields of a line, whose quotes may be out of place.
func (l Layout) fieldsOf(line []byte) int {
	fields, quoted := 1, false
	for _, c := range line {
		switch {
		case c == l.Quote:
			quoted = !quoted
		case c == l.Delimiter && !quoted:
			fields++
		}
	}
	return fields
}

// joinsObjects reports whether an object ends, and behind a CR another one begins.
// No JSON text has that, not even in a string, where a CR is escaped.
func joinsObjects(raw []byte) bool {
	last, returned := byte(0), false // the last byte that is no white space; a CR behind it
	for _, c := range raw {
		switch {
		case jsonscan.IsSpace(c):
			returned = returned || c == '\r'
		case returned && last == '}' && c == '{':
			return true
		default:
			last, returned = c, false
		}
	}
	return false
}
