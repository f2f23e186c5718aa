package record

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestMain raises the number of random files unless the command line sets it.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given && !testing.Short() {
		if err := flag.Set("rapid.checks", "1000"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

var (
	testColumns = []string{"a", "b", "c"}
	filePlaces  = []int{1, 0, 2}
)

// fatal is what *testing.T and *rapid.T have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// dribble yields at most n bytes a call.
type dribble struct {
	r io.Reader
	n int
}

func (d dribble) Read(p []byte) (int, error) { return d.r.Read(p[:min(d.n, len(p))]) }

// cutAll cuts a file and returns its chunks.
func cutAll(data []byte, layout Layout, limits Limits, size bounds, step int) ([]Chunk, Scan, error) {
	var chunks []Chunk
	scan, err := cut(dribble{bytes.NewReader(data), step}, layout, limits, size, func(c Chunk) error {
		chunks = append(chunks, c)
		return nil
	})
	return chunks, scan, err
}

// checkFile cuts a file, reads the chunks on their own, and compares everything
// with the records that there should be. body is where the first chunk starts.
func checkFile(t fatal, data []byte, layout Layout, limits Limits, size bounds, step, body int, want []plainRecord) {
	t.Helper()
	chunks, scan, err := cutAll(data, layout, limits, size, step)
	if err != nil {
		if fault, ok := errors.AsType[*FileError](err); ok && fault.Reason == ReasonEmpty && len(want) == 0 {
			return
		}
		t.Fatalf("Cut(%q): %v", data, err)
	}
	var got []plainRecord
	end := int64(body)
	for i, c := range chunks {
		if c.Index != i || c.Start != end || c.End <= c.Start || c.Records == 0 || c.Last != (i == len(chunks)-1) {
			t.Fatalf("Cut(%q): chunk %+v follows offset %d", data, c, end)
		}
		end = c.End
		records, err := readAll(newReader(dribble{bytes.NewReader(data[c.Start:c.End]), step}, c, layout, scan.Header, size))
		if err != nil {
			t.Fatalf("read chunk %+v of %q: %v", c, data, err)
		}
		checkCut(t, c, limits, records)
		got = append(got, records...)
	}
	if len(chunks) > 0 && end != int64(len(data)) {
		t.Fatalf("Cut(%q): the chunks end at %d of %d", data, end, len(data))
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("records of %q in chunks %+v (-want +got):\n%s", data, chunks, diff)
	}
	malformed := 0
	for _, r := range want {
		if r.Fault != "" {
			malformed++
		}
	}
	if scan.Records != int64(len(want)) || scan.Malformed != int64(malformed) || scan.Bytes != int64(len(data)) {
		t.Fatalf("Cut(%q) = %+v, want %d records, %d malformed, %d bytes", data, scan, len(want), malformed, len(data))
	}
}

// checkCut checks the rule about the size of a chunk.
func checkCut(t fatal, c Chunk, limits Limits, records []plainRecord) {
	t.Helper()
	n := int64(len(records))
	if n != c.Records {
		t.Fatalf("chunk %+v holds %d records", c, n)
	}
	most := limits.ChunkRecords
	if most > 0 && n > most && records[n-1].Fault != FaultTruncated {
		t.Fatalf("chunk %+v has more than %d records", c, most)
	}
	if !c.Last && c.End-c.Start < limits.ChunkBytes && n != most {
		t.Fatalf("chunk %+v ends before a limit of %+v", c, limits)
	}
}

// settings draws what must not change the records.
func settings(t *rapid.T) (Limits, bounds, int) {
	limits := Limits{
		ChunkBytes:   rapid.Int64Range(1, 120).Draw(t, "chunkBytes"),
		ChunkRecords: rapid.Int64Range(0, 4).Draw(t, "chunkRecords"),
	}
	size := bounds{
		record: rapid.SampledFrom([]int{16, 40, 64, 1000}).Draw(t, "limit"),
		buffer: rapid.SampledFrom([]int{1, 7, 32, 512}).Draw(t, "buffer"),
	}
	return limits, size, rapid.SampledFrom([]int{1, 3, 1 << 20}).Draw(t, "step")
}

// pieces draws a text made of the given pieces.
func pieces(t *rapid.T, choices []string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(choices), 0, 60).Draw(t, "pieces"), "")
}

var csvPieces = []string{
	`"`, `"`, `""`, `"""`, ",", ",", "\n", "\n", "\r\n", "\r", "x", "é", "\xff", "\xc3", "\x00", " ",
	"1,2,3\n", "1,2,3\r\n", "\"1\",\"2\",\"3\"\n", "\"a\nb\",2,3\n", "\"a\r\nb\",\"c\"\"d\",3\r\n", "1,2\n", "\n\n",
	strings.Repeat("y", 15), "\n" + strings.Repeat("y", 16), "\n" + strings.Repeat("y", 17) + "\r\n", strings.Repeat("y", 40), strings.Repeat("z\n", 30), strings.Repeat("long,", 20),
}

func TestCSVProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits, size, step := settings(t)
		head := rapid.SampledFrom([]string{"b,a,c\n", "\xEF\xBB\xBFb,a,c\r\n", "\n\r\n\"b\",a,\"c\"\n", "b,a,c"}).Draw(t, "head")
		text := pieces(t, csvPieces)
		if !strings.HasSuffix(head, "\n") && text != "" {
			head += "\n"
		}
		checkCSV(t, head, text, limits, size, step)
	})
}

// checkCSV compares with the plain reader.
func checkCSV(t fatal, head, text string, limits Limits, size bounds, step int) {
	t.Helper()
	data := []byte(head + text)
	line := int64(1 + strings.Count(head, "\n"))
	want := plainCSV(data, len(head), line, filePlaces, size.record)
	checkFile(t, data, Layout{Format: CSV, Columns: testColumns}, limits, size, step, len(head), want)
}

var jsonPieces = []string{
	`{`, `}`, `[`, `]`, `,`, `,`, `:`, `"`, `"`, `\`, ` `, "\n", `x`, `1`, `-0.5e+3`, `01`, `true`, `null`, "\xff", "\x00", "é",
	`{"a":1,"b":"x"},`, `{"b":null,"c":true},`, `{"a":"q\"q\u0041\ud83d\ude00","c":""},`, `{"a":"\ud800"},`, `{"a":"\u0000"},`,
	`{"a":1,"a":2},`, `{"z":1},`, `{"a":{"k":[1,"]"]}},`, `{"a":tru},`, `{"a":"x"y"},`, `{"\u0061":"`, `{},`, `"a":1`, `"a"`,
	`{"a":"` + strings.Repeat("w", 30) + `"},`, strings.Repeat(" ", 50), strings.Repeat("[", 20), "{\"a\":\n \"two\nlines\"},\r\n",
	"{\"a\":7}\n", "{\"b\":8}\r\n", "[1]\n", "\n\n", "\r",
}

func TestJSONProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits, size, step := settings(t)
		head := rapid.SampledFrom([]string{"", "\xEF\xBB\xBF", " \n"}).Draw(t, "head")
		text := "[" + pieces(t, jsonPieces) + rapid.SampledFrom([]string{"", "]", "{\"a\":1}]", "{\"a\":1}] \n", "]]"}).Draw(t, "end")
		checkJSON(t, head, text, limits, size, step)
	})
}

func checkJSON(t fatal, head, text string, limits Limits, size bounds, step int) {
	t.Helper()
	if looksWide(head + text) {
		return
	}
	want := plainJSON([]byte(text), testColumns, size.record)
	checkFile(t, []byte(head+text), Layout{Format: JSON, Columns: testColumns}, limits, size, step, len(head), want)
}

// looksWide tells whether a file looks like UTF-16, which has a test of its own.
func looksWide(text string) bool {
	return strings.HasPrefix(text, "\xff\xfe") || strings.Count(text[:min(4, len(text))], "\x00") >= 2
}

func TestJSONLinesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits, size, step := settings(t)
		head := rapid.SampledFrom([]string{"", "\xEF\xBB\xBF"}).Draw(t, "head")
		checkJSONL(t, head, pieces(t, jsonPieces), limits, size, step)
	})
}

func checkJSONL(t fatal, head, text string, limits Limits, size bounds, step int) {
	t.Helper()
	if looksWide(head + text) {
		return
	}
	want := plainJSONL([]byte(text), testColumns, size.record)
	checkFile(t, []byte(head+text), Layout{Format: JSONL, Columns: testColumns}, limits, size, step, len(head), want)
}

// TestFaultStaysAlone puts faulty records between good ones. What each record is
// worth is known from the way it was made, not from any reader.
func TestFaultStaysAlone(t *testing.T) {
	good := []string{"1,2,3", `"1","2","3"`, "\"a\nb\",2,3", "\"a\r\n\r\nb\",\"say \"\"yes\"\"\",3", ",,", "é,\"à, ù\",3", "\r1,2,3"}
	faulty := map[string]Fault{
		"1,2":                                 FaultFields,
		"1,2,3,4":                             FaultFields,
		`1,x"y,3`:                             FaultQuote,
		`1,"x"y,3`:                            FaultQuote,
		"1,\"x\ny\"z,3":                       FaultQuote,
		"1,\xff,3":                            FaultEncoding,
		"1,\x00,3":                            FaultNUL,
		"1," + strings.Repeat("x", 90) + ",3": FaultSize,
		"1,\"" + strings.Repeat("x\n", 30) + "\"," + strings.Repeat("x", 90): FaultSize,
	}
	choices := append(slices.Sorted(maps.Keys(faulty)), good...)
	rapid.Check(t, func(t *rapid.T) {
		limits, size, step := settings(t)
		size.record = 80
		var file strings.Builder
		file.WriteString("b,a,c\n")
		line := int64(2)
		var lines []int64
		var faults []Fault
		for _, text := range rapid.SliceOfN(rapid.SampledFrom(choices), 1, 20).Draw(t, "records") {
			lines, faults = append(lines, line), append(faults, faulty[text])
			text += rapid.SampledFrom([]string{"\n", "\r\n", "\n\n"}).Draw(t, "end")
			file.WriteString(text)
			line += int64(strings.Count(text, "\n"))
		}
		if rapid.Bool().Draw(t, "unclosed") {
			lines, faults = append(lines, line, line+1), append(faults, FaultQuote, "")
			file.WriteString("1,\"never closed,3\n4,5,6")
		}
		checkFaults(t, file.String(), CSV, limits, size, step, lines, faults)
	})
}

// checkFaults cuts and reads a file and compares only lines and faults.
func checkFaults(t fatal, file string, format Format, limits Limits, size bounds, step int, lines []int64, faults []Fault) {
	t.Helper()
	layout := Layout{Format: format, Columns: testColumns}
	chunks, scan, err := cutAll([]byte(file), layout, limits, size, step)
	if err != nil {
		t.Fatalf("Cut(%q): %v", file, err)
	}
	var gotLines []int64
	var gotFaults []Fault
	for _, c := range chunks {
		records, err := readAll(newReader(strings.NewReader(file[c.Start:c.End]), c, layout, scan.Header, size))
		if err != nil {
			t.Fatalf("read chunk %+v of %q: %v", c, file, err)
		}
		for _, r := range records {
			gotLines, gotFaults = append(gotLines, r.Line), append(gotFaults, r.Fault)
		}
	}
	if diff := cmp.Diff(lines, gotLines) + cmp.Diff(faults, gotFaults); diff != "" {
		t.Fatalf("%q (-want +got):\n%s", file, diff)
	}
}

// TestFaultStaysAloneJSON does the same with the elements of an array, which may
// all stand on one line, and at last breaks the array.
func TestFaultStaysAloneJSON(t *testing.T) {
	good := []string{`{}`, `{"a":1,"b":"x","c":true}`, `{"c":null, "a":-1.5E+3}`, `{"a":"]},{\"\\","b":[{"a":"]"}]}`, "{\n\"b\" : \"é\"\n}"}
	faulty := map[string]Fault{
		`1`: FaultJSON, `"{}"`: FaultJSON, `null`: FaultJSON, `[{"a":1}]`: FaultJSON, `{"a":tru}`: FaultJSON, `{"a":01}`: FaultJSON,
		`{"a":1,}`: FaultJSON, `{"a" {}}`: FaultJSON, `{"a":1 2}`: FaultJSON, `{"a":"\x"}`: FaultJSON, "{\"a\":\"two\nlines\"}": FaultJSON,
		`{} {}`: FaultJSON, `{"a":[1,]}`: FaultJSON,
		`{"a":1,"a":1}`: FaultFields, `{"A":1}`: FaultFields, `{"a":"\ud800"}`: FaultEncoding, "{\"a\":\"\xff\"}": FaultEncoding,
		`{"a":"\u0000"}`: FaultNUL, "{\"a\":\"\x00\"}": FaultNUL,
		`{"a":"` + strings.Repeat("x", 90) + `"}`: FaultSize, `{"a":` + strings.Repeat(`[{"b":1}],`, 20) + `}`: FaultSize,
	}
	choices := append(slices.Sorted(maps.Keys(faulty)), good...)
	rapid.Check(t, func(t *rapid.T) {
		limits, size, step := settings(t)
		size.record = 80
		separator := rapid.SampledFrom([]string{",", ",\n", "\r\n , "}).Draw(t, "separator")
		elements := rapid.SliceOfN(rapid.SampledFrom(choices), 1, 20).Draw(t, "elements")
		var lines []int64
		var faults []Fault
		for i, text := range elements {
			lines, faults = append(lines, int64(i+1)), append(faults, faulty[text])
		}
		end := rapid.SampledFrom([]string{"]", " ]\n", "", "] x", separator + `{"a":"x"y"},{}]`, separator + `{"a":[}},{}]`, separator + `{"a":"x,{}]`}).Draw(t, "end")
		if !strings.HasPrefix(strings.TrimSpace(end), "]") || strings.HasSuffix(end, "x") {
			lines, faults = append(lines, int64(len(elements)+1)), append(faults, FaultTruncated)
			// Only the closing brace of an object proves that an element is whole.
			if last := elements[len(elements)-1]; end == "" && !strings.HasSuffix(last, "}") && !strings.HasSuffix(last, "]") {
				lines, faults = lines[:len(elements)], append(faults[:len(elements)-1], FaultTruncated)
			}
		}
		checkFaults(t, "["+strings.Join(elements, separator)+end, JSON, limits, size, step, lines, faults)
	})
}
