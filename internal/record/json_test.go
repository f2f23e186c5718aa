package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// abc is a JSON record without fault.
func abc(line int64, a, b, c plainValue) plainRecord {
	return plainRecord{Line: line, Values: []plainValue{a, b, c}}
}

var none plainValue

func str(text string) plainValue  { return plainValue{text, KindString} }
func num(text string) plainValue  { return plainValue{text, KindNumber} }
func flat(text string) plainValue { return plainValue{text, KindBoolean} }
func deep(text string) plainValue { return plainValue{text, KindComposite} }

// TestObject reads one object, as a line of JSON Lines and as an element.
func TestObject(t *testing.T) {
	tests := []struct {
		name, text string
		want       plainRecord
	}{
		{"strings", `{"a":"x","b":"","c":" "}`, abc(1, str("x"), none, str(" "))},
		{"any order and space", "{ \"c\" :1 ,\t\"a\": true }", abc(1, flat("true"), none, num("1"))},
		{"absent and null", `{"b":null}`, abc(1, none, none, none)},
		{"no members", `{}`, abc(1, none, none, none)},
		{"numbers as they stand", `{"a":-0,"b":1.50,"c":1E+9}`, abc(1, num("-0"), num("1.50"), num("1E+9"))},
		{"long number", `{"a":123456789012345678901234567890.10}`, abc(1, num("123456789012345678901234567890.10"), none, none)},
		{"booleans", `{"a":true,"b":false}`, abc(1, flat("true"), flat("false"), none)},
		{"composites", `{"a":{"x" : [1]},"b":[],"c":[{"a":"]\""}]}`, abc(1, deep(`{"x" : [1]}`), deep(`[]`), deep(`[{"a":"]\""}]`))},
		{"escapes", `{"a":"\"\\\/\b\f\n\r\t","b":"\u00e9\u20AC","c":"x\ud83d\ude00y"}`, abc(1, str("\"\\/\b\f\n\r\t"), str("é€"), str("x😀y"))},
		{"escaped name", `{"\u0061":1}`, abc(1, num("1"), none, none)},
		{"high surrogate alone", `{"a":"\ud83dx"}`, bad(1, FaultEncoding, `{"a":"\ud83dx"}`)},
		{"high surrogate and no low one", `{"a":"\ud83d\u0041"}`, bad(1, FaultEncoding, `{"a":"\ud83d\u0041"}`)},
		{"low surrogate alone", `{"a":"\ude00"}`, bad(1, FaultEncoding, `{"a":"\ude00"}`)},
		{"escaped NUL", `{"a":"\u0000"}`, bad(1, FaultNUL, `{"a":"\u0000"}`)},
		{"NUL", "{\"a\":\"\x00\"}", bad(1, FaultNUL, "{\"a\":\"\x00\"}")},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", bad(1, FaultEncoding, "{\"a\":\"\xff\"}")},
		{"control character", "{\"a\":\"\t\"}", bad(1, FaultJSON, "{\"a\":\"\t\"}")},
		{"unknown member", `{"a":1,"d":2}`, bad(1, FaultFields, `{"a":1,"d":2}`)},
		{"names have a case", `{"A":1}`, bad(1, FaultFields, `{"A":1}`)},
		{"repeated member", `{"a":1,"a":1}`, bad(1, FaultFields, `{"a":1,"a":1}`)},
		{"number", `1`, bad(1, FaultJSON, `1`)},
		{"string", `"{}"`, bad(1, FaultJSON, `"{}"`)},
		{"array", `[{"a":1}]`, bad(1, FaultJSON, `[{"a":1}]`)},
		{"null", `null`, bad(1, FaultJSON, `null`)},
		{"two objects", `{} {}`, bad(1, FaultJSON, `{} {}`)},
		{"comma at the end", `{"a":1,}`, bad(1, FaultJSON, `{"a":1,}`)},
		{"no value", `{"a":}`, bad(1, FaultJSON, `{"a":}`)},
		{"no colon", `{"a"}`, bad(1, FaultJSON, `{"a"}`)},
		{"name without quotes", `{a:1}`, bad(1, FaultJSON, `{a:1}`)},
		{"unknown literal", `{"a":True}`, bad(1, FaultJSON, `{"a":True}`)},
		{"leading zero", `{"a":01}`, bad(1, FaultJSON, `{"a":01}`)},
		{"plus", `{"a":+1}`, bad(1, FaultJSON, `{"a":+1}`)},
		{"no digit behind the point", `{"a":1.}`, bad(1, FaultJSON, `{"a":1.}`)},
		{"no exponent", `{"a":1e}`, bad(1, FaultJSON, `{"a":1e}`)},
		{"NaN", `{"a":NaN}`, bad(1, FaultJSON, `{"a":NaN}`)},
		{"bad escape", `{"a":"\x"}`, bad(1, FaultJSON, `{"a":"\x"}`)},
		{"bad code", `{"a":"\u12g4"}`, bad(1, FaultJSON, `{"a":"\u12g4"}`)},
		{"bad composite", `{"a":[1,,2]}`, bad(1, FaultJSON, `{"a":[1,,2]}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Line = 2
			want := []plainRecord{abc(1, num("7"), none, none), tt.want, abc(3, num("7"), none, none)}
			lines := readWhole(t, "{\"a\":7}\n"+tt.text+"\r\n{\"a\":7}\n", Layout{Format: JSONL, Columns: testColumns})
			if diff := cmp.Diff(want, lines, ignoreNames); diff != "" {
				t.Errorf("JSON Lines (-want +got):\n%s", diff)
			}
			array := readWhole(t, "[{\"a\":7},"+tt.text+",{\"a\":7}]", Layout{Format: JSON, Columns: testColumns})
			if diff := cmp.Diff(want, array, ignoreNames); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONArray(t *testing.T) {
	seven := func(line int64) plainRecord { return abc(line, num("7"), none, none) }
	tests := []struct {
		name, text string
		want       []plainRecord
	}{
		{"no elements", " [ \n] ", nil},
		{"pretty", "[\n  {\n    \"a\": 7\n  },\n  {\n    \"a\": 7\n  }\n]\n", []plainRecord{seven(1), seven(2)}},
		{"one line", `[{"a":7},{"a":7},{"a":7}]`, []plainRecord{seven(1), seven(2), seven(3)}},
		{"byte order mark", "\xEF\xBB\xBF[{\"a\":7}]", []plainRecord{seven(1)}},
		{"element missing", `[{"a":7},,{"a":7}]`, []plainRecord{seven(1), bad(2, FaultJSON, ""), seven(3)}},
		{"comma at the end", `[{"a":7},]`, []plainRecord{seven(1), bad(2, FaultJSON, "")}},
		{"comma missing", `[{"a":7} {"a":7},{"a":7}]`, []plainRecord{bad(1, FaultJSON, `{"a":7} {"a":7}`), seven(2)}},
		{"line end in a string", "[{\"a\":\"x\ny\"},{\"a\":7}]", []plainRecord{bad(1, FaultJSON, "{\"a\":\"x\ny\"}"), seven(2)}},
		{"size", `[{"a":"` + strings.Repeat("x", MaxBytes) + `"},{"a":7}]`, []plainRecord{bad(1, FaultSize, `{"a":"`+strings.Repeat("x", MaxBytes-6)), seven(2)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := readWhole(t, tt.text, Layout{Format: JSON, Columns: testColumns})
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty(), ignoreNames); diff != "" {
				t.Errorf("(-want +got):\n%.2000s", diff)
			}
		})
	}
}

func TestJSONLines(t *testing.T) {
	seven := func(line int64) plainRecord { return abc(line, num("7"), none, none) }
	long := `{"a":"` + strings.Repeat("x", MaxBytes-8) + `"}`
	tests := []struct {
		name, text string
		want       []plainRecord
	}{
		{"LF and CRLF", "{\"a\":7}\n{\"a\":7}\r\n{\"a\":7}", []plainRecord{seven(1), seven(2), seven(3)}},
		{"blank lines", "\n \t\r\n{\"a\":7}\n\n\n{\"a\":7}\n\n", []plainRecord{seven(3), seven(6)}},
		{"space around", "  {\"a\":7}\t \r\n", []plainRecord{seven(1)}},
		{"an object over two lines is two rejects", "{\"a\":7}\n{\n\"a\":7}\n{\"a\":7}\n", []plainRecord{seven(1), bad(2, FaultJSON, "{"), bad(3, FaultJSON, "\"a\":7}"), seven(4)}},
		{"longest line", long + "\r\n{\"a\":7}", []plainRecord{abc(1, str(long[6:MaxBytes-2]), none, none), seven(2)}},
		{"a byte too long", long + " \r\n{\"a\":7}", []plainRecord{bad(1, FaultSize, long), seven(2)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := readWhole(t, tt.text, Layout{Format: JSONL, Columns: testColumns})
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty(), ignoreNames); diff != "" {
				t.Errorf("(-want +got):\n%.2000s", diff)
			}
		})
	}
}
