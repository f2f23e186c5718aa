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
	filePlaces  = []int{1, 0, 2} // in files whose header is b,a,c
)

// testLayout is of columns of which a holds no line end and is required.
func testLayout(format Format) Layout {
	return Layout{Format: format, Columns: testColumns, LineEnds: []bool{false, true, true}, Required: []bool{true, false, false}}
}

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
func cutAll(data []byte, layout Layout, limits Limits, size bounds, step int) ([]Chunk, Summary, error) {
	var chunks []Chunk
	scan, err := cut(dribble{bytes.NewReader(data), step}, layout, limits, size, func(c Chunk) error {
		chunks = append(chunks, c)
		return nil
	})
	return chunks, scan, err
}

// checkFile cuts a file, reads the chunks on their own, and compares everything
// with the records that there should be, or with the reason for which there are
// none. body is where the first chunk starts.
func checkFile(t fatal, data []byte, layout Layout, limits Limits, size bounds, step, body int, want []plainRecord, reason Reason) {
	t.Helper()
	chunks, scan, err := cutAll(data, layout, limits, size, step)
	if err != nil || reason != "" {
		fault, _ := errors.AsType[*FileError](err)
		if fault == nil || fault.Reason != reason {
			t.Fatalf("Cut(%q): %v, want reason %q", data, err, reason)
		}
		return
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
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), ignoreNames); diff != "" {
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
	if open := layout.Format != JSON && !bytes.HasSuffix(data, []byte("\n")); scan.Unterminated != open {
		t.Fatalf("Cut(%q) = %+v, want unterminated %t", data, scan, open)
	}
	if layout.Format != JSON {
		countLines(t, data, layout.Format, body, got)
	}
}

// countLines proves that every physical line is the header's, starts one record,
// continues the one before, or is blank and between records. It knows nothing of
// the format: a record continues as far as the line ends that it reports go, in
// its values or in its raw text.
func countLines(t fatal, data []byte, format Format, body int, records []plainRecord) {
	t.Helper()
	lines := bytes.SplitAfter(bytes.TrimPrefix(data, byteOrderMark), []byte("\n"))
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	header := bytes.Count(data[:body], []byte("\n"))
	if body > 0 && data[body-1] != '\n' && body == len(data) {
		header++
	}
	continued, blank, at := 0, 0, header // at: lines accounted for
	for i := 0; i <= len(records); i++ {
		next := len(lines)
		if i < len(records) {
			next = int(records[i].Line) - 1
		}
		for ; at < next; at++ {
			if len(bytes.TrimSpace(lines[at])) > 0 {
				t.Fatalf("%q: line %d belongs to no record of %+v", data, at+1, records)
			}
			blank++
		}
		if i == len(records) {
			break
		}
		if at != next {
			t.Fatalf("%q: line %d is counted twice in %+v", data, next+1, records)
		}
		at++
		if format == JSONL {
			continue
		}
		more := strings.Count(records[i].Raw, "\n")
		for _, v := range records[i].Values {
			more += strings.Count(v.Text, "\n")
		}
		if records[i].Fault == FaultSize { // the raw text does not show them all
			more = len(lines) - at
			if i+1 < len(records) {
				more = int(records[i+1].Line) - 1 - at
			}
		}
		at, continued = at+more, continued+more
	}
	if header+len(records)+continued+blank != len(lines) {
		t.Fatalf("%q: %d lines, but %d of the header, %d records, %d continued, %d blank", data, len(lines), header, len(records), continued, blank)
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
	if most > 0 && n > most {
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
	"1,2,3\n", "1,2,3\r\n", "1,2,3\r", "4,\"5\",\"6\"\r", "\"1\",\"2\",\"3\"\n", "\"a\nb\",2,3\n", "\"a\r\nb\",\"c\"\"d\",3\r\n", "1,2\n", "\n\n",
	strings.Repeat("y", 15), "\n" + strings.Repeat("y", 16), "\n" + strings.Repeat("y", 17) + "\r\n", strings.Repeat("y", 40), strings.Repeat("z\n", 30), strings.Repeat("long,", 20),
	"1,\"TV 55\"\",3\n", "\"never closed,2,3\n", "1,\"in\na number\",3\n", "\"x\n4,5,6\ny\",2\n", "\"a\\\",2,3\n", "\"\"\"\n",
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
	layout := testLayout(CSV)
	want := plainCSV(data, len(head), line, filePlaces, layout.LineEnds, size.record)
	reason := Reason("")
	if plainJoined(want, func(raw string) bool { return plainRows(raw, len(layout.Columns)) }) {
		want, reason = nil, ReasonCRLines
	}
	checkFile(t, data, layout, limits, size, step, len(head), want, reason)
}

var jsonPieces = []string{
	`{`, `}`, `[`, `]`, `,`, `,`, `:`, `"`, `"`, `\`, ` `, "\n", `x`, `1`, `-0.5e+3`, `01`, `true`, `null`, "\xff", "\x00", "é",
	`{"a":1,"b":"x"},`, `{"b":null,"c":true},`, `{"a":"q\"q\u0041\ud83d\ude00","c":""},`, `{"a":"\ud800"},`, `{"a":"\u0000"},`,
	`{"a":1,"a":2},`, `{"z":1},`, `{"a":{"k":[1,"]"]}},`, `{"a":tru},`, `{"a":"x"y"},`, `{"\u0061":"`, `{},`, `"a":1`, `"a"`,
	`{"a":"` + strings.Repeat("w", 30) + `"},`, strings.Repeat(" ", 50), strings.Repeat("[", 20), "{\"a\":\n \"two\nlines\"},\r\n",
	"{\"a\":7}\n", "{\"b\":8}\r\n", "{\"a\":7}\r", "[1]\n", "\n\n", "\r",
}

// jsonElements are the pieces that leave the tokens of an array intact.
var jsonElements = slices.DeleteFunc(slices.Clone(jsonPieces), func(piece string) bool {
	elements, _ := plainElements([]byte("[" + piece + "]"))
	return len(elements) == 0 || !strings.HasSuffix(piece, ",")
})

func TestJSONProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits, size, step := settings(t)
		head := rapid.SampledFrom([]string{"", "\xEF\xBB\xBF", " \n"}).Draw(t, "head")
		choices := jsonPieces
		if rapid.IntRange(0, 4).Draw(t, "wild") > 0 {
			choices = jsonElements
		}
		text := "[" + pieces(t, choices) + rapid.SampledFrom([]string{"", "]", "{\"a\":1}]", "{\"a\":1}] \n", "{\"b\":1}]", "]]"}).Draw(t, "end")
		checkJSON(t, head, text, limits, size, step)
	})
}

func checkJSON(t fatal, head, text string, limits Limits, size bounds, step int) {
	t.Helper()
	if looksWide(head + text) {
		return
	}
	layout := jsonLayout(JSON, step)
	want, reason := plainJSON([]byte(text), layout, size.record)
	checkFile(t, []byte(head+text), layout, limits, size, step, len(head), want, reason)
}

// jsonLayout is a layout with a required column in some of the tests only: most
// random files lack it.
func jsonLayout(format Format, step int) Layout {
	layout := testLayout(format)
	if step != 3 {
		layout.Required = nil
	}
	return layout
}

// looksWide reports whether a file looks like UTF-16, which has a test of its own.
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
	layout := jsonLayout(JSONL, step)
	want, reason := plainJSONL([]byte(text), layout, size.record)
	checkFile(t, []byte(head+text), layout, limits, size, step, len(head), want, reason)
}

// sound stands for a line that is a record without fault.
const sound = "sound"

// TestFaultStaysAlone puts faulty records between good ones. What each record is
// worth is known from the way it was made, not from any reader.
func TestFaultStaysAlone(t *testing.T) {
	good := []string{"1,2,3", `"1","2","3"`, "\"a\nb\",2,3", "\"a\r\n\r\nb\",\"say \"\"yes\"\"\",3", ",,", "é,\"à, ù\",3", "\r1,2,3"}
	faulty := map[string][]Fault{ // by line, "" being a line without a record of its own
		"1,2":                                 {FaultFields},
		"1,2,3,4":                             {FaultFields},
		`1,x"y,3`:                             {FaultQuote},
		`1,"x"y,3`:                            {FaultQuote},
		"\"x\ny\"z,2,3":                       {FaultQuote, FaultQuote},
		"1,\"x\ny\",3":                        {FaultQuote, FaultQuote}, // a holds no line end
		"1,\"x\n4,5,6":                        {FaultQuote, sound},
		`1,2,"TV 55"",4`:                      {FaultQuote},
		`"TV 55"",2,3`:                        {FaultQuote},
		`1,2,"never closed`:                   {FaultQuote},
		"\"x\ny\",2,\"never closed":           {FaultQuote, ""},
		"\"x\n4,5,6\ny\",2":                   {FaultFields, "", ""},
		"\"x\n4,5,6\ny\",2,3,\"p\n4,5,6\nq\"": {FaultFields, "", "", "", ""},
		`1,"C:\",3`:                           {sound},
		"1,\xff,3":                            {FaultEncoding},
		"1,\x00,3":                            {FaultNUL},
		"1," + strings.Repeat("x", 90) + ",3": {FaultSize},
		"\"" + strings.Repeat("x\n", 30) + "\",2," + strings.Repeat("x", 90): append([]Fault{FaultSize}, make([]Fault, 30)...),
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
			if faulty[text] == nil {
				lines, faults = append(lines, line), append(faults, "")
			}
			for i, fault := range faulty[text] {
				if fault != "" {
					lines, faults = append(lines, line+int64(i)), append(faults, Fault(strings.TrimPrefix(string(fault), sound)))
				}
			}
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
	layout := testLayout(format)
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
// all stand on one line. At last it breaks the array: the file is then faulty.
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
		lines, faults := []int64{1}, []Fault{""}
		for i, text := range elements {
			lines, faults = append(lines, int64(i+2)), append(faults, faulty[text])
		}
		file := `[{"a":1}` + separator + strings.Join(elements, separator)
		checkFaults(t, file+rapid.SampledFrom([]string{"]", " ]\n"}).Draw(t, "end"), JSON, limits, size, step, lines, faults)
		for end, reason := range map[string]Reason{
			"": ReasonCutOff, separator: ReasonCutOff, separator + `{"a":"x,{}]`: ReasonCutOff,
			"] x": ReasonBehind, "]]": ReasonBehind, "]\n[{}]": ReasonBehind,
			separator + `{"a":"x"y"},{}]`: ReasonTokens, separator + `{"a":[}},{}]`: ReasonTokens,
		} {
			_, _, err := cutAll([]byte(file+end), testLayout(JSON), limits, size, step)
			if fault, _ := errors.AsType[*FileError](err); fault == nil || fault.Reason != reason {
				t.Fatalf("Cut(%q): %v, want reason %s", file+end, err, reason)
			}
		}
	})
}
