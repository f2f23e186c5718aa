package record

import (
	"errors"
	"fmt"
	"io"
)

// bounds are the sizes that tests make small; users get [MaxBytes].
type bounds struct {
	record int // longest record, in bytes
	buffer int // first size of a window's buffer, in bytes
}

func defaultBounds() bounds { return bounds{record: MaxBytes, buffer: 256 << 10} }

// readError is an error of the file's reader. It matches what its cause matches,
// except io.EOF, which callers take for the end of the records.
type readError struct {
	off int64
	err error
}

func (e *readError) Error() string {
	return fmt.Sprintf("record: read at offset %d: %v", e.off, e.err)
}

func (e *readError) Is(target error) bool { return !isEnd(target) && errors.Is(e.err, target) }

func (e *readError) As(target any) bool { return errors.As(e.err, target) }

// emptyReads is how often in a row a reader may return neither bytes nor an error,
// as in bufio.
const emptyReads = 100

// window is the part of a file that is in memory: a buffer that slides over the
// file and grows to the longest stretch that is needed at once.
type window struct {
	src      io.Reader
	buf      []byte
	pos, end int   // buf[pos:end] is read and not yet consumed
	off      int64 // offset of buf[pos] from the start of src
	eof      bool  // src has no more
	last     byte  // the last byte that was read
}

func newWindow(src io.Reader, size int) *window {
	return &window{src: src, buf: make([]byte, size)}
}

// data returns what is in memory, valid until the next call of more.
func (w *window) data() []byte { return w.buf[w.pos:w.end] }

// advance consumes n bytes.
func (w *window) advance(n int) {
	w.pos += n
	w.off += int64(n)
}

// more reads some more bytes behind those in memory, or sets eof.
func (w *window) more() error {
	if w.end == len(w.buf) {
		w.makeRoom()
	}
	for range emptyReads {
		if w.eof {
			return nil
		}
		n, err := w.src.Read(w.buf[w.end:])
		if n < 0 || n > len(w.buf)-w.end {
			return &readError{off: w.off, err: errors.New("the reader returned an impossible count")}
		}
		w.end += n
		switch {
		case isEnd(err):
			w.eof = true
		case err != nil:
			return &readError{off: w.off + int64(w.end-w.pos), err: err}
		}
		if n > 0 {
			w.last = w.buf[w.end-1]
			return nil
		}
	}
	if w.eof {
		return nil
	}
	return &readError{off: w.off, err: io.ErrNoProgress}
}

// makeRoom moves the data to the front of the buffer, or doubles the buffer.
func (w *window) makeRoom() {
	if w.pos > len(w.buf)/2 || w.pos == w.end {
		w.end = copy(w.buf, w.data())
		w.pos = 0
		return
	}
	buf := make([]byte, 2*len(w.buf))
	w.end = copy(buf, w.data())
	w.pos, w.buf = 0, buf
}

// need tries to have n bytes in memory; there are fewer only at the end.
func (w *window) need(n int) error {
	for w.end-w.pos < n && !w.eof {
		if err := w.more(); err != nil {
			return err
		}
	}
	return nil
}

// drain consumes everything up to the end of the file.
func (w *window) drain() error {
	for {
		w.advance(w.end - w.pos)
		if w.eof {
			return nil
		}
		if err := w.more(); err != nil {
			return err
		}
	}
}
