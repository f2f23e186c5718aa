package jsonscan_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"etl-dataloader/internal/jsonscan"
)

// FuzzParse: the parser accepts what encoding/json accepts, and finds the same values.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"key":"904711337","found":true,"values":{"a":[1,{}]}}`, `{}`, `[]`, ` [ 1 , "a\"]" , { "a" : [ { } ] } , [ ] , -1.5e3 , true , null ] `,
		`{"a":1,"a":{"b":"\\"},"c":[]}`, "\n{ \"a\"\t:\r1 }", `7`, `"x"`, `[[[1]],[{}]]`, `{"results":[null]}`, `{"\u0061\ud83d\ude00":"\u0000\ud800"}`,
		`[1,]`, `[1 2]`, `{"a"}`, `{"a":}`, `[01]`, `[tru]`, `"a`, `]`, `{"a":1}}`, "", `[1}`, `{"a":[}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return
		}
		var parser jsonscan.Parser
		value, ok := parser.Parse(text)
		if ok != json.Valid(text) {
			t.Fatalf("%q: valid is %v", text, ok)
		}
		if parser.Object(text, func([]byte, jsonscan.Value) {}) != (ok && value.Kind == jsonscan.Object) {
			t.Fatalf("%q: as an object", text)
		}
		if !ok {
			return
		}
		value, _ = parser.Parse(text)
		same(t, &parser, value, text)
	})
}

// same fails the test unless encoding/json finds the same value in text.
func same(t *testing.T, parser *jsonscan.Parser, value jsonscan.Value, text []byte) {
	t.Helper()
	switch value.Kind {
	case jsonscan.Object:
		members := map[string]json.RawMessage{}
		decode(t, text, &members)
		last := map[string]jsonscan.Value{}
		parser.Members(value, func(name []byte, member jsonscan.Value) { last[string(name)] = member })
		if len(last) != len(members) {
			t.Fatalf("%q: %d members instead of %d", text, len(last), len(members))
		}
		for name, member := range members {
			same(t, parser, last[name], member)
		}
	case jsonscan.Array:
		var elements []json.RawMessage
		decode(t, text, &elements)
		n := 0
		parser.Elements(value, func(element jsonscan.Value) {
			if n == len(elements) {
				t.Fatalf("%q: more than %d elements", text, n)
			}
			same(t, parser, element, elements[n])
			n++
		})
		if n != len(elements) {
			t.Fatalf("%q: %d elements instead of %d", text, n, len(elements))
		}
	case jsonscan.String:
		var decoded string
		decode(t, text, &decoded)
		if decoded != string(value.Text) {
			t.Fatalf("%q is %q instead of %q", text, value.Text, decoded)
		}
	case jsonscan.Number:
		var number json.Number
		decode(t, text, &number)
		if number.String() != string(value.Text) {
			t.Fatalf("%q is %q", text, value.Text)
		}
	case jsonscan.Boolean, jsonscan.Null:
		var word any
		decode(t, text, &word)
		if _, isBoolean := word.(bool); isBoolean != (value.Kind == jsonscan.Boolean) || (!isBoolean && word != nil) {
			t.Fatalf("%q is %q", text, value.Text)
		}
	default:
		t.Fatalf("%q has no kind", text)
	}
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}
