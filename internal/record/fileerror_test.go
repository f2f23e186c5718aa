package record

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fileFault cuts a file and returns its fault, or nil.
func fileFault(t *testing.T, text string, layout Layout) *FileError {
	t.Helper()
	_, _, err := cutAll([]byte(text), layout, Limits{ChunkRecords: 1}, defaultBounds(), 1<<20)
	fault, ok := errors.AsType[*FileError](err)
	if err != nil && !ok {
		t.Fatalf("Cut: %v", err)
	}
	if fault != nil && fault.Error() == "" {
		t.Error("the fault has no text")
	}
	return fault
}

func TestFileErrors(t *testing.T) {
	because := func(reason Reason) *FileError { return &FileError{Reason: reason} }
	array := func(reason Reason, element, offset int64) *FileError {
		return &FileError{Reason: reason, Element: element, Offset: offset}
	}
	tests := []struct {
		name   string
		format Format
		text   string
		want   *FileError // nil: the file is taken
	}{
		{"no bytes", CSV, "", because(ReasonEmpty)},
		{"byte order mark alone", CSV, "\xEF\xBB\xBF", because(ReasonEmpty)},
		{"blank lines alone", CSV, "\r\n\n", because(ReasonEmpty)},
		{"header alone", CSV, "a,b,c", nil},
		{"other order", CSV, "c,a,b\n1,2,3\n", nil},
		{"quoted names", CSV, "\"a\",b,\"c\"\r\n", nil},
		{"UTF-16 with mark", CSV, "\xFF\xFEa\x00,\x00", because(ReasonEncoding)},
		{"UTF-16 big-endian", CSV, "\xFE\xFF\x00a", because(ReasonEncoding)},
		{"UTF-16 without mark", CSV, "a\x00,\x00b\x00", because(ReasonEncoding)},
		{"UTF-32", CSV, "\x00\x00\xFE\xFF\x00\x00\x00a", because(ReasonEncoding)},
		{"UTF-16 in JSON Lines", JSONL, "{\x00}\x00", because(ReasonEncoding)},
		{"NUL in the header", CSV, "a,b,c\x00\n", because(ReasonEncoding)},
		{"header in another encoding", CSV, "a,b,c\xe9\n", because(ReasonEncoding)},
		{"header with a stray quote", CSV, "a,b\",c\n", because(ReasonFormat)},
		{"header with a line end in quotes", CSV, "a,\"b\n\",c\n", because(ReasonFormat)},
		{"header that opens a quote", CSV, "\"a,b,c\n1,2,3\n", because(ReasonFormat)},
		{"CR alone", CSV, "a,b,c\r1,2,3\r4,5,6\r", because(ReasonLineEnds)},
		{"CR alone, in another encoding", CSV, "a,b,c\r1,\xe9,3\r", because(ReasonLineEnds)},
		{"CR alone, 2 MB", CSV, "a,b,c\r" + strings.Repeat("1,\"2\",3\r", 1<<18), because(ReasonLineEnds)},
		{"two CR and LF", CSV, "a,b,c\r\r\n1,2,3\r\r\n", because(ReasonLineEnds)},
		{"CR behind the header", CSV, "a,b,c\n1,2,3\r4,5,6\r", because(ReasonCRLines)},
		{"CR behind the header, quoted", CSV, "a,b,c\n1,\"2\",3\r4,\"5\",\"6\"\r", because(ReasonCRLines)},
		{"CR behind the header, 2 MB", CSV, "a,b,c\n" + strings.Repeat("1,2,3\r", 1<<19), because(ReasonCRLines)},
		{"CR but for some lines", CSV, "a,b,c\r\n1,2,3\r4,5,6\r\n7,8,9\r1,2,3\r\n\r\n", because(ReasonCRLines)},
		{"CR and a sound line", CSV, "a,b,c\n1,2,3\r4,5,6\n7,8,9\n", nil},
		{"CR in a record that is faulty", CSV, "a,b,c\n1,2\r2,3,4\n", nil},
		{"CR and a faulty line", CSV, "a,b,c\n1,2\r1,2,3\r4,5,6\n", because(ReasonCRLines)},
		{"CR in quotes", CSV, "a,b,c\n1,\"2\r2\"\n", nil},
		{"CR at the end", CSV, "a,b,c\n1,2\r", nil},
		{"CR in JSON Lines", JSONL, "{\"a\":1}\r{\"a\":2}\r", because(ReasonCRLines)},
		{"CR in JSON Lines, and a line end", JSONL, "\xEF\xBB\xBF{\"a\":1} \r {\"a\":NaN}\r\n", because(ReasonCRLines)},
		{"CR in JSON Lines, 2 MB", JSONL, strings.Repeat("{\"a\":1}\r", 1<<18), because(ReasonCRLines)},
		{"CR in JSON Lines but for some", JSONL, "{\"a\":1}\r{\"a\":2}\n{\"a\":3}\r{\"a\":4}\n", because(ReasonCRLines)},
		{"CR in JSON Lines and a sound line", JSONL, "{\"a\":1}\r{\"a\":2}\n{\"a\":3}\n", nil},
		{"CR in an object", JSONL, "{\r\"a\":1\r}\r", nil},
		{"CR in a broken object", JSONL, "{\r\"a\":1,\r}\r", nil},
		{"CR in an array", JSON, "[{\"a\":1},\r{\"a\":2}\r{\"a\":3}]", nil},
		{"endless header", CSV, strings.Repeat("a,", MaxBytes), because(ReasonHeaderLength)},
		{"long header", CSV, "a,b,c," + strings.Repeat("x", 1100) + "\n", because(ReasonHeaderLength)},
		{"long header in another encoding", CSV, "a,b,c," + strings.Repeat("\xe9", 1100) + "\n", because(ReasonHeaderLength)},

		{"gzip", CSV, "\x1f\x8b\x08\x00", because(ReasonCompressed)},
		{"zip", JSON, "PK\x03\x04\x14\x00", because(ReasonCompressed)},
		{"zip without a file", JSONL, "PK\x05\x06\x00", because(ReasonCompressed)},
		{"bzip2", JSONL, "BZh91AY&SY\x00", because(ReasonCompressed)},
		{"bzip2 of nothing", CSV, "BZh9\x17rE8P\x90\x00\x00\x00\x00", because(ReasonCompressed)},
		{"xz", JSON, "\xfd7zXZ\x00", because(ReasonCompressed)},
		{"zstd", JSONL, "\x28\xb5\x2f\xfd\x00", because(ReasonCompressed)},
		{"7z", CSV, "7z\xbc\xaf\x27\x1c", because(ReasonCompressed)},
		{"a name that starts like bzip2", CSV, "BZh9,b,c\n", &FileError{Reason: ReasonHeader, Missing: []string{"a"}, Hidden: []int{1}}},

		{"no bytes of JSON", JSON, " \n", because(ReasonEmpty)},
		{"empty array", JSON, "[]", nil},
		{"no elements", JSON, " [ \n] ", nil},
		{"object in place of an array", JSON, `{"a":1}`, because(ReasonFormat)},
		{"no lines", JSONL, "\n \n", because(ReasonEmpty)},
		{"an array of one line", JSONL, `[{"a":1},{"a":2}]`, because(ReasonArray)},
		{"an array of several lines", JSONL, "\n[\n{\"a\":1},\n{\"a\":2}\n]\n", because(ReasonArray)},
		{"an array behind a line", JSONL, "{\"a\":1}\n[{\"a\":2}]\n", nil},
		{"pretty objects", JSONL, "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", because(ReasonPretty)},
		{"folded objects", JSONL, "{\"a\": 1,\r\n \"b\": [2,\r\n 3]}\r\n", because(ReasonPretty)},
		{"a first line that is cut off", JSONL, "{\"a\": 1,\n{\"a\":2}\n", nil},
		{"a first line that is cut off in a text", JSONL, "{\"a\": \"x\n{\"a\":2}\n", nil},
		{"one line that is cut off", JSONL, "{\"a\": 1,", nil},

		{"no end", JSON, `[{"a":7}`, array(ReasonCutOff, 1, 8)},
		{"no end behind a comma", JSON, "[{\"a\":7},\n", array(ReasonCutOff, 2, 10)},
		{"bracket alone", JSON, `[`, array(ReasonCutOff, 1, 1)},
		{"cut in an element", JSON, `[{"a":7},{"a":`, array(ReasonCutOff, 2, 14)},
		{"cut in a string", JSON, `[{"a":7},{"a":"x\`, array(ReasonCutOff, 2, 17)},
		{"quote missing", JSON, `[{"a":7},{"a":"x},{"a":7}]`, array(ReasonTokens, 2, 20)},
		{"quote not escaped", JSON, "\xEF\xBB\xBF[{\"a\":7},{\"a\":\"x\"y\"},{\"a\":7}]", array(ReasonTokens, 2, 20)},
		{"quote not escaped in a huge element", JSON, `[{"a":"` + strings.Repeat("x", 2*MaxBytes) + `"y"}]`, array(ReasonTokens, 1, 2*MaxBytes+8)},
		{"bracket missing", JSON, `[{"a":7},{"a":7,{"a":7}]`, array(ReasonTokens, 2, 23)},
		{"bracket too many", JSON, `[{"a":7}},{"a":7}]`, array(ReasonTokens, 1, 8)},
		{"nested too deep", JSON, "[" + strings.Repeat("[", maxDepth+1), array(ReasonTokens, 1, maxDepth+1)},
		{"text behind the array", JSON, `[{"a":7}] {"a":7}`, array(ReasonBehind, 1, 10)},
		{"two arrays", JSON, "[{\"a\":7}]\n[{\"a\":8}]", array(ReasonBehind, 1, 10)},
		{"text behind no elements", JSON, `[]]`, array(ReasonBehind, 0, 2)},
		{"NaN", JSON, `[{"a":NaN},{"a":7}]`, nil},
		{"element missing", JSON, `[{"a":7},,{"a":7}]`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, fileFault(t, tt.text, testLayout(tt.format))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// clientColumns are real ones: with them a name can be told from a value.
var clientColumns = []string{"client_id", "first_name", "email", "phone", "created_at"}

// TestHeaderNames: a fault shows a foreign name only if it can be no value.
func TestHeaderNames(t *testing.T) {
	all := clientColumns
	tests := []struct {
		name, header string
		missing      []string
		extra        []string
		unnamed      []int
		hidden       []int
	}{
		{name: "missing", header: "client_id,first_name,email,created_at", missing: []string{"phone"}},
		{name: "twice", header: "client_id,first_name,email,phone,created_at,email", extra: []string{"email"}},
		{name: "twice and missing", header: "client_id,first_name,email,email,created_at", missing: []string{"phone"}, extra: []string{"email"}},
		{name: "other case", header: "CLIENT_ID,First_Name,EMAIL,Phone,Created_At", missing: all, extra: []string{"CLIENT_ID", "First_Name", "EMAIL", "Phone", "Created_At"}},
		{name: "spaces", header: "client_id, first_name,email ,phone,created\u00a0_at", missing: []string{"first_name", "email", "created_at"}, extra: []string{" first_name", "email ", "created\u00a0_at"}},
		{name: "invisible", header: "\ufeff\ufeffclient_id,first_name,email\u200b,phone,created_at", missing: []string{"client_id", "email"}, extra: []string{"\ufeffclient_id", "email\u200b"}},
		{name: "accents", header: "client_id,first_name,émail,phone,cre\u0301ated_at", missing: []string{"email", "created_at"}, extra: []string{"émail", "cre\u0301ated_at"}},
		{name: "one edit", header: "clientid,first-name,mail,phome,craeted_at", missing: all, extra: []string{"clientid", "first-name", "mail", "phome", "craeted_at"}},
		{name: "two edits", header: "client_id,firstnam,email,phone,created_at", missing: []string{"first_name"}, hidden: []int{2}},
		{name: "an edit that may be a value", header: "client_id,first_name,email,phone,created_at4", missing: []string{"created_at"}, hidden: []int{5}},
		{name: "new column", header: "client_id,first_name,email,phone,created_at,color,_2", extra: []string{"color", "_2"}},
		{name: "new column in place of an optional one", header: "client_id,first_name,email,mobile,created_at", missing: []string{"phone"}, extra: []string{"mobile"}},
		{name: "new column in place of a required one", header: "client_id,prenom,email,phone,created_at", missing: []string{"first_name"}, hidden: []int{2}},
		{name: "new columns of which some are no identifiers", header: "client_id,first_name,email,phone,created_at,color,prix TTC,", extra: []string{"color"}, unnamed: []int{8}, hidden: []int{7}},
		{name: "too long for a name", header: strings.Join(all, ",") + "," + strings.Repeat("x", 63) + "," + strings.Repeat("y", 64), extra: []string{strings.Repeat("x", 63)}, hidden: []int{7}},
		{name: "unnamed", header: "client_id,first_name,email,phone,created_at,, ", unnamed: []int{6, 7}},
		{name: "other delimiter", header: "client_id;first_name;email;phone;created_at", missing: all, hidden: []int{1}},
		{name: "lost line end", header: "client_id,first_name,email,phone,created_at 7,Zoe,zoe@exemple.fr,+33600000001,2024", missing: []string{"created_at"}, hidden: []int{5, 6, 7, 8, 9}},
		{name: "lost line end behind an optional column", header: "client_id,first_name,email,created_at,phone 7,Zoe,zoe@exemple.fr,2024,", missing: []string{"phone"}, unnamed: []int{9}, hidden: []int{5, 6, 7, 8}},
		{name: "lost line end without a blank", header: "client_id,first_name,email,created_at,phone7,Zoe,zoe,zoe,Zoe", missing: []string{"phone"}, hidden: []int{5, 6, 7, 8, 9}},
		{name: "lost line end behind a comma", header: "client_id,first_name,email,phone,created_at,7,Zoe,Zoe,Zoe,Zoe", hidden: []int{6, 7, 8, 9, 10}},
		{name: "lost line end behind a comma, without a digit", header: "client_id,first_name,email,phone,created_at,x,Zoe,Zoe,,Zoe", unnamed: []int{9}, hidden: []int{6, 7, 8, 10}},
		{name: "lost line end before nearly a column", header: "client_id,first_name,email,phone,created_at 7,Emil,zoe@exemple.fr,,2024", missing: []string{"created_at"}, unnamed: []int{8}, hidden: []int{5, 6, 7, 9}},
		{name: "lost line end behind a comma, before nearly a column", header: "client_id,first_name,email,phone,created_at,x,Emil,Zoe,Phones,Zoe", hidden: []int{6, 7, 8, 9, 10}},
		{name: "lost line end, glued to a letter", header: "client_id,first_name,email,created_at,phonex,Zoe,Zoe,Zoe,Zoe", missing: []string{"phone"}, hidden: []int{5, 6, 7, 8, 9}},
		{name: "a value beside another case and one edit", header: "CLIENT_ID,first-name,email,phone,created_at 7", missing: []string{"client_id", "first_name", "created_at"}, extra: []string{"CLIENT_ID"}, hidden: []int{2, 5}},
		{name: "data", header: "7,Zoe,zoe@exemple.fr,+33600000001,2024-10-08", missing: all, hidden: []int{1, 2, 3, 4, 5}},
		{name: "data with a word that is a column", header: "7,Emil,email.com,Phone,emai", missing: all, hidden: []int{1, 2, 3, 4, 5}},
		{name: "keys and values", header: "client_id=7,first_name=Zoe,email=zoe@exemple.fr,phone=,created_at=", missing: all, hidden: []int{1, 2, 3, 4, 5}},
		{name: "transposed", header: "client_id,7,8,9", missing: all[1:], hidden: []int{2, 3, 4}},
		{name: "a dictionary of Python", header: "{'client_id': 7, 'first_name': 'Zoe', 'email': 'zoe@exemple.fr'}", missing: all, hidden: []int{1, 2, 3}},
	}
	layout := Layout{Format: CSV, Columns: clientColumns, Required: []bool{true, true, true, false, true}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := &FileError{Reason: ReasonHeader, Missing: tt.missing, Extra: tt.extra, Unnamed: tt.unnamed, Hidden: tt.hidden}
			got := fileFault(t, tt.header+"\n", layout)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if shown := got.Error(); strings.Contains(strings.ToLower(shown), "zoe") || strings.Contains(shown, "Emil") {
				t.Errorf("the fault shows a value: %s", got)
			}
		})
	}
}

// TestDrift: a JSON file is faulty if all its objects have a foreign member, or
// none has a required one.
func TestDrift(t *testing.T) {
	layout := Layout{Columns: clientColumns, Required: []bool{true, true, false, false, false}}
	members := func(missing, extra []string, hidden ...int) *FileError {
		return &FileError{Reason: ReasonMembers, Missing: missing, Extra: extra, Hidden: hidden}
	}
	long := strings.Repeat("z", 2000)
	tests := []struct {
		name    string
		objects []string
		want    *FileError
	}{
		{"none", []string{`{"client_id":1,"first_name":"Z"}`, `{"client_id":1}`}, nil},
		{"foreign in some", []string{`{"client_id":1,"first_name":"Z","color":1}`, `{"client_id":1}`}, nil},
		{"foreign in others", []string{`{"client_id":1,"first_name":"Z","color":1}`, `{"client_id":1,"colour":1}`}, nil},
		{"foreign in all", []string{`{"client_id":1,"color":2,"first_name":"Z"}`, `{"color":3}`}, members(nil, []string{"color"})},
		{"renamed", []string{`{"clientId":1,"first_name":"Z","email":"z"}`, `{"first_name":"Z","clientId":1,"size":1}`}, members([]string{"client_id"}, []string{"clientId"})},
		{"foreign in all that can be read", []string{`{"client_id":1,"color":2,"first_name":"Z"}`, `{"client_id":NaN}`, `7`, `{"color":1}`}, members(nil, []string{"color"})},
		{"foreign, and may be a value", []string{`{"client_id":1,"first_name":"Z","z@exemple.fr":1,"Zoe":2}`}, members(nil, nil, 3, 4)},
		{"foreign, far too long", []string{`{"client_id":1,"first_name":"Z","` + long + `":1}`, `{"` + long + `":1}`}, members(nil, nil, 3)},
		{"twice in all is no drift", []string{`{"client_id":1,"first_name":"Z","client_id":1}`}, nil},
		{"required in none", []string{`{"client_id":1,"email":"z"}`, `{"client_id":2,"phone":"z","email":""}`}, members([]string{"first_name"}, nil)},
		{"required, but null", []string{`{"client_id":1,"first_name":null}`}, nil},
		{"optional in none", []string{`{"client_id":1,"first_name":"Z"}`}, nil},
		{"wrapped", []string{`{"data":[{"client_id":1,"first_name":"Z"}]}`}, members([]string{"client_id", "first_name"}, nil, 1)},
		{"no object can be read", []string{`{"client_id":1,`, `{7}`}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			layout.Format = JSONL
			if diff := cmp.Diff(tt.want, fileFault(t, strings.Join(tt.objects, "\n")+"\n", layout)); diff != "" {
				t.Errorf("JSON Lines (-want +got):\n%s", diff)
			}
			if layout.Format = JSON; tt.name == "no object can be read" {
				return // an array of that is broken
			}
			if diff := cmp.Diff(tt.want, fileFault(t, "["+strings.Join(tt.objects, ",")+"]", layout)); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDetail: the detail of a record with other fields names or counts them.
func TestDetail(t *testing.T) {
	sound := `{"client_id":1,"first_name":"Z"}`
	tests := []struct {
		format     Format
		text, code string
	}{
		{CSV, "1,2,3,4\n", "fields found=4 expected=5"},
		{CSV, "1,\"2\n3\",4,5,6,7,8\n", "fields found=7 expected=5"},
		{CSV, "1,\"2\"x\n", "quote"},
		{JSONL, `{"client_id":1,"client_id":2,"email":"","client_id":3}`, "fields twice=client_id"},
		{JSONL, `{"client_id":1,"clientid":2,"Email":3,"zoe":4}`, "fields near=clientid,Email hidden=1 at=4"},
		{JSONL, `{"client id":1,"z@exemple.fr":2}`, "fields hidden=2 at=1,2"},
		{JSONL, `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11}`, "fields hidden=11 at=1,2,3,4,5,6,7,8,9,10"},
		{JSONL, `{"client_id":`, "json"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			layout := Layout{Format: tt.format, Columns: clientColumns}
			text, line := strings.Join(clientColumns, ",")+"\n"+tt.text, 0
			if tt.format == JSONL {
				text, line = sound+"\n"+tt.text, 1
			}
			chunks, scan, err := cutAll([]byte(text), layout, Limits{}, defaultBounds(), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			r := NewReader(strings.NewReader(text[chunks[0].Start:]), chunks[0], layout, scan.Header)
			var record *Record
			for range line + 1 {
				if record, err = r.Next(); err != nil {
					t.Fatal(err)
				}
			}
			if code := record.Code(); code != tt.code {
				t.Errorf("got %q, want %q", code, tt.code)
			}
			fault, detail := ParseCode(record.Code())
			if diff := cmp.Diff(record.Detail, detail); diff != "" || fault != record.Fault {
				t.Errorf("read as %q (-want +got):\n%s", fault, diff)
			}
		})
	}
}
