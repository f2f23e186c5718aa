package copybinary

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// FormatError reports a stream, or a value in one, that breaks the format. It does
// not contain the value.
type FormatError struct {
	Row    int64  // 1-based row, 0 for the header or for a value decoded by itself
	Reason string // what is wrong
	Err    error  // io.ErrUnexpectedEOF if the stream ended early, else nil
}

// Error implements error.
func (e *FormatError) Error() string { return fmt.Sprintf("copybinary: row %d: %s", e.Row, e.Reason) }

// Unwrap returns the cause, if there is one.
func (e *FormatError) Unwrap() error { return e.Err }

// Reader reads a COPY binary stream row by row. Its memory is that of the
// longest row, and grows only as bytes arrive, whatever lengths the stream
// claims. A Reader is not safe for concurrent use.
type Reader struct {
	r      io.Reader
	buf    []byte
	start  int // of the current row in buf
	next   int // end of the current row: where the next one starts
	end    int // of what was read into buf
	spans  []span
	fields [][]byte
	rows   int64
	begun  bool
	err    error
}

// maxEmptyReads is how many reads in a row may bring nothing, as in bufio.
const maxEmptyReads = 100

// null is the length of NULL, -1.
const null = ^uint32(0)

// span is a field's place after the start of its row; length -1 is NULL.
type span struct{ offset, length int }

// NewReader returns a Reader on r. It reads ahead and may hold up to 64 KiB
// beyond the current row.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: r, buf: make([]byte, flushSize)}
}

// Next returns the fields of the next row, nil for NULL; they are valid until
// the next call. After the trailer, and once the stream has ended there, the
// error is [io.EOF]. A stream that breaks the format, or ends without its
// trailer, is a *FormatError; any other error is the underlying reader's, wrapped.
// After an error, every call returns it again.
func (r *Reader) Next() ([][]byte, error) {
	if r.err == nil {
		r.err = r.advance()
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.fields, nil
}

// Each passes the rows of a stream; a row is valid until visit returns.
func Each(r io.Reader, visit func([][]byte) error) error {
	rows := NewReader(r)
	for {
		row, err := rows.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := visit(row); err != nil {
			return err
		}
	}
}

func (r *Reader) advance() error {
	if !r.begun {
		if err := r.header(); err != nil {
			return err
		}
		r.begun = true
	}
	r.start = r.next
	if r.buffered() {
		return nil
	}
	if err := r.need(2); err != nil {
		return err
	}
	count := int(int16(binary.BigEndian.Uint16(r.buf[r.start:]))) //nolint:gosec // two's complement
	if count == -1 {
		return r.trailer()
	}
	r.rows++
	if count < 1 || count > MaxFields {
		return r.broken("it has %d fields", count)
	}
	offset := 2
	r.spans = r.spans[:0]
	for range count {
		if err := r.need(offset + 4); err != nil {
			return err
		}
		length := int(int32(binary.BigEndian.Uint32(r.buf[r.start+offset:]))) //nolint:gosec // two's complement
		offset += 4
		if length < -1 || length > MaxField || offset+length > MaxRow {
			return r.broken("a field of %d bytes", length)
		}
		r.spans = append(r.spans, span{offset, length})
		if length > 0 {
			offset += length
		}
	}
	if err := r.need(offset); err != nil {
		return err
	}
	r.next = r.start + offset
	r.fields = r.fields[:0]
	for _, s := range r.spans {
		var field []byte
		if s.length >= 0 {
			from := r.start + s.offset
			field = r.buf[from : from+s.length : from+s.length]
		}
		r.fields = append(r.fields, field)
	}
	return nil
}

// buffered takes the next row if all of it is in buf, as nearly every row is. It
// returns false, having taken nothing, for a row that extends beyond buf, the
// trailer, and a count or length that is out of range.
func (r *Reader) buffered() bool {
	rest := r.buf[r.start:r.end]
	if len(rest) < 2 {
		return false
	}
	count := int(binary.BigEndian.Uint16(rest))
	if count < 1 || count > MaxFields {
		return false
	}
	at := 2
	fields := r.fields[:0]
	for range count {
		if len(rest)-at < 4 {
			return false
		}
		length := binary.BigEndian.Uint32(rest[at:])
		at += 4
		if length == null {
			fields = append(fields, nil)
			continue
		}
		if length > MaxField || int(length) > len(rest)-at || at+int(length) > MaxRow {
			return false
		}
		end := at + int(length)
		fields = append(fields, rest[at:end:end])
		at = end
	}
	r.fields, r.next = fields, r.start+at
	r.rows++
	return true
}

// header checks the signature and the flags, and skips the extension.
func (r *Reader) header() error {
	const size = len(signature) + 8
	if err := r.need(size); err != nil {
		return err
	}
	if string(r.buf[:len(signature)]) != signature {
		return r.broken("no COPY binary signature")
	}
	if binary.BigEndian.Uint32(r.buf[len(signature):])&criticalFlags != 0 {
		return r.broken("unknown critical flags")
	}
	extension := binary.BigEndian.Uint32(r.buf[len(signature)+4:])
	if extension > flushSize {
		return r.broken("a header extension of %d bytes", extension)
	}
	if err := r.need(size + int(extension)); err != nil {
		return err
	}
	r.next = size + int(extension)
	return nil
}

// trailer checks that nothing follows the trailer.
func (r *Reader) trailer() error {
	err := r.need(3)
	if err == nil {
		return r.broken("data after the trailer")
	}
	if _, ended := errors.AsType[*FormatError](err); ended {
		r.next = r.start // no current row
		return io.EOF
	}
	return err
}

// need makes at least n bytes from the row's start available in buf.
func (r *Reader) need(n int) error {
	for empty := 0; r.end-r.start < n; {
		if r.end == len(r.buf) {
			r.room()
		}
		read, err := r.r.Read(r.buf[r.end:])
		r.end += read
		if read > 0 {
			empty = 0
		} else if empty++; err == nil && empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
		if err == nil || r.end-r.start >= n {
			continue
		}
		if errors.Is(err, io.EOF) {
			return &FormatError{Row: r.rows, Reason: "the stream ends early", Err: io.ErrUnexpectedEOF}
		}
		return fmt.Errorf("copybinary: read: %w", err)
	}
	return nil
}

// room moves the row to the front of buf or, if it is there, doubles buf.
func (r *Reader) room() {
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.next -= r.start
		r.start = 0
		return
	}
	grown := make([]byte, 2*len(r.buf))
	copy(grown, r.buf[:r.end])
	r.buf = grown
}

func (r *Reader) broken(format string, args ...any) error {
	return &FormatError{Row: r.rows, Reason: fmt.Sprintf(format, args...)}
}

func badValue(kind string, n int) error {
	return &FormatError{Reason: fmt.Sprintf("%d bytes are no %s", n, kind)}
}

// DecodeInt8 decodes a bigint. Like every decoder here it fails with a *FormatError
// for bytes that are no value of its type, NULL included.
func DecodeInt8(value []byte) (int64, error) {
	if len(value) != 8 {
		return 0, badValue("bigint", len(value))
	}
	return int64(binary.BigEndian.Uint64(value)), nil //nolint:gosec // two's complement
}

// DecodeUUID decodes a uuid.
func DecodeUUID(value []byte) ([16]byte, error) {
	if len(value) != 16 {
		return [16]byte{}, badValue("uuid", len(value))
	}
	return [16]byte(value), nil
}
