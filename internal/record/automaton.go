package record

import "bytes"

// outcome is why the automaton stopped.
type outcome uint8

const (
	wantMore  outcome = iota // the data ended
	recordEnd                // the record ends at i; its line end has lineEnd bytes
	slip                     // a quote is out of place; the faulty field opened on the line of open
)

// automaton runs over one CSV record. Its positions count from the start of the
// data that it is given, which may grow between two runs.
type automaton struct {
	delimiter, quote byte
	limit            int
	lineEnds         []bool    // by position in the file: whether a quoted field may hold a line end; beyond, it may
	special          [256]bool // bytes with a meaning outside quotes
	looked           int64     // bytes examined so far, including those examined twice

	state   state
	i       int  // next byte to look at
	open    int  // the quote that opened the current or the last quoted field, or the one out of place
	fields  int  // fields so far, including the current one
	quoted  bool // whether a field is quoted
	lineEnd int  // bytes of the line end: 1, 2, or 0 at the end of the file
}

func newAutomaton(delimiter, quote byte, limit int, lineEnds []bool) automaton {
	a := automaton{delimiter: delimiter, quote: quote, limit: limit, lineEnds: lineEnds}
	for _, c := range []byte{delimiter, quote, '\n', '\r'} {
		a.special[c] = true
	}
	return a
}

func (a *automaton) reset() {
	a.state, a.i, a.open, a.fields, a.quoted, a.lineEnd = fieldStart, 0, 0, 1, false, 0
}

// run continues in data; last reports that nothing follows it.
func (a *automaton) run(data []byte, last bool) outcome {
	from := a.i
	found := a.steps(data, last)
	a.looked += int64(a.i - from)
	return found
}

func (a *automaton) steps(data []byte, last bool) outcome {
	for a.i < len(data) {
		if a.state == inQuotes {
			if !a.skipQuoted(data) {
				return slip
			}
			continue
		}
		c := data[a.i]
		switch {
		case c == a.quote:
			if a.state == unquoted {
				a.open = a.i
				return slip
			}
			a.atQuote()
		case c == a.delimiter:
			a.fields++
			a.state = fieldStart
		case c == '\n':
			a.lineEnd = 1
			return recordEnd
		case c == '\r' && a.i+1 < len(data) && data[a.i+1] == '\n':
			a.lineEnd = 2
			return recordEnd
		case c == '\r' && a.i+1 == len(data) && !last:
			return wantMore
		case a.state == quoteInQuotes:
			return slip
		default:
			a.state = unquoted
			for a.i+1 < len(data) && !a.special[data[a.i+1]] {
				a.i++
			}
		}
		a.i++
	}
	return wantMore
}

// skipQuoted moves behind the next quote of a quoted field, or to the end of the
// data. It reports whether the field may continue there.
func (a *automaton) skipQuoted(data []byte) bool {
	bound := a.open + a.limit + 1
	if a.i >= bound {
		return false
	}
	stretch := data[a.i:min(bound, len(data))]
	j := bytes.IndexByte(stretch, a.quote)
	if j >= 0 {
		stretch = stretch[:j]
	}
	fits := a.mayHoldLineEnd() || bytes.IndexByte(stretch, '\n') < 0
	a.i += len(stretch)
	if j >= 0 {
		a.i++
		a.state = quoteInQuotes
		return fits
	}
	return fits && a.i < bound
}

// mayHoldLineEnd reports whether the current field, if it is quoted, may hold a
// line end.
func (a *automaton) mayHoldLineEnd() bool {
	return a.fields > len(a.lineEnds) || a.lineEnds[a.fields-1]
}

// atQuote steps over a quote that opens a field or follows another one.
func (a *automaton) atQuote() {
	if a.state == fieldStart {
		a.open, a.quoted = a.i, true
	}
	a.state = inQuotes
}

// stop ends the record at the end of the file, where no more data follows.
func (a *automaton) stop() outcome {
	if a.state == inQuotes {
		return slip
	}
	return recordEnd
}

// unsettled returns the position of the first byte to which the automaton may
// still go back.
func (a *automaton) unsettled() int {
	if a.state == inQuotes || a.state == quoteInQuotes {
		return a.open
	}
	return a.i
}

// back adjusts the positions after n bytes were dropped from the front of the data.
func (a *automaton) back(n int) {
	a.i -= n
	a.open -= n
}
