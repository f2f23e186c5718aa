package copybinary

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

var benchTime = time.Date(2024, 10, 8, 12, 30, 15, 0, time.UTC)

// writeBenchRow writes a row of 16 fields, much like one of a target table.
func writeBenchRow(t failer, w *Writer) {
	w.Row(16)
	for range 5 {
		w.Bytea(benchSealed)
	}
	w.Bytea(benchSealed[:17])
	w.String("Paris")
	w.Null()
	w.Text(benchText)
	w.Int8(1234567)
	w.Int4(3)
	w.Bool(true)
	w.Date(benchTime)
	w.Timestamptz(benchTime)
	if err := w.Numeric(benchNumber); err != nil {
		t.Fatal(err)
	}
	w.UUID([16]byte{1})
}

var (
	benchSealed = make([]byte, 60)
	benchText   = []byte("une adresse, 75011 Paris")
	benchNumber = []byte("1234.50")
)

func TestWriterLayout(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	w.Row(2)
	w.String("é")
	w.Null()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), header+"\x00\x02\x00\x00\x00\x02é\xff\xff\xff\xff\xff\xff"; got != want {
		t.Errorf("got %x, want %x", got, want)
	}
	if err := w.Close(); err != nil || out.Len() != len(header)+14 {
		t.Errorf("closing again: %v, %d bytes", err, out.Len())
	}
}

func TestWriterRefuses(t *testing.T) {
	far := time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		write  func(*Writer)
		reason string
	}{
		{"a row without fields", func(w *Writer) { w.Row(0) }, "0 fields"},
		{"a row with too many fields", func(w *Writer) { w.Row(MaxFields + 1) }, "1601 fields"},
		{"a missing field", func(w *Writer) { w.Row(3); w.Null() }, "row 1: 1 fields are missing"},
		{"a missing field before another row", func(w *Writer) { w.Row(2); w.Null(); w.Row(1); w.Null() }, "row 1: 1 fields are missing"},
		{"a field too many", func(w *Writer) { w.Row(1); w.Null(); w.Int8(1) }, "a field too many"},
		{"a null too many", func(w *Writer) { w.Null() }, "a field too many"},
		{"a huge field", func(w *Writer) { w.Row(1); w.Text(make([]byte, MaxField+1)) }, "16777217 bytes"},
		{"a far date", func(w *Writer) { w.Row(1); w.Date(time.Date(6000000, 1, 1, 0, 0, 0, 0, time.UTC)) }, "date is out of range"},
		{"an early date", func(w *Writer) { w.Row(1); w.Date(time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC)) }, "date is out of range"},
		{"a far instant", func(w *Writer) { w.Row(1); w.Timestamptz(far) }, "timestamp is out of range"},
		{"a far instant before now", func(w *Writer) { w.Row(1); w.Timestamptz(far.AddDate(-600000, 0, 0)) }, "timestamp is out of range"},
		{"a row after the end", func(w *Writer) { _ = w.Close(); w.Row(1) }, "after Close"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := NewWriter(io.Discard)
			c.write(w)
			w.Bool(true) // does nothing where the stream has failed
			if err := w.Close(); err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error is %v, want one with %q", err, c.reason)
			}
			if w.Err() != w.Close() { //nolint:errorlint // the same error stays
				t.Error("the error changed")
			}
		})
	}
}

func TestWriterKeepsTheErrorOfItsTarget(t *testing.T) {
	cause := errors.New("connection reset")
	w := NewWriter(failingWriter{cause})
	for range 10 {
		w.Row(1)
		w.Bytea(make([]byte, flushSize))
	}
	if !errors.Is(w.Err(), cause) || !errors.Is(w.Close(), cause) {
		t.Errorf("errors are %v and %v", w.Err(), w.Close())
	}
	if w.rows > 2 {
		t.Errorf("%d rows were accepted after the failure", w.rows)
	}
	if w := NewWriter(failingWriter{cause}); !errors.Is(w.Close(), cause) {
		t.Error("Close hides the failure of its own write")
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestNumericRefuses(t *testing.T) {
	for _, text := range []string{
		"", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e5.0", "1.2.3", "--1", "1 ", " 1", "1,5", "0x10", "NaN", "inf", "1_000", "１",
		"1e1000", "1e-1001", "1e100001", "0e100001", "1e99999999999999999999", "1" + strings.Repeat("0", 1000), "0." + strings.Repeat("0", 1001),
	} {
		w := NewWriter(io.Discard)
		w.Row(1)
		err := w.Numeric([]byte(text))
		if !errors.Is(err, ErrNumeric) {
			t.Errorf("%.20q: error is %v", text, err)
		}
		w.Null() // the field is still to be written
		if err := w.Close(); err != nil {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestNumericOnAFailedStream(t *testing.T) {
	w := NewWriter(io.Discard)
	if err := w.Numeric([]byte("1")); err != nil {
		t.Errorf("the number is at fault: %v", err)
	}
	if w.Close() == nil {
		t.Error("no error")
	}
}

func FuzzNumeric(f *testing.F) {
	for _, text := range numericTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		once, ok := throughNumeric(t, text)
		if !ok {
			return
		}
		if twice, ok := throughNumeric(t, once); !ok || !bytes.Equal(once, twice) {
			t.Fatalf("%q becomes %q and then %q", text, once, twice)
		}
	})
}

// throughNumeric encodes and decodes a decimal text.
func throughNumeric(t failer, text []byte) ([]byte, bool) {
	var out bytes.Buffer
	w := NewWriter(&out)
	w.Row(1)
	if w.Numeric(text) != nil {
		return nil, false
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	fields, err := NewReader(&out).Next()
	if err != nil {
		t.Fatal(err)
	}
	back, err := appendNumeric(nil, fields[0])
	if err != nil {
		t.Fatal(err)
	}
	return back, true
}

func TestWritingDoesNotAllocate(t *testing.T) {
	w := NewWriter(io.Discard)
	writeBenchRow(t, w) // sizes the scratch
	if n := testing.AllocsPerRun(2000, func() { writeBenchRow(t, w) }); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func BenchmarkWriter(b *testing.B) {
	w := NewWriter(io.Discard)
	b.ReportAllocs()
	for b.Loop() {
		writeBenchRow(b, w)
	}
	if err := w.Err(); err != nil {
		b.Fatal(err)
	}
}
