package validation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/validation"
)

// valid is one valid record of each resource, for files of 8 October 2024.
var valid = map[string][]string{
	"clients":      {"1", "Éva", "Dupont", "eva@example.fr", "0123456789", "+33612345678", "1984-02-29", "12 rue de la Paix", "Paris", "FR", "2024-10-08T09:30:00Z"},
	"produits":     {"1", "Lampe", "2", "3", "19.99", "EUR", "true"},
	"categories":   {"2", "Maison", "1"},
	"ventes":       {"1", "1", "1", "1", "3", "19.99", "59.97", "2024-10-08", "web"},
	"magasins":     {"1", "Centre", "Lyon", "FR", "1999-12-31"},
	"fournisseurs": {"3", "Lux SA", "contact@lux.example", "FR12345678901"},
	"stocks":       {"1", "1", "0", "2024-10-08T09:30:00+02:00"},
	"paiements":    {"1", "1", "59.97", "virement", "FR1420041010050500013M02606", "2024-10-08T09:30:00Z"},
	"retours":      {"1", "1", "1", "defaut", "2024-10-08"},
	"employes":     {"1", "Noé", "Martin", "noe@example.fr", "9876543210", "1", "2020-02-29", "2020-02-29"},
}

const maxInt, overInt = "9223372036854775807", "9223372036854775808"

// good and bad values, by resource and field; a bad one breaks the named rules
// and no other. An empty value is a missing one.
var fieldTests = []struct {
	resource, field string
	good            []string
	bad             map[string]string // value to rules, comma-separated
}{
	{
		"clients", "client_id",
		[]string{"+7", "007", overInt, strings.Repeat("9", 60)},
		map[string]string{
			"": "required", "0": "exclusiveMinimum", "-0": "exclusiveMinimum", "-1": "exclusiveMinimum", "-" + strings.Repeat("9", 60): "exclusiveMinimum",
			"1.0": "type", "1e3": "type", " 1": "type", "x": "type",
		},
	},
	{
		"clients", "first_name",
		[]string{
			"Ève Marie", "E\u0301va", "Ωμέγα", "李 小龙", "हिन्दी", " Éva ", strings.Repeat("é", 50), strings.Repeat("e\u0301", 50),
			"Anne\u00a0Marie", "Anne\u202fMarie", "山田\u3000太郎", "Anne  Marie", "क्\u200dष", "র\u200d্যাব", "می\u200cنا", "a" + strings.Repeat("\u0316", 49), "\u0958\u0958",
		},
		map[string]string{
			"": "required", " ": "required", "\u00a0": "required", "\ufeff\u200b": "required", "\u3164": "required", "\t\r\n": "required", "\u2800": "required",
			"Jean-Pierre": "pattern", "O'Neil": "pattern", "Jean2": "pattern", "J.": "pattern", "😀": "pattern", "\u0301": "pattern", "Anne\u2028Marie": "pattern",
			"Anne\tMarie": "characters,pattern", "Jean\nPaul": "characters,pattern", "Anne\u0085Marie": "characters,pattern", "Zo\ufffd": "characters,pattern",
			"Éva\u200d": "pattern", "\u200dÉva": "pattern", "Anne \u200cMarie": "pattern", "Éva\u200b": "pattern", "É\u202eva": "pattern", "\ufeffÉva": "pattern", "É\u00adva": "pattern",
			strings.Repeat("é", 51): "maxLength", strings.Repeat("e\u0301", 51): "maxLength", strings.Repeat("1", 51): "maxLength,pattern",
			strings.Repeat("\u0958", 26): "maxLength", "a" + strings.Repeat("\u0316", 50): "maxLength",
		},
	},
	{"clients", "last_name", []string{"De la Fère"}, map[string]string{"": "required", "D’Artagnan": "pattern"}},
	{
		"clients", "email",
		[]string{"a@b.c", "a.b+c@d-e.example", "zoé@exemple.fr", "a@münchen.example"},
		map[string]string{
			"": "required", " ": "required", "eva": "format", "eva@localhost": "format", " eva@example.fr": "format", "eva@example.fr\n": "characters,format",
			strings.Repeat("a", 65) + "@b.fr": "format", "eva\ufffd@b.fr": "characters,format",
		},
	},
	{
		"clients", "nif",
		[]string{"0000000000"},
		map[string]string{"": "required", "123456789": "pattern", "12345678901": "pattern", "12345678 9": "pattern", "+123456789": "pattern", "123456789a": "pattern", "１２３４５６７８９０": "pattern"},
	},
	{"clients", "phone", []string{"", "+12345678", "+123456789012345"}, map[string]string{"+1234567": "pattern", "+1234567890123456": "pattern", "0612345678": "pattern", "+33 612345678": "pattern"}},
	{
		"clients", "birth_date",
		[]string{"", "2024-10-08", "1900-01-01", "2024-02-29"},
		map[string]string{
			"2024-10-09": "birth_date_not_after_file", "2100-01-01": "birth_date_not_after_file", "9999-12-31": "birth_date_not_after_file,maximum",
			"1899-12-31": "minimum", "0001-01-01": "minimum", "2023-02-29": "type", "08/10/2024": "type", "20241008": "type", " ": "type",
		},
	},
	{
		"clients", "address",
		[]string{
			"", " ", "\u00a0", "\ufeff", "\u200b\u2060", "\f", strings.Repeat("é", 200), strings.Repeat("e\u0301", 200), strings.Repeat("😀", 200),
			"12 rue\tNeuve\r\nLyon", "1 rue\u0085Neuve", "1 rue\u2028Neuve", "רחוב\u200f 1",
		},
		map[string]string{
			strings.Repeat("é", 201): "maxLength", strings.Repeat("e\u0301", 201): "maxLength", "1 rue\fNeuve": "characters", "1\vrue": "characters", "\x00": "characters",
			"\x1b[2J": "characters", "12 rue\x7f": "characters", "12\u0080": "characters", "12\u009f": "characters", "\ufffd": "characters",
			"\b" + strings.Repeat("é", 201): "characters,maxLength",
		},
	},
	{"clients", "city", []string{strings.Repeat("à", 100), "Saint\u00a0Ouen"}, map[string]string{"": "required", "\u00a0": "required", "\ufeff": "required", strings.Repeat("à", 101): "maxLength", "Ly\bon": "characters", "Montr\ufffdal": "characters"}},
	{"clients", "country", []string{"FR", "AX", "ZW"}, map[string]string{"": "required", "fr": "enum", "FRA": "enum", "XK": "enum", "UK": "enum", " FR": "enum", "FR\n": "characters,enum", " ": "required"}},
	{
		"clients", "created_at",
		[]string{"2024-10-09T00:00:00.5+14:00", "1900-01-01T00:00:00Z", "2024-10-09T23:59:59.999999999Z", "2024-10-10T13:59:59+14:00"},
		map[string]string{
			"2024-10-10T00:00:00Z": "created_at_at_most_one_day_after_file", "2042-01-01T00:00:00Z": "created_at_at_most_one_day_after_file",
			"9999-12-31T23:59:59Z": "created_at_at_most_one_day_after_file,maximum", "9999-12-31T23:59:59.9999999Z": "type", "0001-01-01T00:00:00Z": "minimum",
			"1900-01-01T00:00:00+00:01": "minimum", "": "required", "2024-10-08": "type", "2024-10-08T09:30:00": "type", "2024-10-08 09:30:00Z": "type",
		},
	},

	{"produits", "product_id", []string{maxInt}, map[string]string{"": "required", "0": "exclusiveMinimum", overInt: "maximum", "-" + overInt + "0": "exclusiveMinimum", "1.0": "type"}},
	{"produits", "name", []string{"Lampe « Aube » n° 3"}, map[string]string{"": "required", strings.Repeat("x", 121): "maxLength"}},
	{"produits", "category_id", []string{"-" + overInt, "0"}, map[string]string{"": "required", "-9223372036854775809": "minimum", overInt: "maximum", "a": "type"}},
	{"produits", "supplier_id", []string{maxInt}, map[string]string{"": "required", overInt: "maximum", "a": "type"}},
	{
		"produits", "unit_price",
		[]string{"0", "-0.00", ".5", "5.", "1e3", "1.5E-2", strings.Repeat("9", 38), "0." + strings.Repeat("0", 37) + "1"},
		map[string]string{"": "required", "-0.01": "minimum", "-1e-38": "minimum", "1,5": "type", "NaN": "type", "INF": "type", "1e38": "type", "1e-39": "type", "1 000": "type", "12€": "type"},
	},
	{"produits", "currency", []string{"USD", "GBP", "CHF"}, map[string]string{"": "required", "JPY": "enum", "eur": "enum"}},
	{"produits", "active", []string{"True", "TRUE", "1", "false", "False", "FALSE", "0"}, map[string]string{"": "required", "oui": "type", "tRUE": "type", "yes": "type", "2": "type"}},

	{"categories", "category_id", []string{"1"}, map[string]string{"": "required", "0": "exclusiveMinimum"}},
	{"categories", "name", []string{strings.Repeat("x", 80)}, map[string]string{"": "required", strings.Repeat("x", 81): "maxLength"}},
	{"categories", "parent_category_id", []string{"", "2"}, map[string]string{"x": "type", overInt: "maximum"}},

	{"ventes", "sale_id", []string{"1"}, map[string]string{"": "required", "0": "exclusiveMinimum", overInt: "maximum"}},
	{"ventes", "client_id", []string{"0", overInt}, map[string]string{"": "required", "x": "type"}},
	{"ventes", "product_id", []string{"1"}, map[string]string{"": "required", "x": "type"}},
	{"ventes", "store_id", []string{"1"}, map[string]string{"": "required", "x": "type"}},
	{"ventes", "quantity", []string{"3", "+3", "003"}, map[string]string{"": "required", "0": "amount_equals_product,minimum", "4": "amount_equals_product", "x": "type", overInt: "maximum"}},
	{"ventes", "unit_price", []string{"19.99", "1999e-2", "19.9900"}, map[string]string{"": "required", "19.98": "amount_equals_product", "-19.99": "amount_equals_product,minimum", "x": "type"}},
	{"ventes", "amount", []string{"59.97", "59.970", "5997e-2", "+59.97"}, map[string]string{"": "required", "59.96": "amount_equals_product", "59.974": "amount_equals_product", "-59.97": "amount_equals_product,minimum", "x": "type"}},
	{"ventes", "sale_date", []string{"2024-10-08", "1900-01-01"}, map[string]string{"": "required", "2024-10-09": "sale_date_not_after_file", "1899-12-31": "minimum", "2024-10-32": "type"}},
	{"ventes", "channel", []string{"magasin", "telephone"}, map[string]string{"": "required", "téléphone": "enum", "Web": "enum"}},

	{"magasins", "store_id", []string{"1"}, map[string]string{"": "required", "0": "exclusiveMinimum"}},
	{"magasins", "name", []string{strings.Repeat("x", 80)}, map[string]string{"": "required", strings.Repeat("x", 81): "maxLength"}},
	{"magasins", "city", []string{strings.Repeat("x", 500)}, map[string]string{"": "required"}},
	{"magasins", "country", []string{"CH"}, map[string]string{"": "required", "EU": "enum"}},
	{
		"magasins", "opened_on",
		[]string{"2030-01-01", "1700-01-01", "2100-01-01"},
		map[string]string{"": "required", "2024": "type", "1699-12-31": "minimum", "0001-01-01": "minimum", "2100-01-02": "maximum", "9999-12-31": "maximum"},
	},

	{"fournisseurs", "supplier_id", []string{"1"}, map[string]string{"": "required", "-1": "exclusiveMinimum"}},
	{"fournisseurs", "name", []string{strings.Repeat("x", 120)}, map[string]string{"": "required", strings.Repeat("x", 121): "maxLength"}},
	{"fournisseurs", "contact_email", []string{"x@y.example"}, map[string]string{"": "required", "x@": "format"}},
	{"fournisseurs", "vat_number", []string{"", strings.Repeat("x", 20)}, map[string]string{strings.Repeat("x", 21): "maxLength"}},

	{"stocks", "product_id", []string{"1"}, map[string]string{"": "required", "x": "type"}},
	{"stocks", "store_id", []string{"1"}, map[string]string{"": "required", "x": "type"}},
	{"stocks", "quantity", []string{"0", maxInt}, map[string]string{"": "required", "-1": "minimum", "1.5": "type", overInt: "maximum"}},
	{"stocks", "counted_at", []string{"2024-10-08T09:30:00Z", "2100-01-01T23:59:59.999999999Z"}, map[string]string{"": "required", "2100-01-02T00:00:00Z": "maximum", "1899-12-31T23:59:59Z": "minimum", "2024-10-08": "type"}},

	{"paiements", "payment_id", []string{"1"}, map[string]string{"": "required", "0": "exclusiveMinimum"}},
	{"paiements", "sale_id", []string{"1"}, map[string]string{"": "required", "x": "type"}},
	{"paiements", "amount", []string{"0.01", "1e-38"}, map[string]string{"": "required", "0": "exclusiveMinimum", "0.00": "exclusiveMinimum", "-1": "exclusiveMinimum", "x": "type"}},
	{"paiements", "method", []string{"carte", "especes", "cheque"}, map[string]string{"": "required", "Virement": "enum", "paypal": "enum"}},
	{"paiements", "iban", []string{"DE89370400440532013000"}, map[string]string{"": "iban_required", "FR1420041010050500013M02607": "iban_valid", "FR14 2004 1010 0505 0001 3M02 606": "iban_valid", "fr1420041010050500013m02606": "iban_valid"}},
	{"paiements", "paid_at", []string{"2024-10-08T09:30:00Z"}, map[string]string{"": "required", "hier": "type"}},

	{"retours", "return_id", []string{"1"}, map[string]string{"": "required", "0": "exclusiveMinimum"}},
	{"retours", "sale_id", []string{"1"}, map[string]string{"": "required", "x": "type"}},
	{"retours", "quantity", []string{"1"}, map[string]string{"": "required", "0": "minimum"}},
	{"retours", "reason", []string{"erreur", "retractation", "autre"}, map[string]string{"": "required", "défaut": "enum"}},
	{"retours", "returned_on", []string{"2024-10-09"}, map[string]string{"": "required", "2100-01-02": "maximum", "2024-9-9": "type"}},

	{"employes", "employee_id", []string{overInt}, map[string]string{"": "required", "0": "exclusiveMinimum"}},
	{"employes", "first_name", []string{"Zoé"}, map[string]string{"": "required", "Jean-Luc": "pattern"}},
	{"employes", "last_name", []string{"Ça"}, map[string]string{"": "required", "X1": "pattern"}},
	{"employes", "email", []string{"a@b.c"}, map[string]string{"": "required", "@b.c": "format"}},
	{"employes", "nif", []string{"0000000000"}, map[string]string{"": "required", "1": "pattern"}},
	{"employes", "store_id", []string{"1"}, map[string]string{"": "required", "x": "type"}},
	{"employes", "hired_on", []string{"2020-02-28"}, map[string]string{"": "required", "2020-03-01": "left_on_not_before_hired_on", "2021-02-29": "type"}},
	{"employes", "left_on", []string{"", "2020-02-29", "2030-01-01"}, map[string]string{"2020-02-28": "left_on_not_before_hired_on", "9999-12-31": "maximum", "x": "type"}},
}

func TestEveryField(t *testing.T) {
	tested := map[string]bool{}
	p, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range fieldTests {
		checker, index, fields := newChecker(t, c.resource), position(t, c.resource, c.field), p.Resource(c.resource).Fields
		tested[c.resource+"."+c.field] = true
		check := func(value, want string) {
			row := slices.Clone(valid[c.resource])
			row[index] = value
			got := broken(t, checker, fieldsOf(fields, row), row)
			slices.Sort(got)
			if strings.Join(got, ",") != want {
				t.Errorf("%s.%s = %.70q: %v, want %q", c.resource, c.field, value, got, want)
			}
		}
		check(valid[c.resource][index], "")
		for _, value := range c.good {
			check(value, "")
		}
		for value, rules := range c.bad {
			check(value, rules)
		}
	}
	for _, r := range p.Resources {
		for _, f := range r.Fields {
			if !tested[r.Name+"."+f.Name] {
				t.Errorf("%s.%s has no test", r.Name, f.Name)
			}
		}
	}
}

// check returns the names of the broken rules, and sees that no text holds a
// value of the record.
func check(t *testing.T, checker *validation.Checker, row []string) []string {
	t.Helper()
	return broken(t, checker, valuesOf(row), row)
}

func broken(t *testing.T, checker *validation.Checker, values []validation.Value, row []string) []string {
	t.Helper()
	var rules []string
	checker.Check(values, func(v validation.Violation) {
		rules = append(rules, v.Rule)
		if v.Field == "" || v.Details == "" {
			t.Errorf("incomplete violation %+v", v)
		}
		for _, value := range row {
			if len(value) > 3 && len(value) < 1000 && value != maxInt && !strings.Contains("magasin telephone carte virement especes cheque defaut erreur true false", value) && strings.Contains(v.Details, value) {
				t.Errorf("the text %q holds a value of the record", v.Details)
			}
		}
	})
	return rules
}

func position(t testing.TB, resource, field string) int {
	t.Helper()
	p, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	f := p.Resource(resource).Field(field)
	if f == nil {
		t.Fatalf("%s.%s is unknown", resource, field)
	}
	return f.Index
}

// Half a cent goes up, and nothing is computed in floating point.
func TestAmount(t *testing.T) {
	checker := newChecker(t, "ventes")
	for _, c := range []struct {
		quantity, price, amount string
		valid                   bool
	}{
		{"1", "0.005", "0.01", true},
		{"1", "0.005", "0.00", false},
		{"1", "0.0049999999999999999999", "0.00", true},
		{"3", "1.115", "3.35", true}, // 3.345; in floating point 3.3449999…
		{"3", "1.115", "3.34", false},
		{"7", "0.335", "2.35", true},
		{"1", "1.005", "1.01", true},
		{"1", "1.005", "1", false},
		{"2", "2.5", "5", true},
		{"1", "1e-30", "0", true},
		{"1", "0.01", "0.010", true},
		{maxInt, "99999999999999999999999999999999999999.99", "x", false},
		{maxInt, "1000000000.25", "9223372039160618816213693951.75", true},
		{maxInt, "1000000000.25", "9223372039160618816213693951.74", false},
	} {
		row := slices.Clone(valid["ventes"])
		row[4], row[5], row[6] = c.quantity, c.price, c.amount
		if got := check(t, checker, row); (len(got) == 0) != c.valid {
			t.Errorf("%s x %s = %s: broken %v, want valid %t", c.quantity, c.price, c.amount, got, c.valid)
		}
	}
}

// The account is asked for with transfers only, and if it is there it must be
// right with any method.
func TestIBANRules(t *testing.T) {
	checker := newChecker(t, "paiements")
	for _, c := range []struct{ method, iban, want string }{
		{"carte", "", ""},
		{"especes", "DE89370400440532013000", ""},
		{"cheque", "DE89370400440532013001", "iban_valid"},
		{"virement", "", "iban_required"},
		{"virement", "DE89370400440532013001", "iban_valid"},
		{"", "", "required"}, // without a method nobody knows
	} {
		row := slices.Clone(valid["paiements"])
		row[3], row[4] = c.method, c.iban
		if got := strings.Join(check(t, checker, row), ","); got != c.want {
			t.Errorf("%s, %q: %q, want %q", c.method, c.iban, got, c.want)
		}
	}
}

// A record with many faults has them all reported, field by field, then rule by
// rule, each with its text.
func TestAllViolations(t *testing.T) {
	row := []string{"-1", "", "X1", "x", "12", "0", "2025-01-01", strings.Repeat("a", 201), strings.Repeat("a", 101), "XX", "hier"}
	var got []validation.Violation
	newChecker(t, "clients").Check(valuesOf(row), func(v validation.Violation) { got = append(got, v) })
	want := []validation.Violation{
		{"client_id", "exclusiveMinimum", "Le champ 'client_id' n'est pas strictement supérieur à 0."},
		{"first_name", "required", "Le champ 'first_name' est vide."},
		{"last_name", "pattern", "Le champ 'last_name' n'a pas la forme attendue : des lettres et des espaces."},
		{"email", "format", "Le champ 'email' n'a pas la forme d'une adresse électronique."},
		{"nif", "pattern", "Le champ 'nif' n'a pas la forme attendue : exactement 10 chiffres."},
		{"phone", "pattern", "Le champ 'phone' n'a pas la forme attendue : « + » suivi de 8 à 15 chiffres."},
		{"address", "maxLength", "Le champ 'address' dépasse 200 caractères."},
		{"city", "maxLength", "Le champ 'city' dépasse 100 caractères."},
		{"country", "enum", "Le champ 'country' n'est pas une des valeurs admises : un code pays ISO 3166-1 alpha-2."},
		{"created_at", "type", "Le champ 'created_at' n'est pas une date et heure avec fuseau (RFC 3339)."},
		{"birth_date", "birth_date_not_after_file", "La date de naissance est postérieure à la date du fichier."},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A value whose JSON kind does not fit breaks its type and nothing more, and
// rules that mention it are not checked.
func TestMistyped(t *testing.T) {
	checker := newChecker(t, "ventes")
	values := valuesOf(valid["ventes"])
	for _, i := range []int{0, 6, 7, 8} {
		values[i].Mistyped = true
	}
	values[7].Text = []byte("2030-01-01")
	var got []string
	checker.Check(values, func(v validation.Violation) { got = append(got, v.Field+" "+v.Rule) })
	if want := []string{"sale_id type", "amount type", "sale_date type", "channel type"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Nothing of a record is left for the next one.
func TestRecordsAreIndependent(t *testing.T) {
	checker := newChecker(t, "ventes")
	if got := check(t, checker, valid["ventes"]); len(got) != 0 {
		t.Fatalf("valid record: %v", got)
	}
	if got := check(t, checker, make([]string, 9)); len(got) != 9 || slices.ContainsFunc(got, func(r string) bool { return r != "required" }) {
		t.Errorf("empty record: %v", got)
	}
	if got := check(t, checker, valid["ventes"]); len(got) != 0 {
		t.Errorf("valid record after a faulty one: %v", got)
	}
}

// A rule that cannot be computed counts as broken.
func TestRuleOverflow(t *testing.T) {
	p, err := contract.Parse([]byte(`{"resources": [{"name": "t", "path": "t.csv", "etl:fileType": "t_data", "etl:load": "reload", "etl:event": "t.reloaded",
		"etl:rules": [{"name": "twice", "field": "n", "expression": "n * 2 > n || flag", "message": "Faux."}],
		"schema": {"primaryKey": "n", "fields": [{"name": "n", "type": "integer", "constraints": {"required": true, "minimum": 1, "exclusiveMaximum": 9223372036854775807}},
			{"name": "flag", "type": "boolean"}, {"name": "s", "type": "string", "constraints": {"minLength": 2, "pattern": "(?i)x+y*"}}, {"name": "d", "type": "number", "constraints": {"minimum": 0.5, "maximum": 1.5}}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := validation.NewChecker(p.Resource("t"), fileDate)
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range map[[4]string]string{
		{"1", "false", "", ""}:                                  "",
		{"1", "", "", ""}:                                       "",
		{"9223372036854775806", "false", "", ""}:                "twice",
		{"9223372036854775806", "", "", ""}:                     "",
		{maxInt, "", "", ""}:                                    "exclusiveMaximum",
		{overInt, "false", "", ""}:                              "exclusiveMaximum",
		{"1", "true", "XxyY", "0.50"}:                           "",
		{"1", "true", "x", "1.5"}:                               "minLength",
		{"1", "true", "yy", "1.5000000000000000000000001"}:      "pattern,maximum",
		{"1", "true", "xx", "0.499999999999999999999999999999"}: "minimum",
	} {
		if got := strings.Join(check(t, checker, row[:]), ","); got != want {
			t.Errorf("%v: %q, want %q", row, got, want)
		}
	}
}

func TestMalformed(t *testing.T) {
	checker := newChecker(t, "clients")
	seen := map[string]bool{}
	for _, code := range []string{"fields", "quote", "encoding", "nul", "size", "json", "unheard-of"} {
		v := checker.Malformed(code)
		if v.Field != "" || v.Rule != code || v.Details == "" || seen[v.Details] {
			t.Errorf("%s: %+v", code, v)
		}
		seen[v.Details] = true
	}
	for code, want := range map[string]string{
		"fields found=8 expected=7":                                "La ligne n'a pas les champs attendus : 8 au lieu de 7.",
		"fields twice=client_id near=adress,citi hidden=12 at=1,5": "La ligne n'a pas les champs attendus : répété : client_id ; inconnu : adress, citi ; 12 sans nom reconnu (positions 1, 5).",
		"fields hidden=1 at=3":                                     "La ligne n'a pas les champs attendus : 1 sans nom reconnu (position 3).",
	} {
		if v := checker.Malformed(code); v.Rule != "fields" || v.Details != want {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

func TestAllocations(t *testing.T) {
	checker, values := newChecker(t, "clients"), valuesOf(valid["clients"])
	if n := testing.AllocsPerRun(100, func() { checker.Check(values, func(validation.Violation) {}) }); n > 0 {
		t.Errorf("%v allocations for a valid client", n)
	}
}
