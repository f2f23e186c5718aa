package record

import "bytes"

// outcome is why the automaton stopped.
type outcome uint8

const (
	wantMore  outcome = iota // the data ended
	recordEnd                // the record ends at i; its line end has lineEnd bytes
	notClosed                // the quoted field that opened at open has no end
)

// automaton runs over one CSV record. Its positions count from the start of the
// data that it is given, which may grow between two runs.
type automaton struct {
	delimiter, quote byte
	limit            int
	special          [256]bool // bytes that mean something outside quotes

	state   state
	i       int  // next byte to look at
	open    int  // the quote that opened the current or the last quoted field
	fields  int  // fields so far, the current one included
	quoted  bool // whether a field is quoted
	bad     bool // whether a quote is out of place
	lineEnd int  // bytes of the line end: 1, 2, or 0 at the end of the file
}

func newAutomaton(delimiter, quote byte, limit int) automaton {
	a := automaton{delimiter: delimiter, quote: quote, limit: limit}
	for _, c := range []byte{delimiter, quote, '\n', '\r'} {
		a.special[c] = true
	}
	return a
}

func (a *automaton) reset() {
	a.state, a.i, a.open, a.fields, a.quoted, a.bad, a.lineEnd = fieldStart, 0, 0, 1, false, false, 0
}

// run goes on in data; last says that nothing follows it.
func (a *automaton) run(data []byte, last bool) outcome {
	for a.i < len(data) {
		if a.state == inQuotes {
			if found := a.runQuoted(data); found != recordEnd {
				return found
			}
			continue
		}
		c := data[a.i]
		switch {
		case c == a.quote:
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
		default:
			a.bad = a.bad || a.state == quoteInQuotes
			a.state = unquoted
			for a.i+1 < len(data) && !a.special[data[a.i+1]] {
				a.i++
			}
		}
		a.i++
	}
	return wantMore
}

// runQuoted looks for the next quote within a quoted field. It returns recordEnd
// if it found one: the quoted stretch has ended, the record goes on.
func (a *automaton) runQuoted(data []byte) outcome {
	bound := a.open + a.limit + 1
	if a.i < bound {
		if j := bytes.IndexByte(data[a.i:min(bound, len(data))], a.quote); j >= 0 {
			a.i += j + 1
			a.state = quoteInQuotes
			return recordEnd
		}
	}
	if len(data) >= bound {
		return notClosed
	}
	a.i = len(data)
	return wantMore
}

// atQuote is the step over a quote outside a quoted stretch.
func (a *automaton) atQuote() {
	switch a.state {
	case fieldStart:
		a.open, a.quoted, a.state = a.i, true, inQuotes
	case quoteInQuotes:
		a.state = inQuotes
	default:
		a.bad = true
	}
}

// stop is the end of the file, in place of more data.
func (a *automaton) stop() outcome {
	if a.state == inQuotes {
		return notClosed
	}
	return recordEnd
}

// unsettled is the first byte that the automaton may still come back to.
func (a *automaton) unsettled() int {
	if a.state == inQuotes || a.state == quoteInQuotes {
		return a.open
	}
	return a.i
}

// back moves the positions after n bytes were dropped from the front of the data.
func (a *automaton) back(n int) {
	a.i -= n
	a.open -= n
}
