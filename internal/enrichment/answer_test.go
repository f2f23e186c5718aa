package enrichment

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
)

var testFields = []contract.EnrichedField{
	{Name: "segment", Type: contract.TypeString, Constraints: contract.Constraints{MaxLength: 12}},
	{Name: "tier", Type: contract.TypeString, Constraints: contract.Constraints{Enum: []string{"or", "argent"}}},
	{Name: "risk_score", Type: contract.TypeNumber, Constraints: contract.Constraints{Minimum: apd.New(0, 0), Maximum: apd.New(1, 0)}},
	{Name: "orders", Type: contract.TypeInteger, Constraints: contract.Constraints{Minimum: apd.New(0, 0), ExclusiveMaximum: apd.New(1000, 0)}},
	{Name: "active", Type: contract.TypeBoolean},
	{Name: "since", Type: contract.TypeDate, Constraints: testDates},
	{Name: "seen_at", Type: contract.TypeDateTime, Constraints: testDates},
}

var testDates = contract.Constraints{
	Earliest: contract.Bound{Time: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)},
	Latest:   contract.Bound{Time: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
}

const goodResult = `{"key":"904711337","found":true,"segment":"fidèle <1>","tier":"or","risk_score":0.250,"orders":12,"active":true,` +
	`"since":"2024-10-08","seen_at":"2024-10-08T10:00:00Z","internal_id":99}`

const goodValues = `{"segment":"fidèle <1>","tier":"or","risk_score":0.250,"orders":12,"active":true,"since":"2024-10-08","seen_at":"2024-10-08T10:00:00Z"}`

func TestAnswers(t *testing.T) {
	with := func(old, replacement string) string { return strings.Replace(goodResult, old, replacement, 1) }
	values := func(old, replacement string) string { return strings.Replace(goodValues, old, replacement, 1) }
	for _, c := range []struct {
		name, sent, want string
		dropped          int
	}{
		{"found", goodResult, "ok  " + goodValues, 1},
		{"not found", `{"key":"904711337","found":false}`, "not_found  ", 0},
		{"an error for the key", `{"key":"904711337","error":"indisponible"}`, "failed record_error ", 0},
		{"an odd error for the key", `{"key":"904711337","error":{"code":7}}`, "failed record_error ", 0},
		{"a null error", with(`"found"`, `"error":null,"found"`), "ok  " + goodValues, 1},
		{"null values", with(`"fidèle <1>"`, "null"), "ok  " + values(`"fidèle <1>"`, "null"), 1},
		{"escapes", with("fidèle", `fid\u00e8le\n\"`), "ok  " + values("fidèle", `fidèle\n\"`), 1},
		{"spaces and nested members", "\n{ " + with(`"internal_id":99`, "\t\"x\" : { \"orders\" : [\"}\",\r\n{\"a\":\"\\\\\"} ] }\n")[1:] + " ", "ok  " + goodValues, 1},
		{"several unknown members", with(`"internal_id":99`, `"b":1,"a":{"b":2,"b":3},"c":null`), "ok  " + goodValues, 3},
		{"unknown members of a key that is not found", `{"key":"904711337","found":false,"reason":"x"}`, "not_found  ", 1},

		{"neither found nor not", `{"key":"904711337"}`, "failed invalid_answer ", 0},
		{"found is a text", `{"key":"904711337","found":"true"}`, "failed invalid_answer ", 0},
		{"a missing value", with(`"orders":12,`, ""), "failed invalid_answer ", 1},
		{"a value under another case", with(`"orders"`, `"Orders"`), "failed invalid_answer ", 2},
		{"a number as text", with("0.250", `"0.250"`), "failed invalid_answer ", 1},
		{"a text as number", with(`"fidèle <1>"`, "1"), "failed invalid_answer ", 1},
		{"a fraction as integer", with("12,", "12.0,"), "failed invalid_answer ", 1},
		{"an exponent as integer", with("12,", "1e1,"), "failed invalid_answer ", 1},
		{"a number as boolean", with("true,\"since", "1,\"since"), "failed invalid_answer ", 1},
		{"an object as text", with(`"fidèle <1>"`, "{}"), "failed invalid_answer ", 1},
		{"a list as text", with(`"fidèle <1>"`, "[]"), "failed invalid_answer ", 1},

		{"the least and the greatest", with("0.250", "1.000"), "ok  " + values("0.250", "1.000"), 1},
		{"a small number with an exponent", with("0.250", "1E-30"), "ok  " + values("0.250", "0."+strings.Repeat("0", 29)+"1"), 1},
		{"a zero with a vast exponent", with("0.250", "0e1999999999"), "ok  " + values("0.250", "0"), 1},
		{"a negative zero", with("12,", "-0,"), "ok  " + values("12,", "0,"), 1},
		{"a number above its bound", with("0.250", "17"), "failed invalid_answer ", 1},
		{"a number below its bound", with("0.250", "-0.1"), "failed invalid_answer ", 1},
		{"a number that no SQL type holds", with("0.250", "1e999999999"), "failed invalid_answer ", 1},
		{"a number that is nearly zero", with("0.250", "1e-999999999"), "failed invalid_answer ", 1},
		{"a very long number", with("0.250", "0."+strings.Repeat("1", 70)), "failed invalid_answer ", 1},
		{"a very long number of few digits", with("0.250", "0."+strings.Repeat("0", 70)), "failed invalid_answer ", 1},
		{"an integer at its exclusive bound", with("12,", "1000,"), "failed invalid_answer ", 1},
		{"an integer beyond 64 bits", with("12,", "9999999999999999999,"), "failed invalid_answer ", 1},
		{"a text at its length", with("fidèle <1>", strings.Repeat("é", 12)), "ok  " + values("fidèle <1>", strings.Repeat("é", 12)), 1},
		{"a text beyond its length", with("fidèle <1>", strings.Repeat("é", 13)), "failed invalid_answer ", 1},
		{"a text off its list", with(`"or"`, `"platine"`), "failed invalid_answer ", 1},
		{"a date off the calendar", with("2024-10-08", "2024-02-30"), "failed invalid_answer ", 1},
		{"a date before its bound", with("2024-10-08", "1989-12-31"), "failed invalid_answer ", 1},
		{"a time that is none", with("T10:00:00Z", ""), "failed invalid_answer ", 1},
		{"a NUL in a text", with("fidèle", `\u0000`), "failed invalid_answer ", 1},
		{"a control character in a text", with("fidèle", `\u0007`), "failed invalid_answer ", 1},
		{"half a surrogate pair", with("fidèle", `\ud83d`), "failed invalid_answer ", 1},

		{"a value twice", with(`"orders":12`, `"orders":12,"orders":12`), "failed invalid_answer ", 1},
		{"a value twice, once null", with(`"orders":12`, `"orders":null,"orders":12`), "failed invalid_answer ", 1},
		{"a value twice, once escaped", with(`"orders":12`, `"orders":12,"\u006frders":13`), "failed invalid_answer ", 1},
		{"an unknown member twice", with(`"internal_id":99`, `"a":1,"b":2,"a":3`), "failed invalid_answer ", 3},
		{"found and not", with(`"found":true`, `"found":true,"found":false`), "failed invalid_answer ", 1},
		{"two errors", `{"key":"904711337","error":"a","error":null}`, "failed invalid_answer ", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.sent == goodResult && c.name != "found" {
				t.Fatal("the row changes nothing")
			}
			source := serve(t, answer(http.StatusOK, "application/json", c.sent))
			got, err := source.Lookup(t.Context(), []string{secretKey})
			if err != nil {
				t.Fatal(err)
			}
			if o := fmt.Sprintf("%s %s %s", got[0].Status, got[0].Code, got[0].Values); o != c.want || got[0].Dropped != c.dropped {
				t.Errorf("got  %s, %d dropped\nwant %s, %d", o, got[0].Dropped, c.want, c.dropped)
			}
			if got[0].Values != nil && !json.Valid(got[0].Values) {
				t.Error("the values are no JSON")
			}
		})
	}
}

// A result belongs to the key that it names, wherever it stands. What is wrong with one
// costs its key alone its answer.
func TestBatchAnswers(t *testing.T) {
	const a, b, c = `{"key":"a","found":false}`, `{"key":"b","error":"x"}`, `{"key":"c","found":false,"more":1}`
	keys := []string{"a", "b", "c"}
	for _, test := range []struct{ name, results, want string }{
		{"in order", a + "," + b + "," + c, "not_found/0 record_error/0 not_found/1"},
		{"reordered", c + "," + a + "," + b, "not_found/0 record_error/0 not_found/1"},
		{"one is invalid", a + `,{"key":"b","found":true,"segment":7},` + c, "not_found/0 invalid_answer/0 not_found/1"},
		{"one is missing", c + "," + a, "not_found/0 no_result/0 not_found/1"},
		{"all but one are missing", b, "no_result/0 record_error/0 no_result/0"},
		{"one twice", a + "," + c + "," + b + "," + c, "not_found/0 record_error/0 invalid_answer/2"},
		{"one twice, with other values", a + `,{"key":"a","found":true},` + c + "," + b, "invalid_answer/0 record_error/0 not_found/1"},
		{"one three times", a + "," + a + "," + a, "invalid_answer/0 no_result/0 no_result/0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			source := serve(t, answer(http.StatusOK, "application/json", `{"page":1,"results":[`+test.results+`]}`))
			outcomes, err := source.Lookup(t.Context(), keys)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range outcomes {
				what := string(o.Code)
				if o.Status != etl.EnrichmentFailed {
					what = string(o.Status)
				}
				got = append(got, fmt.Sprintf("%s/%d", what, o.Dropped))
			}
			if text := strings.Join(got, " "); text != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
}

// A result for a key that was not asked shows that the source has mixed something up, and
// an answer without results answers nothing: the whole call fails.
func TestForeignAnswers(t *testing.T) {
	const a, b, c = `{"key":"a","found":false}`, `{"key":"b","found":false}`, `{"key":"c","found":false}`
	for name, sent := range map[string]string{
		"another key":         `{"results":[` + a + "," + b + "," + strings.Replace(c, `"c"`, `"d"`, 1) + `]}`,
		"a key too many":      `{"results":[` + a + "," + b + "," + c + "," + strings.Replace(c, `"c"`, `"d"`, 1) + `]}`,
		"without a key":       `{"results":[` + a + `,{"found":false},` + c + `]}`,
		"with two keys":       `{"results":[` + a + `,{"key":"b","key":"b","found":false},` + c + `]}`,
		"a number for a key":  `{"results":[` + a + `,{"key":7,"found":false},` + c + `]}`,
		"with a null":         `{"results":[` + a + `,null,` + c + `]}`,
		"with a scalar":       `{"results":[` + a + `,7,` + c + `]}`,
		"with null keys":      `{"results":[{"key":null},{"key":null},{"key":null}]}`,
		"an array":            `[` + a + "," + b + "," + c + `]`,
		"no results":          `{}`,
		"empty results":       `{"results":[]}`,
		"results that are no": `{"results":{"key":"a"}}`,
		"results twice":       `{"results":[` + a + `],"results":[` + b + `]}`,
		"an error":            `{"error":"maintenance"}`,
		"null":                `null`,
		"cut":                 `{"results":[` + a + "," + b,
		"empty":               ``,
	} {
		source := serve(t, answer(http.StatusOK, "application/json", sent))
		if got, err := source.Lookup(t.Context(), []string{"a", "b", "c"}); codeOf(t, err) != CodeInvalidAnswer || got != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, sent := range map[string]string{
		"a batch":       `{"results":[` + a + `]}`,
		"another key":   b,
		"two keys":      `{"key":"a","key":"a","found":false}`,
		"an error body": `{"error":"maintenance"}`,
		"a list":        `[` + a + `]`,
	} {
		source := serve(t, answer(http.StatusOK, "application/json", sent))
		if got, err := source.Lookup(t.Context(), []string{"a"}); codeOf(t, err) != CodeInvalidAnswer || got != nil {
			t.Errorf("one key, %s: %+v, %v", name, got, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(goodResult))
	f.Add([]byte(`{"key":"904711337","found":false}`))
	f.Add([]byte(`{"key":"904711337","error":{}}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"key":"904711338","found":false},` + goodResult))
	f.Add([]byte(strings.Replace(goodResult, "0.250", "1e999999999", 1)))
	source, err := NewREST(RESTConfig{URL: "http://127.0.0.1", Name: "clients", Fields: testFields, Connections: 1, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, asked := range [][]string{{secretKey}, {secretKey, "904711338"}} {
			body := sent
			if len(asked) > 1 {
				body = slices.Concat([]byte(`{"results":[`), sent, []byte(`]}`))
			}
			outcomes, err := source.outcomes(asked, body, len(asked) == 1)
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
				if (o.Status == etl.EnrichmentOK) != json.Valid(o.Values) || (o.Status == etl.EnrichmentFailed) != (o.Code != "") || o.Dropped < 0 {
					t.Fatalf("%+v", o)
				}
				if o.Status == etl.EnrichmentOK {
					checkValues(t, o.Values)
				}
			}
		}
	})
}

// checkValues fails the test unless the values are the contract's fields, once each, and
// the score is between its bounds.
func checkValues(t *testing.T, values []byte) {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(values, &members); err != nil || len(members) != len(testFields) {
		t.Fatalf("%d members, %v", len(members), err)
	}
	if score, ok := members["risk_score"].(float64); members["risk_score"] != nil && (!ok || score < 0 || score > 1) {
		t.Fatalf("a score of %v", members["risk_score"])
	}
}
