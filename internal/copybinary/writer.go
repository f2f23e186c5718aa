package copybinary

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Writer writes a COPY binary stream. Call [Writer.Row] with the number of
// fields, then one method per field in the order of the columns, and [Writer.Close]
// at the end. The first error is kept: later calls do nothing,
// and Err and Close return it. A Writer is not safe for concurrent use.
type Writer struct {
	w      io.Writer
	buf    []byte
	digits []byte // scratch of Numeric
	open   int    // fields that the current row still lacks
	rows   int64
	closed bool
	err    error
}

// NewWriter returns a Writer on w. It buffers about 64 KiB, or one row if that
// is longer, and does not close w.
func NewWriter(w io.Writer) *Writer {
	buf := append(make([]byte, 0, flushSize+flushSize/4), signature...)
	return &Writer{w: w, buf: append(buf, 0, 0, 0, 0, 0, 0, 0, 0)}
}

// Row begins a row of n fields, 1 to [MaxFields].
func (w *Writer) Row(n int) {
	if !w.beginRow() {
		return
	}
	if n < 1 || n > MaxFields {
		w.fail(fmt.Errorf("copybinary: row %d: %d fields", w.rows+1, n))
		return
	}
	w.rows++
	w.open = n
	w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(n))
}

// Field writes a value that already has its binary form, such as a field of a
// [Reader]; nil is NULL.
func (w *Writer) Field(value []byte) {
	if value == nil {
		w.Null()
		return
	}
	if w.field(len(value)) {
		w.buf = append(w.buf, value...)
	}
}

// Null writes NULL.
func (w *Writer) Null() {
	if w.field(0) {
		length := w.buf[len(w.buf)-4:]
		binary.BigEndian.PutUint32(length, null)
	}
}

// Text writes a text, which must be UTF-8 without NUL; nil is the empty text.
func (w *Writer) Text(value []byte) {
	if w.field(len(value)) {
		w.buf = append(w.buf, value...)
	}
}

// String writes a text, which must be UTF-8 without NUL.
func (w *Writer) String(value string) {
	if w.field(len(value)) {
		w.buf = append(w.buf, value...)
	}
}

// Bytea writes a bytea; nil is the empty one.
func (w *Writer) Bytea(value []byte) { w.Text(value) }

// JSON writes a json (not jsonb), which must be valid JSON in UTF-8.
func (w *Writer) JSON(value []byte) { w.Text(value) }

// Bool writes a boolean.
func (w *Writer) Bool(value bool) {
	if !w.field(1) {
		return
	}
	if value {
		w.buf = append(w.buf, 1)
	} else {
		w.buf = append(w.buf, 0)
	}
}

// Int4 writes an integer.
func (w *Writer) Int4(value int32) {
	if w.field(4) {
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(value)) //nolint:gosec // two's complement
	}
}

// Int8 writes a bigint.
func (w *Writer) Int8(value int64) {
	if w.field(8) {
		w.buf = binary.BigEndian.AppendUint64(w.buf, uint64(value)) //nolint:gosec // two's complement
	}
}

// UUID writes a uuid.
func (w *Writer) UUID(value [16]byte) {
	if w.field(16) {
		w.buf = append(w.buf, value[:]...)
	}
}

// Date writes the calendar date of value in value's own location. A date
// outside PostgreSQL's range (4713 BC to 5874897) is an error of the stream.
func (w *Writer) Date(value time.Time) {
	days := civilDays(value)
	if days < minDate || days >= endDate {
		w.fail(fmt.Errorf("copybinary: row %d: a date is out of range", w.rows))
		return
	}
	w.Int4(int32(days))
}

// Timestamptz writes an instant, rounded to the microsecond as PostgreSQL
// rounds a text. An instant outside PostgreSQL's range (4713 BC to 294276) is
// an error of the stream.
func (w *Writer) Timestamptz(value time.Time) {
	value = value.Round(time.Microsecond)
	seconds := value.Unix() - unixToPostgresSeconds
	if seconds < minTimestamp/1_000_000 || seconds >= endTimestamp/1_000_000 {
		w.fail(fmt.Errorf("copybinary: row %d: a timestamp is out of range", w.rows))
		return
	}
	w.Int8(seconds*1_000_000 + int64(value.Nanosecond()/1000))
}

// Err returns the first error of the stream: of the underlying writer, of a row
// with too few or too many fields, or of a value out of range.
func (w *Writer) Err() error { return w.err }

// Close writes the trailer, flushes the buffer and returns the first error of the
// stream. A stream without rows is valid. Closing again does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	if w.beginRow() {
		w.buf = append(w.buf, 0xff, 0xff)
		w.flush()
	}
	w.closed = true
	return w.err
}

// beginRow checks that the row before is complete and flushes a full buffer. It
// reports whether writing may continue.
func (w *Writer) beginRow() bool {
	if w.closed {
		w.fail(errors.New("copybinary: write after Close"))
	}
	if w.err == nil && w.open != 0 {
		w.fail(fmt.Errorf("copybinary: row %d: %d fields are missing", w.rows, w.open))
	}
	if w.err == nil && len(w.buf) >= flushSize {
		w.flush()
	}
	return w.err == nil
}

// field begins a field of n bytes and reports whether its value may follow.
func (w *Writer) field(n int) bool {
	if w.err != nil {
		return false
	}
	if w.open == 0 {
		w.fail(fmt.Errorf("copybinary: row %d: a field too many", w.rows))
		return false
	}
	if n > MaxField {
		w.fail(fmt.Errorf("copybinary: row %d: a field of %d bytes", w.rows, n))
		return false
	}
	w.open--
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(n)) //nolint:gosec // at most MaxField
	return true
}

func (w *Writer) flush() {
	if _, err := w.w.Write(w.buf); err != nil {
		w.fail(fmt.Errorf("copybinary: write: %w", err))
	}
	w.buf = w.buf[:0]
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
