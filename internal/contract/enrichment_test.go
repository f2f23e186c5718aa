package contract_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
)

// TestEnrichment: everything that the small descriptor says of its source is read.
func TestEnrichment(t *testing.T) {
	t.Parallel()
	e := parse(t, small(t)).Resource("children").Enrichment
	var fields []string
	for _, f := range e.Fields {
		fields = append(fields, field(f.Field()))
	}
	if diff := cmp.Diff([]string{
		"score number >=0 <1.5 C",
		`tier string length 1..6 \A(?:[a-z]*)\z one of [gold silver]`,
		"met date from 1990-01-01 to 2100-01-01",
	}, fields); diff != "" {
		t.Errorf("fields (-want +got)\n%s", diff)
	}
	want := contract.SourceLimits{Batch: 500, CallsInFlight: 2, CallsPerSecond: 12.5, BatchTimeout: 90 * time.Second, LookupTimeout: 3 * time.Second}
	if e.Source != "people" || e.Kind != contract.KindREST || e.Limits != want {
		t.Errorf("%s %s, limits %+v", e.Source, e.Kind, e.Limits)
	}
}

// TestSOAPSource: a SOAP source has a version, by default the first.
func TestSOAPSource(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]contract.SOAPVersion{``: contract.SOAP11, `, "version": "1.1"`: contract.SOAP11, `, "version": "1.2"`: contract.SOAP12} {
		e := parse(t, strings.Replace(small(t), `"kind": "rest"`, `"kind": "soap"`+version, 1)).Resource("children").Enrichment
		if e.Kind != contract.KindSOAP || e.Version != want {
			t.Errorf("%s: %s %q", version, e.Kind, e.Version)
		}
	}
	if e := load(t).Resource("clients").Enrichment; e.Version != "" {
		t.Errorf("a REST source has version %q", e.Version)
	}
}

// TestDefaultSourceLimits: a limit that the descriptor does not set is the documented one.
func TestDefaultSourceLimits(t *testing.T) {
	t.Parallel()
	want := contract.SourceLimits{Batch: 1000, CallsInFlight: 8, BatchTimeout: time.Minute, LookupTimeout: 10 * time.Second}
	if got := load(t).Resource("clients").Enrichment.Limits; got != want {
		t.Errorf("the delivered contract has %+v", got)
	}
	text := small(t)
	from := strings.Index(text, `, "limits": {`)
	to := from + strings.Index(text[from:], "}}") + 1
	if got := parse(t, text[:from]+text[to:]).Resource("children").Enrichment.Limits; got != want {
		t.Errorf("without limits %+v", got)
	}
}

// Each row breaks what the small descriptor says of its source in one place; the error
// must name it.
func TestEnrichmentErrors(t *testing.T) {
	t.Parallel()
	const score = `"constraints": {"minimum": 0, "exclusiveMaximum": 1.5}, "etl:sensitive": "C"}`
	for _, c := range []struct {
		name, old, new  string
		field, property string
	}{
		{"a version of REST", `"kind": "rest"`, `"kind": "rest", "version": "1.1"`, "", "etl:enrichment.version"},
		{"an unknown version of SOAP", `"kind": "rest"`, `"kind": "soap", "version": "1.3"`, "", "etl:enrichment.version"},
		{"a SOAP source of two fields", `"kind": "rest", "key": ["person"]`, `"kind": "soap", "key": ["person", "code"]`, "", "etl:enrichment.key"},
		{"a database without a query", `"kind": "rest"`, `"kind": "database"`, "", "etl:enrichment.query"},
		{"an API with a query", `"kind": "rest"`, `"kind": "rest", "query": "SELECT $1"`, "", "etl:enrichment.query"},
		{"an unknown kind", `"kind": "rest"`, `"kind": "ftp"`, "", "etl:enrichment.kind"},
		{"no kind", `"kind": "rest", `, ``, "", "etl:enrichment.kind"},
		{"no source", `"source": "people"`, `"source": ""`, "", "etl:enrichment"},
		{"an unknown property", `"kind": "rest"`, `"kind": "rest", "url": "x"`, "", "etl:enrichment"},
		{"a key of no field", `"key": ["person"]`, `"key": ["x"]`, "", "etl:enrichment.key"},
		{"an optional key", `"key": ["person"], "reveal": ["person"]`, `"key": ["taken"], "reveal": []`, "taken", "etl:enrichment"},
		{"a key of two fields", `"key": ["person"]`, `"key": ["person", "code"]`, "", "etl:enrichment.key"},
		{"a key that is not revealed", `"reveal": ["person"]`, `"reveal": []`, "person", "etl:enrichment"},
		{"more is revealed", `"reveal": ["person"]`, `"reveal": ["person", "secret"]`, "secret", "etl:enrichment"},
		{"a field of the file", `"name": "score"`, `"name": "flag"`, "flag", "etl:enrichment"},
		{"a column of the table", `"name": "score"`, `"name": "person_code"`, "person_code", "etl:enrichment"},
		{"two of one name", `"name": "tier"`, `"name": "score"`, "score", "etl:enrichment"},
		{"a field of no name", `"name": "score"`, `"name": "The score"`, "The score", "etl:enrichment"},
		{"an unknown property of a field", `"etl:sensitive": "C"},` + "\n        {\"name\": \"tier\"", `"etl:sensitiv": "C"},` + "\n        {\"name\": \"tier\"", "#1", "etl:enrichment.fields"},
		{"an unknown type", `"name": "score", "type": "number"`, `"name": "score", "type": "any"`, "score", "type"},
		{"a token", score, strings.Replace(score, `"C"`, `"T"`, 1), "score", "etl:sensitive"},
		{"an unknown sensitivity", score, strings.Replace(score, `"C"`, `"c"`, 1), "score", "etl:sensitive"},
		{"a length of a number", `"minimum": 0, "exclusiveMaximum": 1.5`, `"maxLength": 3`, "score", "constraints.maxLength"},
		{"an enumeration of a number", `"minimum": 0, "exclusiveMaximum": 1.5`, `"enum": ["1"]`, "score", "constraints.enum"},
		{"a bound of a text", `"minLength": 1, "maxLength": 6`, `"minimum": 1`, "tier", "constraints.minimum"},
		{"lengths in wrong order", `"minLength": 1, "maxLength": 6`, `"minLength": 7, "maxLength": 6`, "tier", "constraints.minLength"},
		{"a bound that is no date", `"1990-01-01"`, `"1990-02-30"`, "met", "constraints.minimum"},
		{"an unknown constraint", `"exclusiveMaximum": 1.5`, `"least": 0, "exclusiveMaximum": 1.5`, "score", "constraints"},
		{"a required value", `"exclusiveMaximum": 1.5`, `"required": true, "exclusiveMaximum": 1.5`, "score", "constraints"},
		{"a unique value", `"exclusiveMaximum": 1.5`, `"unique": true, "exclusiveMaximum": 1.5`, "score", "constraints"},
		{"an unbounded integer", `"met", "type": "date", "constraints": {"minimum": "1990-01-01"}`, `"met", "type": "integer"`, "met", "constraints"},
		{"an unknown limit", `"batch": 500`, `"bulk": 500`, "", "etl:enrichment.limits"},
		{"a limit as text", `"batch": 500`, `"batch": "500"`, "", "etl:enrichment.limits"},
		{"no keys a call", `"batch": 500`, `"batch": 0`, "", "etl:enrichment.limits.batch"},
		{"too many keys a call", `"batch": 500`, `"batch": 1001`, "", "etl:enrichment.limits.batch"},
		{"half a key", `"batch": 500`, `"batch": 1.5`, "", "etl:enrichment.limits.batch"},
		{"no calls", `"callsInFlight": 2`, `"callsInFlight": 0`, "", "etl:enrichment.limits.callsInFlight"},
		{"too many calls", `"callsInFlight": 2`, `"callsInFlight": 101`, "", "etl:enrichment.limits.callsInFlight"},
		{"a negative rate", `"callsPerSecond": 12.5`, `"callsPerSecond": -1`, "", "etl:enrichment.limits.callsPerSecond"},
		{"a rate of nothing", `"callsPerSecond": 12.5`, `"callsPerSecond": 0`, "", "etl:enrichment.limits.callsPerSecond"},
		{"an excessive rate", `"callsPerSecond": 12.5`, `"callsPerSecond": 1e300`, "", "etl:enrichment.limits.callsPerSecond"},
		{"no time for a batch", `"batchTimeout": 90`, `"batchTimeout": 0`, "", "etl:enrichment.limits.batchTimeout"},
		{"more time than a function has", `"batchTimeout": 90`, `"batchTimeout": 301`, "", "etl:enrichment.limits.batchTimeout"},
		{"no time for a lookup", `"lookupTimeout": 3`, `"lookupTimeout": 0.5`, "", "etl:enrichment.limits.lookupTimeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wrong := broken(t, small(t), c.old, c.new)
			if wrong.Resource != "children" || wrong.Field != c.field || wrong.Property != c.property || wrong.Problem == "" {
				t.Errorf("error %q names %q, %q, want %q, %q", wrong, wrong.Field, wrong.Property, c.field, c.property)
			}
		})
	}
	text := strings.Replace(small(t), `"type": "number", "decimalChar": ","`, `"type": "number", "constraints": {"required": true}`, 1)
	if wrong := broken(t, text, `"key": ["person"], "reveal": ["person"]`, `"key": ["amount"], "reveal": []`); wrong.Field != "amount" || wrong.Property != "type" {
		t.Errorf("a key without canonical form: %v", wrong)
	}
	text = small(t)
	from := strings.Index(text, `"fields": [`+"\n        {\"name\": \"score\"")
	to := from + strings.Index(text[from:], "\n      ]")
	if wrong := broken(t, text, text[from:to], `"fields": [`); wrong.Property != "etl:enrichment" {
		t.Errorf("without fields: %v", wrong)
	}
}

// TestDatabaseSource: a database may have a key of several fields, and has a query with a
// parameter for each.
func TestDatabaseSource(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer(
		`"kind": "rest", "key": ["person"], "reveal": ["person"]`,
		`"kind": "database", "query": "SELECT $2, $1", "key": ["person", "other"], "reveal": ["person"]`,
		`{"name": "secret",`, `{"name": "other", "type": "integer", "constraints": {"required": true, "minimum": 0, "maximum": 9}}, {"name": "secret",`,
	).Replace(small(t))
	e := parse(t, text).Resource("children").Enrichment
	if e.Kind != contract.KindDatabase || e.Query != "SELECT $2, $1" || len(e.Key) != 2 {
		t.Errorf("%+v", e)
	}
	for _, c := range []struct{ name, query, field string }{
		{"no query", "", ""},
		{"a blank query", " \\n", ""},
		{"no parameter", "SELECT 1", "person"},
		{"no first parameter", "SELECT $2", "person"},
		{"no second parameter", "SELECT $1, $1", "other"},
		{"a parameter too many", "SELECT $1, $2, $3", ""},
		{"a parameter of no number", "SELECT $1, $2, $0", ""},
		{"a parameter of a great number", "SELECT $1, $2, $99999999999999999999", ""},
	} {
		wrong := broken(t, text, `SELECT $2, $1`, c.query)
		if wrong.Resource != "children" || wrong.Field != c.field || wrong.Property != "etl:enrichment.query" || wrong.Problem == "" {
			t.Errorf("%s: error %q names %q, %q", c.name, wrong, wrong.Field, wrong.Property)
		}
	}
}

// broken parses a descriptor that is changed in one place, and returns its error.
func broken(t *testing.T, text, old, changed string) *contract.DescriptorError {
	t.Helper()
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("%q stands %d times in the descriptor, want once", old, n)
	}
	_, err := contract.Parse([]byte(strings.Replace(text, old, changed, 1)))
	var wrong *contract.DescriptorError
	if !errors.As(err, &wrong) {
		t.Fatalf("error %v, want a *DescriptorError", err)
	}
	return wrong
}

// TestSharedSource: two resources may name one source if they describe it alike.
func TestSharedSource(t *testing.T) {
	t.Parallel()
	const limits = `"limits": {"batch": 500, "callsInFlight": 2, "callsPerSecond": 12.5, "batchTimeout": 90, "lookupTimeout": 3}`
	with := func(source, limits string) string {
		return strings.Replace(small(t), `"etl:event": "parent.reloaded",`, `"etl:event": "parent.reloaded",
			"etl:enrichment": {"source": "`+source+`", "kind": "rest", "key": ["parent_id"], "fields": [{"name": "rank", "type": "string"}]`+limits+`},`, 1)
	}
	parse(t, with("people", ", "+limits))
	parse(t, with("houses", ""))
	soap := func(version string) string {
		text := strings.ReplaceAll(with("people", ", "+limits), `"kind": "rest"`, `"kind": "soap", "version": "1.2"`)
		return strings.Replace(text, `"1.2"`, `"`+version+`"`, 1)
	}
	parse(t, soap("1.2"))
	database := strings.NewReplacer(`"kind": "rest"`, `"kind": "database", "query": "SELECT $1"`)
	parse(t, database.Replace(with("people", ", "+limits)))
	for name, text := range map[string]string{
		"other limits":  with("people", ", "+strings.Replace(limits, "500", "501", 1)),
		"no limits":     with("people", ""),
		"another kind":  strings.Replace(with("people", ", "+limits), `"kind": "rest"`, `"kind": "database", "query": "SELECT $1"`, 1),
		"another query": strings.Replace(database.Replace(with("people", ", "+limits)), "SELECT $1", "SELECT 1, $1", 1),
		"other version": soap("1.1"),
	} {
		_, err := contract.Parse([]byte(text))
		var wrong *contract.DescriptorError
		if !errors.As(err, &wrong) || wrong.Resource != "children" || wrong.Property != "etl:enrichment" || !strings.Contains(wrong.Problem, "parents") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
