package record

import (
	"io"

	"etl-dataloader/internal/jsonscan"
)

// arraySplitter finds the elements of a JSON array by its tokens, so that the
// array may be on one line and larger than memory.
//
//   - An element ends at the comma or closing bracket of the array itself. Its
//     content is judged separately: an element that is invalid, is no object, or
//     is missing between two commas is one reject, and the next element is read
//     normally. Whitespace before an element is not part of it; whitespace after
//     it counts towards the longest record, but is cut off.
//   - That works as long as the tokens can be trusted. They can't be when a string
//     is next to a word or another string (a quote is missing or not escaped, so
//     text and syntax may have changed places), when a bracket closes what was
//     not opened, or when brackets are nested more than maxDepth deep. The whole
//     file is then faulty: ReasonTokens.
//   - The same goes for a file that ends before its array (ReasonCutOff), and one
//     with anything but whitespace after the array (ReasonBehind).
type arraySplitter struct {
	w       *window
	ordinal int64 // number of the next element
	last    bool  // whether the window ends where the file ends
	place   place
	tail    tail
	tokens  tokens
}

// place is the position of the splitter in the array.
type place uint8

const (
	beforeArray    place = iota
	firstElement         // behind the opening bracket
	furtherElement       // behind a comma
	behindArray          // behind the closing bracket
)

func newArraySplitter(w *window, chunk Chunk, limit int) *arraySplitter {
	s := &arraySplitter{w: w, ordinal: chunk.FirstLine, last: chunk.Last, tail: tail{limit: limit}}
	if chunk.FirstLine > 1 {
		s.place = furtherElement
	}
	return s
}

// next implements splitter.
func (s *arraySplitter) next(sp *span) error {
	s.tail.reset()
	s.tokens.reset()
	*sp = span{line: s.ordinal}
	c, err := s.skipSpace()
	if err == nil && s.place == beforeArray && c == '[' {
		s.w.advance(1)
		s.place = firstElement
		c, err = s.skipSpace()
	}
	if err == nil && s.place == firstElement && c == ']' {
		s.w.advance(1)
		s.place = behindArray
		_, err = s.skipSpace()
	}
	switch {
	case isEnd(err):
		return s.atEnd()
	case err != nil:
		return err
	case s.place == behindArray:
		return s.faulty(ReasonBehind, s.ordinal-1, 0)
	case s.place == beforeArray:
		return s.faulty(ReasonTokens, s.ordinal, 0)
	}
	return s.element(sp)
}

// atEnd handles the end of the data.
func (s *arraySplitter) atEnd() error {
	switch {
	case s.place == behindArray, !s.last && s.place == furtherElement:
		return io.EOF
	case !s.last:
		return errCutOff
	default:
		return s.faulty(ReasonCutOff, s.ordinal, 0)
	}
}

// faulty returns the fault of an array that can't be read further, n bytes after
// the window's start.
func (s *arraySplitter) faulty(reason Reason, element int64, n int) error {
	return &FileError{Reason: reason, Element: element, Offset: s.w.off + int64(n)}
}

// skipSpace consumes whitespace and returns the byte behind it, or io.EOF.
func (s *arraySplitter) skipSpace() (byte, error) {
	for {
		data := s.w.data()
		for i, c := range data {
			if !jsonscan.IsSpace(c) {
				s.w.advance(i)
				return c, nil
			}
		}
		s.w.advance(len(data))
		if s.w.eof {
			return 0, io.EOF
		}
		if err := s.w.more(); err != nil {
			return 0, err
		}
	}
}

// element reads one element and the comma or bracket behind it.
func (s *arraySplitter) element(sp *span) error {
	for {
		data := s.w.data()
		switch s.tokens.run(data) {
		case elementEnd:
			s.place = furtherElement
			if data[s.tokens.i] == ']' {
				s.place = behindArray
			}
			s.finish(sp, s.tokens.i)
			sp.raw = trimRight(sp.raw)
			return nil
		case broken:
			return s.faulty(ReasonTokens, s.ordinal, s.tokens.i)
		case wantTokens:
		}
		if s.w.eof {
			if !s.last {
				return errCutOff
			}
			return s.faulty(ReasonCutOff, s.ordinal, len(data))
		}
		s.tokens.i -= s.tail.shed(s.w, s.tokens.i)
		if err := s.w.more(); err != nil {
			return err
		}
	}
}

// finish ends the element with n bytes of the window and the comma or bracket
// behind them.
func (s *arraySplitter) finish(sp *span, n int) {
	sp.raw, sp.fault = s.tail.raw(s.w, n)
	s.w.advance(n + 1)
	s.ordinal++
	sp.end, sp.next = s.w.off, s.ordinal
}
