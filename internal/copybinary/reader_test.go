package copybinary

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

const header = signature + "\x00\x00\x00\x00\x00\x00\x00\x00"

func assertEnd(t failer, r *Reader) {
	t.Helper()
	for range 2 {
		if fields, err := r.Next(); err != io.EOF || fields != nil { //nolint:errorlint // the very value, as io.Reader asks
			t.Fatalf("after the last row: %q, %v", fields, err)
		}
	}
}

func TestReadWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) []byte {
			if rapid.Bool().Draw(t, "null") {
				return nil
			}
			size := rapid.SampledFrom([]int{0, 1, 28, 1000, flushSize, 3 * flushSize}).Draw(t, "size")
			return bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, size)
		}), 1, 6), 0, 12).Draw(t, "rows")
		var out bytes.Buffer
		w := NewWriter(&out)
		for _, row := range rows {
			w.Row(len(row))
			for _, field := range row {
				w.Field(field)
			}
		}
		if err := w.Close(); err != nil || w.rows != int64(len(rows)) {
			t.Fatal(err, w.rows)
		}
		stream := bytes.Clone(out.Bytes())
		for _, r := range []*Reader{
			NewReader(bytes.NewReader(stream)),
			NewReader(iotest.HalfReader(bytes.NewReader(stream))),
			NewReader(iotest.DataErrReader(bytes.NewReader(stream))),
		} {
			out.Reset()
			again := NewWriter(&out)
			for i, row := range rows {
				fields, err := r.Next()
				if err != nil || len(fields) != len(row) {
					t.Fatalf("row %d: %d fields, %v", i, len(fields), err)
				}
				for n := range row {
					if !bytes.Equal(fields[n], row[n]) || (fields[n] == nil) != (row[n] == nil) {
						t.Fatalf("row %d, field %d: %d bytes, want %d", i, n, len(fields[n]), len(row[n]))
					}
				}
				again.Row(len(fields))
				for _, field := range fields {
					again.Field(field)
				}
			}
			assertEnd(t, r)
			if err := again.Close(); err != nil || !bytes.Equal(out.Bytes(), stream) {
				t.Fatalf("rows written again are not the stream: %v", err)
			}
		}
	})
}

func TestReaderByteByByte(t *testing.T) {
	r := NewReader(iotest.OneByteReader(strings.NewReader(header + "\x00\x02\x00\x00\x00\x01x\xff\xff\xff\xff\xff\xff")))
	fields, err := r.Next()
	if err != nil || len(fields) != 2 || string(fields[0]) != "x" || fields[1] != nil {
		t.Fatalf("%q, %v", fields, err)
	}
	assertEnd(t, r)
}

func TestReaderSkipsTheExtension(t *testing.T) {
	r := NewReader(strings.NewReader(signature + "\x00\x00\x00\x01\x00\x00\x00\x03abc\x00\x01\x00\x00\x00\x01x\xff\xff"))
	if fields, err := r.Next(); err != nil || string(fields[0]) != "x" {
		t.Fatalf("%q, %v", fields, err)
	}
	assertEnd(t, r)
}

func TestReaderRefuses(t *testing.T) {
	for _, c := range []struct{ name, stream, reason string }{
		{"nothing", "", "ends early"},
		{"another signature", strings.Replace(header, "\xff", "\xfe", 1), "signature"},
		{"critical flags", signature + "\x00\x01\x00\x00\x00\x00\x00\x00\xff\xff", "flags"},
		{"a huge extension", signature + "\x00\x00\x00\x00\xff\xff\xff\xff", "extension"},
		{"a cut extension", signature + "\x00\x00\x00\x00\x00\x00\x00\x05abc", "ends early"},
		{"no trailer", header, "ends early"},
		{"half a trailer", header + "\xff", "ends early"},
		{"no fields", header + "\x00\x00\xff\xff", "0 fields"},
		{"a negative number of fields", header + "\xff\xfe", "-2 fields"},
		{"too many fields", header + "\x7f\xff", "32767 fields"},
		{"a negative length", header + "\x00\x01\xff\xff\xff\xfe", "-2 bytes"},
		{"a huge field", header + "\x00\x01\x7f\xff\xff\xff", "2147483647 bytes"},
		{"a field beyond the end", header + "\x00\x01\x00\x00\x00\x09abc", "ends early"},
		{"a cut length", header + "\x00\x01\x00\x00", "ends early"},
		{"data after the trailer", header + "\xff\xff\x00", "after the trailer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(c.stream))
			for range 2 {
				_, err := r.Next()
				broken, ok := errors.AsType[*FormatError](err)
				if !ok || !strings.Contains(err.Error(), c.reason) {
					t.Fatalf("error is %v, want one with %q", err, c.reason)
				}
				if early := c.reason == "ends early"; early != errors.Is(err, io.ErrUnexpectedEOF) || early != (broken.Err != nil) {
					t.Errorf("the cause is %v", broken.Err)
				}
			}
		})
	}
}

func TestReaderRefusesALongRow(t *testing.T) {
	field := "\x01\x00\x00\x00" + strings.Repeat("x", MaxField)
	r := NewReader(strings.NewReader(header + "\x00\x03" + field + field + "\x00\x00\x00\x01"))
	if _, err := r.Next(); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v", err)
	}
}

// A length is only believed as far as bytes arrive.
func TestReaderMemoryFollowsTheInput(t *testing.T) {
	r := NewReader(strings.NewReader(header + "\x00\x01\x01\x00\x00\x00abc"))
	if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if len(r.buf) != flushSize {
		t.Errorf("%d bytes were allocated for 3", len(r.buf))
	}
}

// A failing source is told apart from a stream that breaks the format, also
// when it fails with the error that stands for a cut stream.
func TestReaderOfAFailingSource(t *testing.T) {
	for _, cause := range []error{errors.New("connection reset"), io.ErrUnexpectedEOF} {
		for n := range len(header) + 2 {
			whole := header + "\xff\xff"
			_, err := NewReader(io.MultiReader(strings.NewReader(whole[:n]), iotest.ErrReader(cause))).Next()
			_, broken := errors.AsType[*FormatError](err)
			if !errors.Is(err, cause) || broken {
				t.Errorf("after %d bytes: %v", n, err)
			}
		}
	}
	if _, err := NewReader(nothingReader{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a source without progress: %v", err)
	}
}

type nothingReader struct{}

func (nothingReader) Read([]byte) (int, error) { return 0, nil }

func TestDecodersRefuse(t *testing.T) {
	decoders := map[string]func([]byte) error{
		"bool":        func(b []byte) error { _, err := decodeBool(b); return err },
		"int4":        func(b []byte) error { _, err := decodeInt4(b); return err },
		"int8":        func(b []byte) error { _, err := DecodeInt8(b); return err },
		"uuid":        func(b []byte) error { _, err := DecodeUUID(b); return err },
		"date":        func(b []byte) error { _, err := decodeDate(b); return err },
		"timestamptz": func(b []byte) error { _, err := decodeTimestamptz(b); return err },
		"numeric":     func(b []byte) error { _, err := appendNumeric(nil, b); return err },
	}
	for name, decode := range decoders {
		for _, value := range [][]byte{nil, {}, make([]byte, 3), make([]byte, 17)} {
			if _, ok := errors.AsType[*FormatError](decode(value)); !ok {
				t.Errorf("%s: %d bytes give no *FormatError", name, len(value))
			}
		}
	}
	infinite := func(n int, first byte) []byte {
		b := bytes.Repeat([]byte{first & 1 * 0xff}, n)
		b[0] = first
		return b
	}
	for _, first := range []byte{0x80, 0x7f} {
		if _, err := decodeDate(infinite(4, first)); err == nil {
			t.Error("an infinite date decodes")
		}
		if _, err := decodeTimestamptz(infinite(8, first)); err == nil {
			t.Error("an infinite instant decodes")
		}
	}
	if n, err := decodeInt4(infinite(4, 0x7f)); err != nil || n != math.MaxInt32 {
		t.Errorf("%d, %v", n, err)
	}
	for name, value := range map[string]string{
		"NaN":                  "\x00\x00\x00\x00\xc0\x00\x00\x00",
		"infinity":             "\x00\x00\x00\x00\xd0\x00\x00\x00",
		"a group of 10000":     "\x00\x01\x00\x00\x00\x00\x00\x00\x27\x10",
		"a missing group":      "\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01",
		"a huge weight":        "\x00\x01\x7f\xff\x00\x00\x00\x00\x00\x01",
		"a huge scale":         "\x00\x01\x00\x00\x00\x00\x3f\xff\x00\x01",
		"a huge negative wait": "\x00\x01\x80\x00\x00\x00\x00\x00\x00\x01",
	} {
		if got, err := appendNumeric(nil, []byte(value)); err == nil {
			t.Errorf("%s decodes as %q", name, got)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(header + "\xff\xff"))
	f.Add([]byte(header + "\x00\x02\x00\x00\x00\x01x\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte(header + "\x00\x01\x7f\xff\xff\xff"))
	f.Add([]byte(header + "\x7f\xff"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := NewReader(bytes.NewReader(stream))
		var out bytes.Buffer
		w := NewWriter(&out)
		for {
			fields, err := r.Next()
			if err != nil {
				if err == io.EOF { //nolint:errorlint // the very value
					break
				}
				if _, ok := errors.AsType[*FormatError](err); !ok {
					t.Fatalf("error is %v", err)
				}
				return
			}
			w.Row(len(fields))
			for _, field := range fields {
				w.Field(field)
				_, _ = appendNumeric(nil, field)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		// What reads to its end is, but for the header's extension, what it was made of.
		if !bytes.HasSuffix(stream, out.Bytes()[len(header):]) {
			t.Fatalf("rewritten as %x", out.Bytes())
		}
	})
}

func BenchmarkReader(b *testing.B) {
	var out bytes.Buffer
	w := NewWriter(&out)
	const rows = 10000
	for range rows {
		writeBenchRow(b, w)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(out.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(out.Bytes()))
		for range rows {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
