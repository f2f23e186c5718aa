package record

import (
	"bytes"
	"io"

	"etl-dataloader/internal/jsonscan"
)

// trimRight cuts JSON whitespace off the end of b.
func trimRight(b []byte) []byte {
	for len(b) > 0 && jsonscan.IsSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b[:len(b):len(b)]
}

// linesSplitter finds the records of a JSON Lines file: every physical line that
// holds more than whitespace. A line ends with LF; whitespace around the record
// (and so the CR of a CRLF) is not part of it. A line that is over the limit only
// because of its whitespace is a size fault too.
type linesSplitter struct {
	w    *window
	line int64 // number of the physical line at the window's start
	tail tail
}

// next implements splitter.
func (s *linesSplitter) next(sp *span) error {
	if err := s.skipBlank(); err != nil {
		return err
	}
	*sp = span{line: s.line}
	s.tail.reset()
	for from := 0; ; {
		data := s.w.data()
		if i := bytes.IndexByte(data[from:], '\n'); i >= 0 {
			s.finish(sp, from+i, 1)
			return nil
		}
		if s.w.eof {
			s.finish(sp, len(data), 0)
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
func (s *linesSplitter) finish(sp *span, n, lineEnd int) {
	body := n
	if lineEnd > 0 && s.w.data()[n-1] == '\r' {
		body--
	}
	sp.raw, sp.fault = s.tail.raw(s.w, body)
	sp.raw = trimRight(sp.raw)
	s.w.advance(n + lineEnd)
	s.line += int64(lineEnd)
	sp.end, sp.next = s.w.off, s.line
}

// skipBlank consumes whitespace. It returns io.EOF at the end of the file.
func (s *linesSplitter) skipBlank() error {
	for {
		data := s.w.data()
		n := 0
		for n < len(data) && jsonscan.IsSpace(data[n]) {
			if data[n] == '\n' {
				s.line++
			}
			n++
		}
		s.w.advance(n)
		if n < len(data) {
			return nil
		}
		if s.w.eof {
			return io.EOF
		}
		if err := s.w.more(); err != nil {
			return err
		}
	}
}
