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
		reason           Reason // for which the file is faulty
	}{
		{"one line", "a,b,c\n", "xxxx", CSV, ""},
		{"header that never ends", "a,b,c", "xxxx", CSV, ReasonHeaderLength},
		{"one quoted field", "a,b,c\n\"", "xxxx", CSV, ""},
		{"quoted fields in one record", "a,b,c\n", "\"xx\nxx\",", CSV, ""},
		{"quotes that never close", "a,b,c\n1,\"", strings.Repeat("x", 200) + "\"\"\n", CSV, ""},
		{"a quote on each line", "a,b,c\n", "1,2,\"xx\n", CSV, ""},
		{"a line end where none can be", "a,b,c\n", "\"xx\n", CSV, ""},
		{"escaped quotes", "a,b,c\n", "\"" + strings.Repeat("\"\"", 50) + "\",\"\",3\n", CSV, ""},
		{"escapes in JSON", "", `{"a":"` + strings.Repeat(`\n`, 50) + "\"}\n", JSONL, ""},
		{"blank lines", "a,b,c\n1,2,3\n", "\r\n", CSV, ""},
		{"one line of JSON", `{"a":"`, `xx\"`, JSONL, ""},
		{"unknown members", `{"a":1`, `,"unknown":1`, JSONL, ""},
		{"unknown members everywhere", `{"a":1,"z1":1,"z2":2,"` + strings.Repeat("z", 1000) + "\":3}\n", `{"a":1,"z1":1,"z2":2,"` + strings.Repeat("z", 1000) + "\":3}\n", JSONL, ReasonMembers},
		{"line of spaces", "{}", "    ", JSONL, ""},
		{"spaces before a line", "", "    ", JSONL, ReasonEmpty},
		{"one element", `[{"a":"`, `x\\`, JSON, ReasonCutOff},
		{"spaces in an element", `[{`, `    `, JSON, ReasonCutOff},
		{"spaces before an element", `[`, `    `, JSON, ReasonCutOff},
		{"array never closed", `[{"a":[`, "[1],", JSON, ReasonCutOff},
		{"brackets", `[`, "[[[[", JSON, ReasonTokens},
		{"broken array", `[{"a":"x"y`, "[1],", JSON, ReasonTokens},
		{"text behind the array", `[]`, "]]]]", JSON, ReasonBehind},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block := bytes.Repeat([]byte(tt.text), 16<<10/len(tt.text))
			source := func() io.Reader {
				return io.MultiReader(strings.NewReader(tt.head), &repeated{text: block, times: file / len(block)})
			}
			layout := testLayout(tt.format)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var chunk Chunk
			scan, err := Cut(source(), layout, Limits{ChunkBytes: 1 << 40}, func(c Chunk) error {
				chunk = c
				return nil
			})
			if fault, _ := errors.AsType[*FileError](err); err != nil && (fault == nil || fault.Reason != tt.reason) || err == nil && tt.reason != "" {
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
