package contract_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"etl-dataloader/internal/contract"
)

func TestParseInteger(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "+0": 0, "7": 7, "+7": 7, "007": 7, "-007": -7,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
		"999999999999999999": 999999999999999999, "1000000000000000000": 1000000000000000000, "+999999999999999999": 999999999999999999,
		"000000000000000000000000000000000042": 42, "-0000000000000000000000": 0,
	} {
		if got, ok := contract.ParseInteger([]byte(text)); !ok || got != want {
			t.Errorf("%q: %d %t, want %d", text, got, ok, want)
		}
	}
	for text, integer := range map[string]bool{
		"9223372036854775808": true, "-9223372036854775809": true, "99999999999999999999999999": true, "18446744073709551616": true,
		"": false, "+": false, "-": false, "--1": false, "1-": false, "3.0": false, "1e3": false, "1_000": false, "1 000": false,
		" 1": false, "1 ": false, "0x1F": false, "١٢": false, "１": false, "true": false, "NaN": false,
	} {
		if got, ok := contract.ParseInteger([]byte(text)); ok {
			t.Errorf("%q: %d, want no integer of 64 bits", text, got)
		}
		if contract.IsInteger([]byte(text)) != integer {
			t.Errorf("%q: IsInteger is not %t", text, integer)
		}
	}
}

func TestParseBoolean(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "True": true, "TRUE": true, "1": true, "false": false, "False": false, "FALSE": false, "0": false} {
		if got, ok := contract.ParseBoolean([]byte(text)); !ok || got != want {
			t.Errorf("%q: %t %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "yes", "oui", "tRUE", "t", "01", "1.0", " true", "vrai"} {
		if _, ok := contract.ParseBoolean([]byte(text)); ok {
			t.Errorf("%q is taken for a boolean", text)
		}
	}
}

func TestParseDate(t *testing.T) {
	for _, text := range []string{"2024-10-08", "0001-01-01", "9999-12-31", "2024-02-29", "2000-02-29", "2023-12-31"} {
		got, ok := contract.ParseDate([]byte(text))
		if !ok || got.Format(time.DateOnly) != text || got.Location() != time.UTC {
			t.Errorf("%q: %v %t", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "2024-1-8", "2024/10/08", "20241008", "08-10-2024", "0000-01-01", "10000-01-01", "2023-02-29", "1900-02-29", "2024-02-30",
		"2024-04-31", "2024-00-10", "2024-13-01", "2024-10-00", "2024-10-32", " 2024-10-08", "2024-10-08 ", "2024-10-08T00:00:00Z", "-024-10-08", "２０24-10-08",
	} {
		if _, ok := contract.ParseDate([]byte(text)); ok {
			t.Errorf("%q is taken for a date", text)
		}
	}
}

func TestParseDateTime(t *testing.T) {
	for text, want := range map[string]string{
		"2024-10-08T12:34:56Z":              "2024-10-08T12:34:56Z",
		"2024-10-08T12:34:56+02:00":         "2024-10-08T10:34:56Z",
		"2024-10-08T00:15:00-05:30":         "2024-10-08T05:45:00Z",
		"2024-10-08T12:34:56.5Z":            "2024-10-08T12:34:56.5Z",
		"2024-10-08T12:34:56.123456789Z":    "2024-10-08T12:34:56.123456789Z",
		"2024-10-08T12:34:56.1234567891Z":   "2024-10-08T12:34:56.123456789Z",
		"0001-01-01T01:00:00+01:00":         "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z":              "9999-12-31T23:59:59Z",
		"9999-12-31T23:59:59.9999994Z":      "9999-12-31T23:59:59.9999994Z",
		"9999-12-31T23:59:59.9999999+23:59": "9999-12-31T00:00:59.9999999Z",
		"2024-10-08T12:34:56-00:00":         "2024-10-08T12:34:56Z",
		"2024-02-29T23:59:59.000000-23:59":  "2024-03-01T23:58:59Z",
	} {
		got, ok := contract.ParseDateTime([]byte(text))
		if !ok || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v %t, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "2024-10-08", "2024-10-08T12:34:56", "2024-10-08 12:34:56Z", "2024-10-08t12:34:56Z", "2024-10-08T12:34:56z",
		"2024-10-08T24:00:00Z", "2024-10-08T12:60:00Z", "2024-10-08T12:34:60Z", "2024-10-08T12:34Z", "2024-10-08T12:34:56,5Z",
		"2024-10-08T12:34:56.Z", "2024-10-08T12:34:56.5", "2024-10-08T12:34:56+0200", "2024-10-08T12:34:56+02", "2024-10-08T12:34:56+24:00",
		"2024-10-08T12:34:56+02:60", "2024-02-30T12:34:56Z", "2024-10-08T1a:34:56Z", "2024-10-08T12:34:56ZZ", "2024-10-08T12:34:56 Z",
		"0001-01-01T00:00:00+00:01", "9999-12-31T23:59:00-00:01", "9999-12-31T23:59:59.9999995Z", "9999-12-31T23:59:59.9999999999Z",
	} {
		if _, ok := contract.ParseDateTime([]byte(text)); ok {
			t.Errorf("%q is taken for a time", text)
		}
	}
}

func TestCanonical(t *testing.T) {
	p := load(t)
	integer, text := p.Resource("clients").Field("client_id"), p.Resource("clients").Field("nif")
	day, flag := p.Resource("ventes").Field("sale_date"), p.Resource("produits").Field("active")
	for _, c := range []struct {
		field    *contract.Field
		lexical  string
		want     string
		wantNone bool
	}{
		{field: integer, lexical: "7", want: "7"},
		{field: integer, lexical: "+7", want: "7"},
		{field: integer, lexical: "007", want: "7"},
		{field: integer, lexical: "-07", want: "-7"},
		{field: integer, lexical: "-0", want: "0"},
		{field: integer, lexical: "+000", want: "0"},
		{field: integer, lexical: "0098765432109876543210", want: "98765432109876543210"},
		{field: integer, lexical: "7.0", wantNone: true},
		{field: integer, lexical: "", wantNone: true},
		{field: text, lexical: "0000000007", want: "0000000007"},
		{field: text, lexical: " 7", want: " 7"},
		{field: text, lexical: "", wantNone: true},
		{field: day, lexical: "2024-10-08", want: "2024-10-08"},
		{field: day, lexical: "2024-13-08", wantNone: true},
		{field: flag, lexical: "TRUE", want: "true"},
		{field: flag, lexical: "0", want: "false"},
		{field: flag, lexical: "no", wantNone: true},
		{field: p.Resource("ventes").Field("amount"), lexical: "1", wantNone: true},
	} {
		got, ok := c.field.Canonical([]byte(c.lexical))
		if ok == c.wantNone || (ok && got != c.want) {
			t.Errorf("%s %q: %q %t, want %q", c.field.Name, c.lexical, got, ok, c.want)
		}
		if c.wantNone && got != "" {
			t.Errorf("%s %q has no canonical form, yet %q is returned", c.field.Name, c.lexical, got)
		}
	}
}

// All spellings of an integer have one canonical form, which is its own, and
// different integers have different ones.
func TestCanonicalProperty(t *testing.T) {
	field := load(t).Resource("clients").Field("client_id")
	spell := func(t *rapid.T, n int64, label string) string {
		sign, zeros := "", rapid.StringMatching("0{0,30}").Draw(t, label)
		text, negative := strings.CutPrefix(strconv.FormatInt(n, 10), "-")
		if negative {
			sign = "-"
		} else if rapid.Bool().Draw(t, label+" plus") {
			sign = "+"
		}
		return sign + zeros + text
	}
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.Int64().Draw(t, "n"), rapid.Int64Range(-3, 3).Draw(t, "m")
		first, ok1 := field.Canonical([]byte(spell(t, n, "first")))
		second, ok2 := field.Canonical([]byte(spell(t, n, "second")))
		other, ok3 := field.Canonical([]byte(spell(t, m, "other")))
		if !ok1 || !ok2 || !ok3 || first != second || first != strconv.FormatInt(n, 10) || (first == other) != (n == m) {
			t.Fatalf("%d: %q and %q; %d: %q", n, first, second, m, other)
		}
		if again, ok := field.Canonical([]byte(first)); !ok || again != first {
			t.Fatalf("%q is not its own canonical form: %q", first, again)
		}
	})
}

// Lexical tells without a value what the parsers tell with one.
func TestLexicalProperty(t *testing.T) {
	parsers := map[contract.Type]func(f *contract.Field, text []byte) bool{
		contract.TypeInteger:  func(_ *contract.Field, text []byte) bool { return contract.IsInteger(text) },
		contract.TypeNumber:   func(f *contract.Field, text []byte) bool { _, ok := f.ParseDecimal(text); return ok },
		contract.TypeBoolean:  func(_ *contract.Field, text []byte) bool { _, ok := contract.ParseBoolean(text); return ok },
		contract.TypeDate:     func(_ *contract.Field, text []byte) bool { _, ok := contract.ParseDate(text); return ok },
		contract.TypeDateTime: func(_ *contract.Field, text []byte) bool { _, ok := contract.ParseDateTime(text); return ok },
	}
	texts := rapid.OneOf(
		rapid.StringMatching(`[+-]?[0-9]{0,20}(\.[0-9]{0,4})?(e[+-]?[0-9]{1,3})?`),
		rapid.StringMatching(`(0000|0001|1900|2023|2024|9999)-(00|01|02|04|12|13)-(00|01|28|29|30|31|32)(T(00|23|24):(00|59|60):(00|59|60)(\.[0-9]{1,10})?(Z|[+-](00|01|23|24):(00|59|60)))?`),
		rapid.StringMatching(`true|False|1|0|TRUE|yes|`),
		rapid.String(),
	)
	for kind, parses := range parsers {
		f := &contract.Field{Type: kind}
		fits := f.Lexical()
		rapid.Check(t, func(t *rapid.T) {
			text := []byte(texts.Draw(t, "text"))
			if got, want := fits(text), parses(f, text); got != want {
				t.Fatalf("%s %q: %t, want %t", kind, text, got, want)
			}
		})
	}
	if (&contract.Field{Type: contract.TypeString}).Lexical() != nil {
		t.Error("a text is judged by its type")
	}
}
