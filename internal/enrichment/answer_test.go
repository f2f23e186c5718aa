package enrichment

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"etl-dataloader/internal/etl"
)

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(goodResult))
	f.Add([]byte(`{"key":"904711337","found":false}`))
	f.Add([]byte(`{"key":"904711337","error":{}}`))
	f.Add([]byte(`null`))
	source, err := NewREST(RESTConfig{URL: "http://127.0.0.1", Name: "clients", Fields: testFields, Connections: 1, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for keys, sent := range map[string][]byte{"1": sent, "2": []byte(`{"results":[` + string(sent) + "," + string(sent) + `]}`)} {
			asked := []string{secretKey, secretKey}[:keys[0]-'0']
			outcomes, err := source.outcomes(asked, sent)
			if err != nil {
				if codeOf(t, err) != CodeInvalidAnswer || outcomes != nil {
					t.Fatal(outcomes, err)
				}
				continue
			}
			if len(outcomes) != len(asked) {
				t.Fatalf("%d outcomes for %d keys", len(outcomes), len(asked))
			}
			for _, o := range outcomes {
				if (o.Status == etl.EnrichmentOK) != json.Valid(o.Values) || (o.Status == etl.EnrichmentFailed) != (o.Code != "") {
					t.Fatalf("%+v", o)
				}
			}
		}
	})
}

// The walk finds what encoding/json finds.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{
		goodResult, `{}`, `[]`, ` [ 1 , "a\"]" , { "a" : [ { } ] } , [ ] , -1.5e3 , true , null ] `,
		`{"a":1,"a":{"b":"\\"},"c":[]}`, "\n{ \"a\"\t:\r1 }", `7`, `"x"`, `[[[1]],[{}]]`, `{"results":[null]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		var elements []json.RawMessage
		_ = json.Unmarshal(text, &elements) // an object has none
		n := 0
		eachElement(text, func(element []byte) {
			if n >= len(elements) || !bytes.Equal(element, elements[n]) {
				t.Fatalf("element %d is %q", n, element)
			}
			n++
		})
		if n != len(elements) {
			t.Fatalf("%d elements instead of %d", n, len(elements))
		}

		var members map[string]json.RawMessage
		_ = json.Unmarshal(text, &members) // an array has none
		last := map[string][]byte{}
		eachMember(text, func(name, value []byte) {
			var decoded string
			if err := json.Unmarshal(name, &decoded); err != nil {
				t.Fatalf("name %q: %v", name, err)
			}
			last[decoded] = value
		})
		if len(last) != len(members) {
			t.Fatalf("%d members instead of %d", len(last), len(members))
		}
		for name, value := range members {
			if !bytes.Equal(last[name], value) {
				t.Fatalf("member %q is %q instead of %q", name, last[name], value)
			}
		}
	})
}
