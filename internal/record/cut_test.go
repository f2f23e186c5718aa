package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/fault"
)

func TestFileErrors(t *testing.T) {
	header := func(missing, extra []string) *FileError {
		return &FileError{Reason: ReasonHeader, Missing: missing, Extra: extra}
	}
	tests := []struct {
		name   string
		format Format
		text   string
		want   *FileError // nil: the file is taken
	}{
		{"no bytes", CSV, "", &FileError{Reason: ReasonEmpty}},
		{"byte order mark alone", CSV, "\xEF\xBB\xBF", &FileError{Reason: ReasonEmpty}},
		{"blank lines alone", CSV, "\r\n\n", &FileError{Reason: ReasonEmpty}},
		{"header alone", CSV, "a,b,c", nil},
		{"other order", CSV, "c,a,b\n1,2,3\n", nil},
		{"quoted names", CSV, "\"a\",b,\"c\"\r\n", nil},
		{"column missing", CSV, "a,c\n", header([]string{"b"}, nil)},
		{"column too many", CSV, "a,b,c,d\n", header(nil, []string{"d"})},
		{"column twice", CSV, "a,b,c,b\n", header(nil, []string{"b"})},
		{"other case", CSV, "A,b,c\n", header([]string{"a"}, []string{"A"})},
		{"other delimiter", CSV, "a;b;c\n", header([]string{"a", "b", "c"}, []string{"a;b;c"})},
		{"name not fit for a log", CSV, "a,b,c,\x1b" + strings.Repeat("x", 200) + "\n", header(nil, []string{"?" + strings.Repeat("x", 99) + "…"})},
		{"data in place of a header is not shown", CSV, "7,Dupont,0601020304\n", header([]string{"a", "b", "c"}, nil)},
		{"UTF-16 with mark", CSV, "\xFF\xFEa\x00,\x00", &FileError{Reason: ReasonEncoding}},
		{"UTF-16 big-endian", CSV, "\xFE\xFF\x00a", &FileError{Reason: ReasonEncoding}},
		{"UTF-16 without mark", CSV, "a\x00,\x00b\x00", &FileError{Reason: ReasonEncoding}},
		{"UTF-32", CSV, "\x00\x00\xFE\xFF\x00\x00\x00a", &FileError{Reason: ReasonEncoding}},
		{"UTF-16 in JSON Lines", JSONL, "{\x00}\x00", &FileError{Reason: ReasonEncoding}},
		{"NUL in the header", CSV, "a,b,c\x00\n", &FileError{Reason: ReasonEncoding}},
		{"header in another encoding", CSV, "a,b,c\xe9\n", &FileError{Reason: ReasonEncoding}},
		{"header with a stray quote", CSV, "a,b\",c\n", &FileError{Reason: ReasonFormat}},
		{"endless header", CSV, strings.Repeat("a,", MaxBytes), &FileError{Reason: ReasonFormat}},
		{"no bytes of JSON", JSON, " \n", &FileError{Reason: ReasonEmpty}},
		{"empty array", JSON, "[]", nil},
		{"object in place of an array", JSON, `{"a":1}`, &FileError{Reason: ReasonFormat}},
		{"no lines", JSONL, "\n \n", &FileError{Reason: ReasonEmpty}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chunks, _, err := cutAll([]byte(tt.text), Layout{Format: tt.format, Columns: testColumns}, Limits{}, defaultBounds(), 1<<20)
			got, _ := errors.AsType[*FileError](err)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Cut: %v (-want +got):\n%s", err, diff)
			}
			if tt.want != nil && (len(chunks) > 0 || got.Error() == "") {
				t.Errorf("Cut emitted %d chunks of a faulty file, message %q", len(chunks), got.Error())
			}
		})
	}
}

func TestCutPlaces(t *testing.T) {
	tests := []struct {
		name   string
		format Format
		text   string
		limits Limits
		want   []Chunk
	}{
		{"by bytes, at or past the limit", CSV, "a,b,c\n1,2,3\n4,5,6\n7,8,9\n", Limits{ChunkBytes: 7}, []Chunk{
			{Index: 0, Start: 6, End: 18, FirstLine: 2, Records: 2}, {Index: 1, Start: 18, End: 24, FirstLine: 4, Records: 1, Last: true},
		}},
		{"exactly the limit", CSV, "a,b,c\n1,2,3\n4,5,6\n", Limits{ChunkBytes: 6}, []Chunk{
			{Index: 0, Start: 6, End: 12, FirstLine: 2, Records: 1}, {Index: 1, Start: 12, End: 18, FirstLine: 3, Records: 1, Last: true},
		}},
		{"by records", CSV, "a,b,c\n1,2,3\n4,5,6\n7,8,9", Limits{ChunkRecords: 2}, []Chunk{
			{Index: 0, Start: 6, End: 18, FirstLine: 2, Records: 2}, {Index: 1, Start: 18, End: 23, FirstLine: 4, Records: 1, Last: true},
		}},
		{"blank lines at the end make no chunk", CSV, "\xEF\xBB\xBFa,b,c\n\n\"1\n\",2,3\n\n\n", Limits{ChunkRecords: 1}, []Chunk{
			{Index: 0, Start: 9, End: 21, FirstLine: 2, Records: 1, Last: true},
		}},
		{"elements", JSON, ` [{"a":1}, {"a":2} ] `, Limits{ChunkBytes: 1}, []Chunk{
			{Index: 0, Start: 1, End: 10, FirstLine: 1, Records: 1}, {Index: 1, Start: 10, End: 21, FirstLine: 2, Records: 1, Last: true},
		}},
		{"no chunk of no bytes", JSON, `[{"a":1},`, Limits{ChunkRecords: 1}, []Chunk{{Index: 0, Start: 0, End: 9, FirstLine: 1, Records: 2, Last: true}}},
		{"lines", JSONL, "\n{}\n\n{}\n", Limits{ChunkRecords: 1}, []Chunk{
			{Index: 0, Start: 0, End: 4, FirstLine: 1, Records: 1}, {Index: 1, Start: 4, End: 8, FirstLine: 3, Records: 1, Last: true},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := cutAll([]byte(tt.text), Layout{Format: tt.format, Columns: testColumns}, tt.limits, defaultBounds(), 5)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestChunkJSON(t *testing.T) {
	chunk := Chunk{Index: 3, Start: 10, End: 20, FirstLine: 7, Records: 2, Last: true}
	text, err := json.Marshal(chunk)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"index":3,"start":10,"end":20,"first_line":7,"records":2,"last":true}`
	if string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestCutErrors(t *testing.T) {
	layout := Layout{Format: CSV, Columns: testColumns}
	broken := errors.New("connection lost")
	ignore := func(Chunk) error { return nil }
	for _, text := range []string{"", "a,b", "a,b,c\n1,2", "a,b,c\n\"", "a,b,c\n1,2,3\n"} {
		if _, err := Cut(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), layout, Limits{}, ignore); !errors.Is(err, broken) {
			t.Errorf("after %q: got %v", text, err)
		}
	}
	for _, format := range []Format{JSON, JSONL} {
		for _, text := range []string{"", "[", `[{"a":`, `[{"a":}]]`, `[]`} {
			_, err := Cut(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), Layout{Format: format, Columns: testColumns}, Limits{}, ignore)
			if !errors.Is(err, broken) {
				t.Errorf("%s after %q: got %v", format, text, err)
			}
		}
	}
	if _, err := Cut(iotest.ErrReader(io.ErrUnexpectedEOF), layout, Limits{}, ignore); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reader that ends too early: got %v", err)
	}
	lost := &fault.Transient{Op: "get object", Err: fmt.Errorf("connection lost: %w", io.EOF)}
	_, err := Cut(io.MultiReader(strings.NewReader("a,b,c\n1,2,3\n"), iotest.ErrReader(lost)), layout, Limits{}, ignore)
	if transient, ok := errors.AsType[*fault.Transient](err); !ok || transient != lost || !errors.Is(err, lost) || errors.Is(err, io.EOF) {
		t.Errorf("a connection that ended: got %v", err)
	}
	for _, limit := range []int64{1, 100} {
		_, err := Cut(strings.NewReader("a,b,c\n1,2,3\n1,2,3\n"), layout, Limits{ChunkRecords: limit}, func(Chunk) error { return broken })
		if !errors.Is(err, broken) {
			t.Errorf("emit failed at limit %d: got %v", limit, err)
		}
	}
	if _, err := Cut(stuck{}, layout, Limits{}, ignore); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that yields nothing: got %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReaderErrors(t *testing.T) {
	layout := Layout{Format: CSV, Columns: testColumns}
	array := Layout{Format: JSON, Columns: testColumns}
	tests := []struct {
		name   string
		text   string
		chunk  Chunk
		layout Layout
		header []string
	}{
		{"fewer records than cutting found", "1,2,3\n", Chunk{FirstLine: 2, Records: 2}, layout, testColumns},
		{"more records than cutting found", "1,2,3\n1,2,3\n", Chunk{FirstLine: 2, Records: 1}, layout, testColumns},
		{"element cut off", `{"a":1},{"a"`, Chunk{FirstLine: 2, Records: 2}, array, nil},
		{"array cut off", `[`, Chunk{FirstLine: 1, Records: 2}, array, nil},
		{"comma cut off", `{"a":1}`, Chunk{FirstLine: 2, Records: 1}, array, nil},
		{"another array", `[{"a":1}]`, Chunk{FirstLine: 1, Records: 2}, array, nil},
		{"broken before the last chunk", `{"a":"x"y"},`, Chunk{FirstLine: 2, Records: 1}, array, nil},
		{"another header", "1,2,3\n", Chunk{FirstLine: 2}, layout, []string{"a", "b", "d"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(tt.text), tt.chunk, tt.layout, tt.header)
			_, err := readAll(r)
			if err == nil {
				t.Fatal("no error")
			}
			if _, again := r.Next(); again != err { //nolint:errorlint // the same error is meant
				t.Errorf("then %v, first %v", again, err)
			}
		})
	}
	broken := errors.New("connection lost")
	r := NewReader(io.MultiReader(strings.NewReader("1,2,3\n"), iotest.ErrReader(broken)), Chunk{FirstLine: 2, Last: true}, layout, testColumns)
	if _, err := readAll(r); !errors.Is(err, broken) {
		t.Errorf("the reader's error: got %v", err)
	}
}

// repeated yields a text again and again, and then an end.
type repeated struct {
	text  []byte
	times int
	at    int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.times == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:])
	if r.at += n; r.at == len(r.text) {
		r.at = 0
		r.times--
	}
	return n, nil
}

// TestFlatMemory cuts and reads files of 8 MiB that are one record, or never
// close a quote or an array.
func TestFlatMemory(t *testing.T) {
	const (
		file = 8 << 20
		most = 12 << 20 // bytes allocated in all, by cutting and reading
	)
	tests := []struct {
		name, head, text string
		format           Format
	}{
		{"one line", "a,b,c\n", "xxxx", CSV},
		{"one quoted field", "a,b,c\n\"", "xxxx", CSV},
		{"quoted fields in one record", "a,b,c\n", "\"xx\nxx\",", CSV},
		{"quotes that never close", "a,b,c\n\"", strings.Repeat("x", 200) + "\"\"\n", CSV},
		{"escaped quotes", "a,b,c\n", "\"" + strings.Repeat("\"\"", 50) + "\",\"\",3\n", CSV},
		{"escapes in JSON", "", `{"a":"` + strings.Repeat(`\n`, 50) + "\"}\n", JSONL},
		{"blank lines", "a,b,c\n1,2,3\n", "\r\n", CSV},
		{"one line of JSON", `{"a":"`, `xx\"`, JSONL},
		{"line of spaces", "{}", "    ", JSONL},
		{"spaces before a line", "", "    ", JSONL},
		{"one element", `[{"a":"`, `x\\`, JSON},
		{"spaces in an element", `[{`, `    `, JSON},
		{"spaces before an element", `[`, `    `, JSON},
		{"array never closed", `[{"a":[`, "[1],", JSON},
		{"brackets", `[`, "[[[[", JSON},
		{"broken array", `[{"a":"x"y`, "[1],", JSON},
		{"text behind the array", `[]`, "]]]]", JSON},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block := bytes.Repeat([]byte(tt.text), 16<<10/len(tt.text))
			source := func() io.Reader {
				return io.MultiReader(strings.NewReader(tt.head), &repeated{text: block, times: file / len(block)})
			}
			layout := Layout{Format: tt.format, Columns: testColumns}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var chunk Chunk
			scan, err := Cut(source(), layout, Limits{ChunkBytes: 1 << 40}, func(c Chunk) error {
				chunk = c
				return nil
			})
			if err != nil && tt.name != "spaces before a line" {
				t.Fatal(err)
			}
			r := source()
			if _, err := io.CopyN(io.Discard, r, chunk.Start); err != nil {
				t.Fatal(err)
			}
			reader := NewReader(r, chunk, layout, scan.Header)
			for err == nil {
				_, err = reader.Next()
			}
			if chunk.Records > 0 && !isEnd(err) {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > most {
				t.Errorf("cutting and reading allocated %d bytes", n)
			}
		})
	}
}
