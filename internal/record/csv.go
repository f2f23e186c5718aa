package record

import (
	"bytes"
	"io"
)

var lineFeed = []byte{'\n'} //nolint:gochecknoglobals // a constant

// state is the state of the automaton within a CSV record.
type state uint8

const (
	fieldStart state = iota
	unquoted
	inQuotes
	quoteInQuotes
)

// csvSplitter finds the records of a CSV file with the four-state automaton of
// design decision 7:
//
//   - A line ends with LF or CRLF; a CR without LF is data. An empty line between
//     records is skipped and not counted as a record.
//   - A field is quoted if its very first byte is a quote. Everything in it is
//     data except quotes; two quotes stand for one.
//   - A slip is a quote inside an unquoted field, text after a closing quote, a
//     line end in a quoted field of a column that can't hold one
//     ([Layout.LineEnds]), or a quoted field whose closing quote is missing or
//     more than the longest record away from the opening one. The record then
//     ends with the physical line on which the faulty field opened, and is one
//     reject; reading resumes on the next line. So a slip never costs the lines
//     after it.
//   - A record without a slip is never read twice, whatever it holds: a wrong
//     number of fields rejects the whole record with all its lines, so no field
//     can smuggle in a record.
//   - A record that is too long is one reject, up to its end.
//
// Going back to the line of a slip costs no more than reading the bytes once
// again. Between the opening quote and the slip all quotes are doubled, so none
// of the lines in between leaves a quoted field open, and no line is read a third
// time.
type csvSplitter struct {
	w                *window
	delimiter, quote byte
	line             int64 // number of the physical line at the window's start

	quoteAt int64 // offset of the first quote ahead, if not before the window
	clearTo int64 // there is no quote between the window's start and this offset
	looked  int64 // bytes examined so far, including those examined twice

	auto automaton
	tail tail
}

func newCSVSplitter(w *window, layout Layout, line int64, limit int) *csvSplitter {
	return &csvSplitter{
		w: w, delimiter: layout.Delimiter, quote: layout.Quote, line: line, quoteAt: -1,
		auto: newAutomaton(layout.Delimiter, layout.Quote, limit, nil), tail: tail{limit: limit},
	}
}

// setHeader sets the columns, which decide where quoted fields may hold line ends.
func (s *csvSplitter) setHeader(header []string, layout Layout) {
	s.auto.lineEnds = layout.lineEndsOf(header)
}

// next implements splitter.
func (s *csvSplitter) next(sp *span) error {
	if err := s.skipBlank(); err != nil {
		return err
	}
	*sp = span{line: s.line}
	data := s.w.data()
	n := bytes.IndexByte(data, '\n')
	if n < 0 {
		n = len(data)
	} else if n <= s.tail.limit && !s.quoteBefore(n) {
		s.plain(sp, n)
		return nil
	}
	s.looked += int64(n)
	return s.scan(sp)
}

// plain ends a record that is the line of n bytes at the window's start, without
// a quote.
func (s *csvSplitter) plain(sp *span, n int) {
	data := s.w.data()
	body := data[:n:n]
	if n > 0 && data[n-1] == '\r' {
		body = data[: n-1 : n-1]
	}
	sp.raw = body
	sp.fields = 1 + bytes.Count(body, []byte{s.delimiter})
	s.consume(sp, n+1, 1)
}

// consume ends a record: n bytes from the window's start, with this many line feeds.
func (s *csvSplitter) consume(sp *span, n int, lines int64) {
	s.w.advance(n)
	s.line += lines
	sp.end, sp.next = s.w.off, s.line
}

// skipBlank consumes empty lines. It returns io.EOF at the end of the file.
func (s *csvSplitter) skipBlank() error {
	for {
		if err := s.w.need(2); err != nil {
			return err
		}
		data := s.w.data()
		switch {
		case len(data) == 0:
			return io.EOF
		case data[0] == '\n':
			s.w.advance(1)
		case len(data) > 1 && data[0] == '\r' && data[1] == '\n':
			s.w.advance(2)
		default:
			return nil
		}
		s.line++
	}
}

// quoteBefore reports whether there is a quote in the first n bytes of the window.
// It examines no byte twice.
func (s *csvSplitter) quoteBefore(n int) bool {
	off := s.w.off
	if s.quoteAt < off {
		data := s.w.data()
		from := max(s.clearTo-off, 0)
		i := bytes.IndexByte(data[from:], s.quote)
		if i < 0 {
			s.clearTo = off + int64(len(data))
			return false
		}
		s.quoteAt = off + from + int64(i)
	}
	return s.quoteAt < off+int64(n)
}

// scan finds a record byte by byte: one that has quotes, is over the limit, or is
// not completely in the window yet.
func (s *csvSplitter) scan(sp *span) error {
	s.auto.reset()
	s.tail.reset()
	for {
		found := s.auto.run(s.w.data(), s.w.eof)
		if found == wantMore && s.w.eof {
			found = s.auto.stop()
		}
		switch found {
		case recordEnd:
			s.finish(sp, s.auto.i, s.auto.lineEnd, false)
			return nil
		case slip:
			return s.rejectLine(sp)
		case wantMore:
		}
		s.auto.back(s.tail.shed(s.w, s.auto.unsettled()))
		if err := s.w.more(); err != nil {
			return err
		}
	}
}

// rejectLine ends the record with the physical line on which the faulty field
// opened.
func (s *csvSplitter) rejectLine(sp *span) error {
	for from := s.auto.open; ; {
		data := s.w.data()
		i := bytes.IndexByte(data[from:], '\n')
		if i >= 0 {
			s.looked += int64(i)
			body, lineEnd := from+i, 1
			if data[body-1] == '\r' {
				body, lineEnd = body-1, 2
			}
			s.finish(sp, body, lineEnd, true)
			return nil
		}
		s.looked += int64(len(data) - from)
		if s.w.eof {
			s.finish(sp, len(data), 0, true)
			return nil
		}
		// The last byte stays, as it may be the CR of the line end.
		from = len(data) - s.tail.shed(s.w, len(data)-1)
		if err := s.w.more(); err != nil {
			return err
		}
	}
}

// finish ends the record with n bytes of the window and the line end behind them.
func (s *csvSplitter) finish(sp *span, n, lineEnd int, bad bool) {
	sp.raw, sp.fault = s.tail.raw(s.w, n)
	if sp.fault == "" && bad {
		sp.fault = FaultQuote
	}
	sp.fields, sp.quoted = s.auto.fields, s.auto.quoted
	lines := s.tail.lines + int64(bytes.Count(s.w.data()[:n+lineEnd], lineFeed))
	s.consume(sp, n+lineEnd, lines)
}
