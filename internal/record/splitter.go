package record

import (
	"bytes"
	"errors"
	"io"
)

// errCutOff is returned by a splitter if the bytes of a chunk end too early.
var errCutOff = errors.New("the bytes end within a record")

// isEnd reports whether err is the end of a file or of its records: io.EOF itself.
func isEnd(err error) bool {
	return err == io.EOF //nolint:errorlint // an error with io.EOF as its cause is a broken connection, not the end
}

// span is a record as a splitter finds it: its place, not yet its content.
type span struct {
	raw    []byte // without the line end, at most the longest record; valid until the next call
	end    int64  // offset behind the record and its line end or comma
	line   int64  // number of the record
	next   int64  // number at offset end, where a reader would continue
	fields int    // CSV: number of fields
	quoted bool   // CSV: at least one field is quoted
	fault  Fault  // of the structure: size or quote
}

// splitter finds one record after another. next returns io.EOF at the end, and a
// [*FileError] if the file can't be split any further; other errors come from the
// file's reader.
type splitter interface {
	next(sp *span) error
}

// decoder judges and reads the records that a splitter of the same format found.
type decoder interface {
	// check returns the fault of the record.
	check(sp *span) Fault
	// decode does the same, and sets values if there is no fault. They are
	// valid until the next call of the splitter or the decoder.
	decode(sp *span, values []Value) Fault
	// detail describes the record for which decode has just returned FaultFields.
	detail(sp *span) Detail
}

// tail follows a record that may be longer than memory should hold: it keeps the
// first bytes, up to a limit, while the window slides on.
type tail struct {
	limit   int
	kept    []byte // the first bytes of the record, once some were dropped
	dropped int    // bytes of the record that left the window
	lines   int64  // line feeds among them
}

func (t *tail) reset() { t.kept, t.dropped, t.lines = t.kept[:0], 0, 0 }

// shed drops the first n bytes in the window if the record is too long anyway,
// and returns how many it dropped: n or 0.
func (t *tail) shed(w *window, n int) int {
	if t.dropped+n <= t.limit || n <= 0 {
		return 0
	}
	data := w.data()[:n]
	t.kept = append(t.kept, data[:min(n, t.limit-len(t.kept))]...)
	t.lines += int64(bytes.Count(data, lineFeed))
	t.dropped += n
	w.advance(n)
	return n
}

// raw returns the record's bytes, of which the window holds the last n, and the
// size fault if there are too many.
func (t *tail) raw(w *window, n int) ([]byte, Fault) {
	if t.dropped > 0 {
		return t.kept, FaultSize
	}
	if n > t.limit {
		return w.data()[:t.limit:t.limit], FaultSize
	}
	return w.data()[:n:n], ""
}
