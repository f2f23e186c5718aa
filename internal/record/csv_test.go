package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// good is a CSV record without fault; its values are in the contract's order.
func good(line int64, values ...string) plainRecord {
	r := plainRecord{Line: line}
	for _, text := range values {
		v := plainValue{Text: text}
		if text != "" {
			v.Kind = KindText
		}
		r.Values = append(r.Values, v)
	}
	return r
}

func bad(line int64, fault Fault, raw string) plainRecord {
	return plainRecord{Line: line, Fault: fault, Raw: raw}
}

// readWhole cuts a file into chunks of one record and reads them all.
func readWhole(t *testing.T, data string, layout Layout) []plainRecord {
	t.Helper()
	chunks, scan, err := cutAll([]byte(data), layout, Limits{ChunkRecords: 1}, defaultBounds(), 1<<20)
	if err != nil {
		t.Fatalf("Cut: %v", err)
	}
	var records []plainRecord
	for _, c := range chunks {
		part, err := readAll(NewReader(strings.NewReader(data[c.Start:c.End]), c, layout, scan.Header))
		if err != nil {
			t.Fatalf("read chunk %+v: %v", c, err)
		}
		records = append(records, part...)
	}
	return records
}

func TestCSV(t *testing.T) {
	tests := []struct {
		name, text string
		want       []plainRecord
	}{
		{"header alone", "", nil},
		{"LF", "1,2,3\n4,5,6\n", []plainRecord{good(2, "1", "2", "3"), good(3, "4", "5", "6")}},
		{"CRLF", "1,2,3\r\n4,5,6\r\n", []plainRecord{good(2, "1", "2", "3"), good(3, "4", "5", "6")}},
		{"no line end at the end", "1,2,3", []plainRecord{good(2, "1", "2", "3")}},
		{"CR alone is data", "1\r2,3,\r\n", []plainRecord{good(2, "1\r2", "3", "")}},
		{"CR at the end of the file is data", "1,2,3\r", []plainRecord{good(2, "1", "2", "3\r")}},
		{"two CR and LF", "1,2,3\r\r\n", []plainRecord{good(2, "1", "2", "3\r")}},
		{"blank lines", "\n\r\n1,2,3\n\n\n4,5,6\n\n", []plainRecord{good(4, "1", "2", "3"), good(7, "4", "5", "6")}},
		{"spaces are data", " 1 ,2,3\n  \n", []plainRecord{good(2, " 1 ", "2", "3"), bad(3, FaultFields, "  ")}},
		{"missing", ",\"\",3\n", []plainRecord{good(2, "", "", "3")}},
		{"quoted", `"1","a,b","say ""yes"""` + "\n", []plainRecord{good(2, "1", "a,b", `say "yes"`)}},
		{"quoted line ends count as lines", "\"a\nb\r\nc\",2,3\n4,5,6\n", []plainRecord{good(2, "a\nb\r\nc", "2", "3"), good(5, "4", "5", "6")}},
		{"quoted quotes only", `"""",2,""""""` + "\n", []plainRecord{good(2, `"`, "2", `""`)}},
		{"too few fields", "1,2\n4,5,6\n", []plainRecord{bad(2, FaultFields, "1,2"), good(3, "4", "5", "6")}},
		{"too many fields", "1,2,3,\n", []plainRecord{bad(2, FaultFields, "1,2,3,")}},
		{"stray quote opens nothing", "1,2\",3\n4,5,6\n", []plainRecord{bad(2, FaultQuote, "1,2\",3"), good(3, "4", "5", "6")}},
		{"quote behind a space is stray", "1, \"2\",3\n", []plainRecord{bad(2, FaultQuote, "1, \"2\",3")}},
		{"text after a closing quote", "1,\"2\"x,3\r\n4,5,6\n", []plainRecord{bad(2, FaultQuote, "1,\"2\"x,3"), good(3, "4", "5", "6")}},
		{"CR after a closing quote", "1,\"2\"\r,3\n", []plainRecord{bad(2, FaultQuote, "1,\"2\"\r,3")}},
		{"text after a closing quote does not quote again", "1,\"2\"x\"\n4,5,6\n", []plainRecord{bad(2, FaultQuote, "1,\"2\"x\""), good(3, "4", "5", "6")}},
		{"inch mark before a closing quote", "1,2,\"TV 55\"\"\n4,5,6\n7,8,\"9\"\n", []plainRecord{bad(2, FaultQuote, "1,2,\"TV 55\"\""), good(3, "4", "5", "6"), good(4, "7", "8", "9")}},
		{"closing quote missing", "\"1,2,3\n4,5,6\n\"7\",8,9\n", []plainRecord{bad(2, FaultQuote, "\"1,2,3"), good(3, "4", "5", "6"), good(4, "7", "8", "9")}},
		{"closing quote missing before a doubled one", "\"1,2,3\n\"\"\"4\"\"\",5,6\n", []plainRecord{bad(2, FaultQuote, "\"1,2,3"), good(3, "\"4\"", "5", "6")}},
		{"line end where none can be", "1,\"2\n\",3\n4,5,6\n", []plainRecord{bad(2, FaultQuote, "1,\"2"), bad(3, FaultQuote, "\",3"), good(4, "4", "5", "6")}},
		{"CRLF where none can be", "1,\"2\r\n3\",3\r\n4,5,6\r\n", []plainRecord{bad(2, FaultQuote, "1,\"2"), bad(3, FaultQuote, "3\",3"), good(4, "4", "5", "6")}},
		{"CR where no line end can be is data", "1,\"2\r3\",3\n", []plainRecord{good(2, "1", "2\r3", "3")}},
		{"line end beyond the last column", "1,2,3,\"x\n4,5,6\ny\"\n7,8,9\n", []plainRecord{bad(2, FaultFields, "1,2,3,\"x\n4,5,6\ny\""), good(5, "7", "8", "9")}},
		{"a field with line ends smuggles nothing in", "\"1\n4,5,6\n\",2\n7,8,9\n", []plainRecord{bad(2, FaultFields, "\"1\n4,5,6\n\",2"), good(5, "7", "8", "9")}},
		{"a slip behind a line end", "\"1\n2\",\"3\n4,5,6\n", []plainRecord{bad(2, FaultQuote, "\"1\n2\",\"3"), good(4, "4", "5", "6")}},
		{"backslash last in quotes", "\"C:\\\",2,3\n4,5,6\n", []plainRecord{good(2, "C:\\", "2", "3"), good(3, "4", "5", "6")}},
		{"backslash escapes nothing", "\"a \\\"b\\\" c\",2,3\n4,5,6\n", []plainRecord{bad(2, FaultQuote, "\"a \\\"b\\\" c\",2,3"), good(3, "4", "5", "6")}},
		{"unclosed at the end", "1,\"2,3\r\n4,5,6\n7,8,9", []plainRecord{bad(2, FaultQuote, "1,\"2,3"), good(3, "4", "5", "6"), good(4, "7", "8", "9")}},
		{"unclosed behind a quoted line end", "\"a\nb\",\"2,3\n4,5,6\n", []plainRecord{bad(2, FaultQuote, "\"a\nb\",\"2,3"), good(4, "4", "5", "6")}},
		{"a later quote does not close it", "1,\"2,3\n4,\"5\",6\n7,8,9\n", []plainRecord{bad(2, FaultQuote, "1,\"2,3"), good(3, "4", "5", "6"), good(4, "7", "8", "9")}},
		{"lone quote at the end", "\"", []plainRecord{bad(2, FaultQuote, "\"")}},
		{"invalid UTF-8", "1,\xe9,3\n4,é,6\n", []plainRecord{bad(2, FaultEncoding, "1,\xe9,3"), good(3, "4", "é", "6")}},
		{"surrogate in UTF-8", "1,\xed\xa0\x80,3\n", []plainRecord{bad(2, FaultEncoding, "1,\xed\xa0\x80,3")}},
		{"NUL", "1,\x00,3\n4,5,6\n", []plainRecord{bad(2, FaultNUL, "1,\x00,3"), good(3, "4", "5", "6")}},
		{"order of faults", "\x00\xff\"\n\x00\xff\n\xff\n", []plainRecord{bad(2, FaultQuote, "\x00\xff\""), bad(3, FaultNUL, "\x00\xff"), bad(4, FaultEncoding, "\xff")}},
	}
	layout := Layout{Format: CSV, Columns: testColumns, LineEnds: []bool{true, false, true}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := readWhole(t, "a,b,c\n"+tt.text, layout)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty(), ignoreNames); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCSVSizes(t *testing.T) {
	long := strings.Repeat("x", MaxBytes)
	lines := strings.Repeat("x\n", MaxBytes/2)
	tests := []struct {
		name, text string
		want       []plainRecord
	}{
		{"longest record", long[4:] + ",2,3", []plainRecord{good(2, long[4:], "2", "3")}},
		{"longest record and CRLF", long[4:] + ",2,3\r\n", []plainRecord{good(2, long[4:], "2", "3")}},
		{"a byte too long", long[3:] + ",2,3", []plainRecord{bad(2, FaultSize, long[3:]+",2,")}},
		{"a byte too long, and more lines", long[3:] + ",2,3\n1,2,3\n1,2,3\n", []plainRecord{bad(2, FaultSize, long[3:]+",2,"), good(3, "1", "2", "3"), good(4, "1", "2", "3")}},
		{"10 MiB", strings.Repeat(long, 10) + "\n1,2,3", []plainRecord{bad(2, FaultSize, long), good(3, "1", "2", "3")}},
		{"longest quoted field", "\"" + lines[:MaxBytes-6] + "\",2,3\n1,2,3", []plainRecord{
			{Line: 2, Values: []plainValue{{lines[:MaxBytes-6], KindText}, {"2", KindText}, {"3", KindText}}},
			good(2+MaxBytes/2-2, "1", "2", "3"),
		}},
		{"closing quote at the limit", "\"" + lines[:MaxBytes-1] + "\",2,3\n1,2,3", []plainRecord{bad(2, FaultSize, "\""+lines[:MaxBytes-1]), good(2+MaxBytes/2, "1", "2", "3")}},
		{"not closed within the limit", "1,\"" + strings.Repeat("\n", MaxBytes) + "\"\n1,2,3\n", []plainRecord{
			bad(2, FaultQuote, "1,\""), bad(2+MaxBytes, FaultQuote, "\""), good(3+MaxBytes, "1", "2", "3"),
		}},
		{"long in several quoted fields", "\"" + lines[2:] + "\",\"" + lines[2:] + "\"," + long + "\n1,2,3", []plainRecord{
			bad(2, FaultSize, "\""+lines[2:]+"\""), good(1+MaxBytes, "1", "2", "3"),
		}},
	}
	layout := Layout{Format: CSV, Columns: testColumns}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := readWhole(t, "a,b,c\n"+tt.text, layout); !cmp.Equal(tt.want, got, ignoreNames) {
				t.Errorf("got %s, want %s", brief(got), brief(tt.want))
			}
		})
	}
}

// brief shows records without their long texts.
func brief(records []plainRecord) string {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "{line %d fault %q raw %d bytes, values", r.Line, r.Fault, len(r.Raw))
		for _, v := range r.Values {
			fmt.Fprintf(&b, " %d", len(v.Text))
		}
		b.WriteString("}")
	}
	return b.String()
}

func TestCSVDialect(t *testing.T) {
	layout := Layout{Format: CSV, Delimiter: ';', Quote: '\'', Encoding: "Windows-1252", Columns: testColumns}
	text := "c;'a';b\r\n3;'l''\xe9t\xe9; \x80';\"2\"\n1;\x81;2\n"
	want := []plainRecord{good(2, "l'été; €", `"2"`, "3"), bad(3, FaultEncoding, "1;\x81;2")}
	if diff := cmp.Diff(want, readWhole(t, text, layout), ignoreNames); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLayoutFaults(t *testing.T) {
	tests := map[string]Layout{
		"no format":         {Columns: testColumns},
		"no columns":        {Format: CSV},
		"quote delimits":    {Format: CSV, Columns: testColumns, Delimiter: '"'},
		"line end delimits": {Format: CSV, Columns: testColumns, Delimiter: '\n'},
		"not ASCII":         {Format: CSV, Columns: testColumns, Quote: 0xAB},
		"line ends of some": {Format: CSV, Columns: testColumns, LineEnds: []bool{true}},
		"required of some":  {Format: JSON, Columns: testColumns, Required: []bool{true}},
		"unknown encoding":  {Format: CSV, Columns: testColumns, Encoding: "EBCDIC"},
	}
	for name, layout := range tests {
		t.Run(name, func(t *testing.T) {
			if _, _, err := cutAll([]byte("a,b,c\n1,2,3\n"), layout, Limits{}, defaultBounds(), 99); err == nil {
				t.Error("Cut took the layout")
			}
			if _, err := NewReader(strings.NewReader("1,2,3\n"), Chunk{FirstLine: 2, Last: true}, layout, testColumns).Next(); err == nil {
				t.Error("Next took the layout")
			}
		})
	}
}

// TestSlipCost counts the bytes that the splitter looks at in files made to let it
// look again and again: with its way back to the line of a slip it looks at every
// byte a few times, not more for longer files.
func TestSlipCost(t *testing.T) {
	const most = 6 // times that a byte is looked at: once for its line's end, thrice by the automaton, and back
	lines := []string{
		"\"", "\"\"", "\"\"\"", "1,\"", "1,2,\"x", "\"x", "x\"", "\"x\"y", "\"\"x", "x,\"\"\"\"", "1,2,3", "\"a\",\"", "\"a\",\"b\",\"c", "\",\"",
		strings.Repeat("\"\"", 300), strings.Repeat("\"\"", 300) + "\"", strings.Repeat("x", 700), strings.Repeat("\"a\",", 200) + "\"",
	}
	check := func(t fatal, block string, limit int) {
		data := "b,a,c\n" + strings.Repeat(block, 1+(1<<15)/len(block))
		w := newWindow(strings.NewReader(data), 4096)
		layout, err := testLayout(CSV).normalize()
		if err != nil {
			t.Fatalf("normalize: %v", err)
		}
		records, _, _, err := open(w, layout, bounds{record: limit, buffer: 4096})
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		for err == nil {
			err = records.next(new(span))
		}
		s := records.(*csvSplitter)
		if looked := s.looked + s.auto.looked; !isEnd(err) || looked > most*int64(len(data)) {
			t.Fatalf("%d bytes of %.200q, longest record %d: %d bytes looked at, %v", len(data), block, limit, looked, err)
		}
	}
	for _, line := range lines {
		for _, limit := range []int{100, 10_000, MaxBytes} {
			check(t, line+"\n", limit)
			check(t, "1,2,\"x\n"+strings.Repeat(line+"\n", 50), limit)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		block := strings.Join(rapid.SliceOfN(rapid.SampledFrom(append(lines, csvPieces...)), 1, 30).Draw(t, "lines"), rapid.SampledFrom([]string{"\n", ","}).Draw(t, "between"))
		check(t, block+"\n", rapid.SampledFrom([]int{40, 1000, MaxBytes}).Draw(t, "limit"))
	})
}
