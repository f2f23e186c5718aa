package contract_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
)

func small(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "small.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t testing.TB, descriptor string) *contract.Package {
	t.Helper()
	p, err := contract.Parse([]byte(descriptor))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	p := parse(t, small(t))
	parents, children := p.Resource("parents"), p.Resource("children")
	if parents.Alias != "parent_data" || parents.Delimiter != ',' || parents.Quote != '"' || parents.DecimalMark != '.' || parents.Encoding != "utf-8" || parents.EmptyAllowed {
		t.Errorf("defaults are not those of the standard: %+v", parents)
	}
	if children.Delimiter != ';' || children.Quote != '\'' || children.DecimalMark != ',' || children.Encoding != "windows-1252" || !children.EmptyAllowed {
		t.Errorf("the dialect is not read: %+v", children)
	}
	var staged []string
	for _, r := range p.Resources {
		for _, f := range r.StagedKeys() {
			staged = append(staged, r.Name+"."+f.Name)
		}
	}
	if want := []string{"parents.parent_id", "parents.stock", "children.parent_id", "children.taken"}; !slices.Equal(staged, want) {
		t.Errorf("staged keys %v, want %v", staged, want)
	}
	if len(children.Unique) != 1 {
		t.Errorf("unique keys are not read: %+v", children)
	}
	amount := children.Field("amount")
	for text, want := range map[string]string{"1234,50": "1234.50", "-1,5e1": "-15", "7": "7"} {
		got, ok := amount.DecimalText([]byte(text))
		d, parsed := amount.ParseDecimal([]byte(text))
		if !ok || !parsed || string(got) != want || d.Text('f') != want {
			t.Errorf("%q is %q and %s, want %s", text, got, d.String(), want)
		}
	}
	for _, text := range []string{"1234.50", "1.234,50", "1,2,3", ","} {
		_, ok := amount.DecimalText([]byte(text))
		_, parsed := amount.ParseDecimal([]byte(text))
		if ok || parsed {
			t.Errorf("%q is taken for a number with a decimal comma", text)
		}
	}
}

// A child may stand before its parent in the descriptor.
func TestOrderOfDescriptor(t *testing.T) {
	text := small(t)
	first := strings.Index(text, `{
      "name": "parents"`)
	second := strings.Index(text, `,
    {
      "name": "children"`)
	end := strings.LastIndex(text, "\n  ]")
	swapped := text[:first] + text[second+2:end] + ",\n" + text[first:second] + text[end:]
	order := parse(t, swapped).InDependencyOrder()
	if order[0].Name != "parents" || order[1].Name != "children" {
		t.Errorf("order %s, %s", order[0].Name, order[1].Name)
	}
}

// Each row breaks the small descriptor in one place; the error must name it.
func TestParseErrors(t *testing.T) {
	for name, c := range map[string]struct {
		old, new                  string
		resource, field, property string
	}{
		"no JSON":                    {`"name": "small",`, `"name" "small",`, "", "", ""},
		"text behind":                {"\n  ]\n}", "\n  ]\n} {}", "", "", ""},
		"unknown package property":   {`"name": "small"`, `"nam": "small"`, "", "", ""},
		"unknown resource property":  {`"etl:load": "upsert"`, `"etl:laod": "upsert"`, "#2", "", ""},
		"unknown field property":     {`"etl:target"`, `"etl:targt"`, "children", "code", ""},
		"unknown constraint":         {`"minLength": 2`, `"minlen": 2`, "children", "person", "constraints"},
		"unknown dialect property":   {`"quoteChar"`, `"escapeChar"`, "children", "", "dialect"},
		"columns may be missing":     {`"uniqueKeys"`, `"fieldsMatch": "subset", "uniqueKeys"`, "children", "", "schema.fieldsMatch"},
		"unknown budget property":    {`"etl:load": "upsert"`, `"etl:load": "upsert", "etl:budget": {"share": 1}`, "children", "", "etl:budget"},
		"negative budget":            {`"etl:load": "upsert"`, `"etl:load": "upsert", "etl:budget": {"maxRejects": -1}`, "children", "", "etl:budget"},
		"budget from without share":  {`"etl:load": "upsert"`, `"etl:load": "upsert", "etl:budget": {"shareFrom": 1}`, "children", "", "etl:budget"},
		"budget of more than all":    {`"etl:load": "upsert"`, `"etl:load": "upsert", "etl:budget": {"maxShare": 1.01}`, "children", "", "etl:budget"},
		"budget of many decimals":    {`"etl:load": "upsert"`, `"etl:load": "upsert", "etl:budget": {"maxShare": 0.0000001}`, "children", "", "etl:budget"},
		"unknown schema property":    {`"uniqueKeys"`, `"uniqKeys"`, "children", "", "schema"},
		"bad resource name":          {`"name": "children"`, `"name": "Children"`, "#2", "", "name"},
		"two resources of one name":  {`"name": "children"`, `"name": "parents"`, "parents", "", "name"},
		"two resources of one type":  {`"etl:alias": "children"`, `"etl:alias": "parent_data"`, "children", "", "etl:fileType"},
		"two resources of an event":  {`"child.upserted"`, `"parent.reloaded"`, "children", "", "etl:event"},
		"no event":                   {`"child.upserted"`, `"upserted"`, "children", "", "etl:event"},
		"no file type":               {`"child_data",` + "\n", `"child-data",` + "\n", "children", "", "etl:fileType"},
		"bad alias":                  {`"etl:alias": "children"`, `"etl:alias": "the children"`, "children", "", "etl:alias"},
		"unknown load mode":          {`"upsert"`, `"append"`, "children", "", "etl:load"},
		"unknown encoding":           {`windows-1252`, `utf-16`, "children", "", "encoding"},
		"long delimiter":             {`"delimiter": ";"`, `"delimiter": "||"`, "children", "", "dialect.delimiter"},
		"delimiter is a letter":      {`"delimiter": ";"`, `"delimiter": "x"`, "children", "", "dialect.delimiter"},
		"quote is the delimiter":     {`"quoteChar": "'"`, `"quoteChar": ";"`, "children", "", "dialect.quoteChar"},
		"no header":                  {`"quoteChar": "'"`, `"header": false`, "children", "", "dialect.header"},
		"escaped quotes":             {`"quoteChar": "'"`, `"doubleQuote": false`, "children", "", "dialect.doubleQuote"},
		"no fields":                  {`"fields": ["parent_id"], "reference"`, `"fields": [], "reference"`, "children", "", "schema.foreignKeys"},
		"field of no name":           {`{"name": "flag"`, `{"name": ""`, "children", "#9", "name"},
		"two fields of one name":     {`{"name": "flag"`, `{"name": "since"`, "children", "since", "name"},
		"bad target":                 {`"person_code"`, `"person code"`, "children", "code", "etl:target"},
		"target clash":               {`"person_code"`, `"secret"`, "children", "secret", "etl:target"},
		"target clash with token":    {`"person_code"`, `"person_token"`, "children", "code", "etl:target"},
		"target clash with ours":     {`"person_code"`, `"line_number"`, "children", "code", "etl:target"},
		"staging clash":              {`{"name": "flag"`, `{"name": "fault"`, "children", "fault", "name"},
		"staging clash with key":     {`{"name": "flag"`, `{"name": "taken_key"`, "children", "taken_key", "name"},
		"unknown type":               {`"type": "boolean"`, `"type": "geopoint"`, "children", "flag", "type"},
		"unknown format":             {`"format": "default"`, `"format": "uri"`, "children", "person", "format"},
		"format of another type":     {`"type": "boolean"`, `"type": "boolean", "format": "email"`, "children", "flag", "format"},
		"unknown decimal mark":       {`"decimalChar": ","`, `"decimalChar": "'"`, "children", "amount", "decimalChar"},
		"two decimal marks":          {`"type": "boolean"`, `"type": "number"`, "children", "flag", "decimalChar"},
		"decimal mark of a date":     {`"type": "boolean"`, `"type": "date", "decimalChar": ","`, "children", "flag", "decimalChar"},
		"unknown sensitivity":        {`"secret", "type": "string", "etl:sensitive": "C"`, `"secret", "type": "string", "etl:sensitive": "S"`, "children", "secret", "etl:sensitive"},
		"token without domain":       {`, "etl:domain": "person"`, ``, "children", "person", "etl:domain"},
		"domain without token":       {`"secret", "type": "string"`, `"secret", "type": "string", "etl:domain": "secret"`, "children", "secret", "etl:domain"},
		"token of a number":          {`"decimalChar": ","`, `"decimalChar": ",", "etl:sensitive": "T", "etl:domain": "amount"`, "children", "amount", "etl:sensitive"},
		"pattern":                    {`[a-z]+`, `[a-z`, "children", "person", "constraints.pattern"},
		"two patterns":               {`"etl:sensitive": "T"`, `"etl:pattern": "x", "etl:sensitive": "T"`, "children", "person", "etl:pattern"},
		"pattern of a boolean":       {`"type": "boolean"`, `"type": "boolean", "etl:pattern": "x"`, "children", "flag", "etl:pattern"},
		"length of a boolean":        {`"type": "boolean"`, `"type": "boolean", "constraints": {"maxLength": 3}`, "children", "flag", "constraints.maxLength"},
		"lengths in wrong order":     {`"minLength": 2`, `"minLength": 20`, "children", "person", "constraints.minLength"},
		"minimum of a date":          {`"since", "type": "date"`, `"since", "type": "date", "constraints": {"minimum": 1}`, "children", "since", "constraints.minimum"},
		"minimum is a text":          {`"exclusiveMinimum": 0.5`, `"minimum": "low"`, "parents", "price", "constraints.minimum"},
		"minimum is a quoted number": {`"exclusiveMinimum": 0.5`, `"minimum": "0.5"`, "parents", "price", "constraints.minimum"},
		"minimum of a boolean":       {`"type": "boolean"`, `"type": "boolean", "constraints": {"minimum": 1}`, "children", "flag", "constraints.minimum"},
		"maximum is no date":         {`"since", "type": "date"`, `"since", "type": "date", "constraints": {"maximum": "2024-02-30"}`, "children", "since", "constraints.maximum"},
		"exclusive bound of a date":  {`"since", "type": "date"`, `"since", "type": "date", "constraints": {"exclusiveMaximum": "2024-02-28"}`, "children", "since", "constraints.exclusiveMaximum"},
		"dates in wrong order":       {`"since", "type": "date"`, `"since", "type": "date", "constraints": {"minimum": "2101-01-01"}`, "children", "since", "constraints.minimum"},
		"integer bound too large":    {`"exclusiveMaximum": 1000000`, `"maximum": 9223372036854775808`, "parents", "stock", "constraints.maximum"},
		"integer bound is decimal":   {`"exclusiveMaximum": 1000000`, `"maximum": 1.5`, "parents", "stock", "constraints.maximum"},
		"unbounded public integer":   {`, "exclusiveMaximum": 1000000`, ``, "parents", "stock", "constraints"},
		"empty enum":                 {`["a", "b"]`, `[]`, "children", "code", "constraints.enum"},
		"enum of numbers":            {`["a", "b"]`, `[1, 2]`, "children", "code", "constraints"},
		"key of no field":            {`"primaryKey": ["person"]`, `"primaryKey": ["nobody"]`, "children", "", "schema.primaryKey"},
		"no key":                     {`"primaryKey": "parent_id"`, `"primaryKey": []`, "parents", "", "schema.primaryKey"},
		"key stands twice":           {`"primaryKey": ["person"]`, `"primaryKey": ["person", "person"]`, "children", "", "schema.primaryKey"},
		"key may be missing":         {`"primaryKey": ["person"]`, `"primaryKey": ["parent_id"]`, "children", "parent_id", "constraints.required"},
		"key without token":          {`"primaryKey": ["person"]`, `"primaryKey": ["secret"]`, "children", "secret", "etl:sensitive"},
		"unique key of numbers":      {`["parent_id", "code"]`, `["amount"]`, "children", "amount", "type"},
		"relation to nowhere":        {`"resource": "parents"`, `"resource": "aunts"`, "children", "parent_id", "schema.foreignKeys"},
		"relation not to the key":    {`"resource": "parents", "fields": ["parent_id"]`, `"resource": "parents", "fields": ["stock"]`, "children", "parent_id", "schema.foreignKeys"},
		"relation of another type":   {`{"minimum": 0, "maximum": 1000000}},` + "\n" + `          {"name": "taken"`, `{"minimum": 0, "maximum": 1000000}, "etl:sensitive": "T", "etl:domain": "parent"},` + "\n" + `          {"name": "taken"`, "children", "parent_id", "schema.foreignKeys"},
		"relation with more fields":  {`"foreignKeys": [`, `"foreignKeys": [{"fields": ["taken", "parent_id"], "reference": {"resource": "parents", "fields": ["parent_id"]}}, `, "children", "taken", "schema.foreignKeys"},
		"acyclic between two":        {`"fields": ["parent_id"]}}`, `"fields": ["parent_id"]}, "etl:acyclic": true}`, "children", "parent_id", "etl:acyclic"},
		"missing values":             {`"primaryKey": "parent_id"`, `"primaryKey": "parent_id", "missingValues": ["", "NA"]`, "parents", "", "schema.missingValues"},
		"rule name is built in":      {`"name": "later"`, `"name": "unique"`, "children", "until", "etl:rules"},
		"rule name stands twice":     {`"name": "enough"`, `"name": "later"`, "children", "taken", "etl:relationRules"},
		"rule on no field":           {`"field": "until"`, `"field": "nothing"`, "children", "", "etl:rules"},
		"rule without message":       {`"message": "Trop tôt."`, `"message": " "`, "children", "until", "etl:rules"},
		"rule property":              {`"expression"`, `"expr"`, "children", "", "etl:rules"},
		"rule does not parse":        {`until >= since`, `until >=`, "children", "until", "etl:rules"},
		"rule of unknown field":      {`until >= since`, `until >= then`, "children", "until", "etl:rules"},
		"rule compares two types":    {`until >= since`, `until >= amount`, "children", "until", "etl:rules"},
		"rule of floating point":     {`until >= since`, `amount > 1.5`, "children", "until", "etl:rules"},
		"rule gives no boolean":      {`until >= since`, `taken + 1`, "children", "until", "etl:rules"},
		"rule mentions no field":     {`until >= since`, `1 == 1`, "children", "until", "etl:rules"},
		"relation rule property":     {`"comparison"`, `"operator"`, "children", "", "etl:relationRules"},
		"relation rule comparison":   {`"comparison": "<="`, `"comparison": "; DROP"`, "children", "taken", "etl:relationRules"},
		"relation rule of a text":    {`"field": "taken"`, `"field": "code"`, "children", "code", "etl:relationRules"},
		"relation rule relation":     {`"relation": "parent_id"`, `"relation": "code"`, "children", "taken", "etl:relationRules"},
		"relation rule of a sum":     {`"comparison": "<="`, `"comparison": "<", "sum": true`, "children", "taken", "etl:relationRules"},
		"relation rule parent":       {`"parentField": "stock"`, `"parentField": "price"`, "children", "taken", "etl:relationRules.parentField"},
	} {
		t.Run(name, func(t *testing.T) {
			text := small(t)
			if strings.Count(text, c.old) != 1 {
				t.Fatalf("%q stands %d times in the small descriptor, want once", c.old, strings.Count(text, c.old))
			}
			_, err := contract.Parse([]byte(strings.Replace(text, c.old, c.new, 1)))
			var wrong *contract.DescriptorError
			if !errors.As(err, &wrong) {
				t.Fatalf("error %v, want a *DescriptorError", err)
			}
			if wrong.Resource != c.resource || wrong.Field != c.field || wrong.Property != c.property || wrong.Problem == "" {
				t.Errorf("error %q names %q, %q, %q, want %q, %q, %q", wrong, wrong.Resource, wrong.Field, wrong.Property, c.resource, c.field, c.property)
			}
		})
	}
}

// Two resources that are each other's parents have no order.
func TestParseMutualParents(t *testing.T) {
	text := strings.Replace(small(t), `"primaryKey": "parent_id"`, `"primaryKey": "parent_id",
		"foreignKeys": [{"fields": "favourite", "reference": {"resource": "children", "fields": "person"}}]`, 1)
	text = strings.Replace(text, `{"name": "stock"`, `{"name": "favourite", "type": "string", "etl:sensitive": "T", "etl:domain": "person"}, {"name": "stock"`, 1)
	_, err := contract.Parse([]byte(text))
	var wrong *contract.DescriptorError
	if !errors.As(err, &wrong) || !strings.Contains(wrong.Problem, "in turn") {
		t.Errorf("error %v", err)
	}
}

func TestParseNoResources(t *testing.T) {
	for _, text := range []string{``, `null`, `[]`, `{}`, `{"resources": []}`, `{"resources": [null]}`, `{"resources": [{}]}`, `{"resources": [{"name": "x"}]}`} {
		var wrong *contract.DescriptorError
		if _, err := contract.Parse([]byte(text)); !errors.As(err, &wrong) {
			t.Errorf("%s: error %v, want a *DescriptorError", text, err)
		}
	}
}

// FuzzParse: whatever the descriptor, Parse returns a *DescriptorError or a
// package that can be used.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small(f)))
	f.Add([]byte(`{"resources": [{"name": "x", "schema": {"fields": [null]}}]}`))
	f.Fuzz(func(t *testing.T, descriptor []byte) {
		p, err := contract.Parse(descriptor)
		if err != nil {
			var wrong *contract.DescriptorError
			if !errors.As(err, &wrong) || wrong.Error() == "" {
				t.Fatalf("error %v, want a *DescriptorError", err)
			}
			return
		}
		if len(p.InDependencyOrder()) != len(p.Resources) {
			t.Fatal("a resource is missing in the order")
		}
		summary(p)
	})
}

// FuzzParseChanged is [FuzzParse] over descriptors that are sound but for one
// value, which is replaced, so that the fuzzer need not find JSON first.
func FuzzParseChanged(f *testing.F) {
	sound := small(f)
	f.Fuzz(func(t *testing.T, place uint16, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		starts, ends := values(t, sound)
		n := int(place) % len(starts)
		p, err := contract.Parse([]byte(sound[:starts[n]] + value + sound[ends[n]:]))
		if err != nil {
			if wrong, ok := errors.AsType[*contract.DescriptorError](err); !ok || wrong.Error() == "" {
				t.Fatalf("error %v, want a *DescriptorError", err)
			}
			return
		}
		if len(p.InDependencyOrder()) != len(p.Resources) {
			t.Fatal("a resource is missing in the order")
		}
		summary(p)
	})
}

// values returns where the values of a JSON text start and end, outer ones after
// what they hold. Names of members are no values.
func values(t testing.TB, text string) (starts, ends []int) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	const list, name, value = -1, 0, 1 // what comes next in an array or object
	var open, next []int               // where those around start, and what comes next in each
	for {
		before := int(d.InputOffset())
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return starts, ends
		}
		if err != nil {
			t.Fatal(err)
		}
		at := before + len(text[before:]) - len(strings.TrimLeft(text[before:], " \t\r\n,:"))
		last := len(next) - 1
		switch token {
		case json.Delim('{'):
			open, next = append(open, at), append(next, name)
			continue
		case json.Delim('['):
			open, next = append(open, at), append(next, list)
			continue
		case json.Delim('}'), json.Delim(']'):
			at, open, next = open[last], open[:last], next[:last]
			last--
		default:
			if last >= 0 && next[last] == name {
				next[last] = value
				continue
			}
		}
		starts, ends = append(starts, at), append(ends, int(d.InputOffset()))
		if last >= 0 && next[last] == value {
			next[last] = name
		}
	}
}

func TestValues(t *testing.T) {
	text := `{"a": [1, {"b": "x"}], "c": null}`
	starts, ends := values(t, text)
	var got []string
	for i := range starts {
		got = append(got, text[starts[i]:ends[i]])
	}
	if diff := cmp.Diff([]string{"1", `"x"`, `{"b": "x"}`, `[1, {"b": "x"}]`, "null", text}, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}
