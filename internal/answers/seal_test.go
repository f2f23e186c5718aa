package answers_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/protection"
)

// sealedFields are a public and some sensitive fields, as a contract may have them.
func sealedFields() []contract.EnrichedField {
	return []contract.EnrichedField{
		{Name: "segment", Type: contract.TypeString, Sensitive: true},
		{Name: "tier", Type: contract.TypeString},
		{Name: "risk_score", Type: contract.TypeNumber, Sensitive: true},
		{Name: "active", Type: contract.TypeBoolean, Sensitive: true},
		{Name: "orders", Type: contract.TypeInteger},
	}
}

// clearly marks what it is given instead of encrypting it.
func clearly(dst []byte, column string, plain []byte) []byte {
	return append(append(append(dst, column...), '='), plain...)
}

// TestSeal: members keep their order, and of the sensitive ones nothing is left but what
// was sealed.
func TestSeal(t *testing.T) {
	t.Parallel()
	coded := func(text string) string { return `"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"` }
	for name, c := range map[string]struct{ values, want string }{
		"all": {
			`{"segment":"é\"\\1","tier":"or \"1\"","risk_score":0.250,"active":true,"orders":12}`,
			`{"segment":` + coded(`segment=é"\1`) + `,"tier":"or \"1\"","risk_score":` + coded("risk_score=0.250") + `,"active":` + coded("active=true") + `,"orders":12}`,
		},
		"nulls":         {`{"segment":null,"tier":null,"risk_score":null,"active":null,"orders":null}`, `{"segment":null,"tier":null,"risk_score":null,"active":null,"orders":null}`},
		"another order": {`{"orders":1,"segment":""}`, `{"orders":1,"segment":` + coded("segment=") + `}`},
		"white space":   {` { "tier" : "a" , "segment" : "b" } `, `{"tier":"a","segment":` + coded("segment=b") + `}`},
		"none":          {`{}`, `{}`},
	} {
		got, err := answers.Seal([]byte("before"), sealedFields(), []byte(c.values), clearly)
		if err != nil || string(got) != "before"+c.want {
			t.Errorf("%s: %s, %v\nwant %s", name, got, err, c.want)
		}
	}
	if got, err := answers.Seal([]byte("before"), sealedFields(), nil, clearly); err != nil || string(got) != "before" {
		t.Errorf("without values: %s, %v", got, err)
	}
}

// TestSealRefuses: values that are not of the contract may be sensitive too, so they are
// an error, which shows none of them.
func TestSealRefuses(t *testing.T) {
	t.Parallel()
	for _, values := range []string{``, `null`, `[]`, `{`, `{"segment":"canari"`, `{"Segment":"canari"}`, `{"tier":{"x":"canari"}}`, `{"segment":["canari"]}`, `{"tier":"a"}{"tier":"b"}`} {
		got, err := answers.Seal([]byte("before"), sealedFields(), []byte(values), clearly)
		if err == nil || string(got) != "before" || strings.Contains(err.Error(), "canari") {
			t.Errorf("%s: %s, %v", values, got, err)
		}
	}
}

// TestSealedOpens: a sealed member opens under its field's name, in its own record alone,
// and no form of its value is in the object.
func TestSealedOpens(t *testing.T) {
	t.Parallel()
	key, err := protection.NewDataKey(7, bytes.Repeat([]byte{5}, protection.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	scope := protection.Scope{ImportID: "IMPORT_20241008_0001", Resource: "clients"}
	sealer, err := protection.NewSealer(key, scope, 3)
	if err != nil {
		t.Fatal(err)
	}
	of := protection.Record{Line: 12}
	const canary = "Segment-Canari-4711"
	sealed, err := answers.Seal(nil, sealedFields(), []byte(`{"segment":"`+canary+`","tier":"or","risk_score":0.4711,"active":null}`),
		func(dst []byte, column string, plain []byte) []byte { return sealer.Seal(dst, of, column, plain) })
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary)), "0.4711"} {
		if bytes.Contains(sealed, []byte(form)) {
			t.Errorf("a sensitive value is in the object")
		}
	}
	var members struct {
		Segment   []byte
		RiskScore []byte `json:"risk_score"`
		Tier      string
		Active    *bool
	}
	if err := json.Unmarshal(sealed, &members); err != nil {
		t.Fatal(err)
	}
	opener := protection.NewOpener(key, scope)
	var got []string
	for _, m := range []struct {
		column string
		sealed []byte
	}{{"segment", members.Segment}, {"risk_score", members.RiskScore}} {
		plain, err := opener.Open(nil, of, m.column, m.sealed)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(plain))
		for name, elsewhere := range map[string]protection.Record{"line": {Line: 13}, "key": {Line: 12, Key: []byte("k")}} {
			if _, err := opener.Open(nil, elsewhere, m.column, m.sealed); err == nil {
				t.Errorf("%s opens in a record of another %s", m.column, name)
			}
		}
		if _, err := opener.Open(nil, of, "tier", m.sealed); err == nil {
			t.Errorf("%s opens in another column", m.column)
		}
	}
	if diff := cmp.Diff([]string{canary, "0.4711"}, got); diff != "" || members.Tier != "or" || members.Active != nil {
		t.Errorf("opened (-want +got)\n%s%+v", diff, members)
	}
}
