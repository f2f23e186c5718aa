package enrichment

import (
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
