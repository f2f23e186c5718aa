package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// DescriptorError reports what is wrong in a descriptor, and where. Only a change of
// the descriptor can fix it.
type DescriptorError struct {
	Resource string // name of the resource, or its position if it has no name; "" for the package
	Field    string // name of the field, or its position; "" for the resource itself
	Property string // "constraints.pattern"; "" if no single one is at fault
	Problem  string
}

// Error names the place and the problem in one line.
func (e *DescriptorError) Error() string {
	where := "contract"
	if e.Resource != "" {
		where += ": resource " + e.Resource
	}
	if e.Field != "" {
		where += ": field " + e.Field
	}
	if e.Property != "" {
		where += ": " + e.Property
	}
	return where + ": " + e.Problem
}

// The structs below are the known properties. Those without a meaning here (title of
// the package, profile of a schema…) are read only so that an unknown property, most
// often a misspelt one, is an error.

type packageDescriptor struct {
	Schema       string            `json:"$schema"`
	Name         string            `json:"name"`
	Title        string            `json:"title"`
	Description  string            `json:"description"`
	Version      string            `json:"version"`
	Created      string            `json:"created"`
	Licenses     json.RawMessage   `json:"licenses"`
	Contributors json.RawMessage   `json:"contributors"`
	Resources    []json.RawMessage `json:"resources"`
}

type resourceDescriptor struct {
	Profile     string          `json:"$schema"`
	Name        string          `json:"name"`
	Path        json.RawMessage `json:"path"`
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Format      string          `json:"format"`
	MediaType   string          `json:"mediatype"`
	Encoding    string          `json:"encoding"`
	Dialect     json.RawMessage `json:"dialect"`
	Schema      json.RawMessage `json:"schema"`

	FileType      string            `json:"etl:fileType"`
	Alias         string            `json:"etl:alias"`
	Load          LoadMode          `json:"etl:load"`
	Event         string            `json:"etl:event"`
	EmptyAllowed  bool              `json:"etl:emptyAllowed"`
	Rules         []json.RawMessage `json:"etl:rules"`
	RelationRules []json.RawMessage `json:"etl:relationRules"`
	Enrichment    json.RawMessage   `json:"etl:enrichment"`
	Budget        json.RawMessage   `json:"etl:budget"`
}

type dialectDescriptor struct {
	Schema      string `json:"$schema"`
	Delimiter   string `json:"delimiter"`
	QuoteChar   string `json:"quoteChar"`
	DoubleQuote *bool  `json:"doubleQuote"`
	Header      *bool  `json:"header"`
}

type schemaDescriptor struct {
	Schema        string            `json:"$schema"`
	Title         string            `json:"title"`
	Description   string            `json:"description"`
	MissingValues []string          `json:"missingValues"`
	FieldsMatch   string            `json:"fieldsMatch"`
	Fields        []json.RawMessage `json:"fields"`
	PrimaryKey    names             `json:"primaryKey"`
	UniqueKeys    []names           `json:"uniqueKeys"`
	ForeignKeys   []json.RawMessage `json:"foreignKeys"`
}

type fieldDescriptor struct {
	Name        string          `json:"name"`
	Type        Type            `json:"type"`
	Format      string          `json:"format"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Example     json.RawMessage `json:"example"`
	DecimalChar string          `json:"decimalChar"`
	Constraints json.RawMessage `json:"constraints"`

	Pattern   string `json:"etl:pattern"`
	Expected  string `json:"etl:expected"`
	Target    string `json:"etl:target"`
	Sensitive string `json:"etl:sensitive"`
	Domain    string `json:"etl:domain"`
}

type constraintsDescriptor struct {
	Required         bool     `json:"required"`
	Unique           bool     `json:"unique"`
	MinLength        *int     `json:"minLength"`
	MaxLength        *int     `json:"maxLength"`
	Pattern          string   `json:"pattern"`
	Minimum          limit    `json:"minimum"`
	Maximum          limit    `json:"maximum"`
	ExclusiveMinimum limit    `json:"exclusiveMinimum"`
	ExclusiveMaximum limit    `json:"exclusiveMaximum"`
	Enum             []string `json:"enum"`
}

type foreignKeyDescriptor struct {
	Fields    names `json:"fields"`
	Reference struct {
		Resource string `json:"resource"` // "" is the resource itself
		Fields   names  `json:"fields"`
	} `json:"reference"`
	Acyclic bool `json:"etl:acyclic"`
}

type ruleDescriptor struct {
	Name       string `json:"name"`
	Field      string `json:"field"`
	Expression string `json:"expression"`
	Message    string `json:"message"`
}

type relationRuleDescriptor struct {
	Name        string `json:"name"`
	Field       string `json:"field"`
	Relation    names  `json:"relation"` // the fields of one of the foreign keys
	Comparison  string `json:"comparison"`
	ParentField string `json:"parentField"`
	Sum         bool   `json:"sum"`
	Message     string `json:"message"`
}

type enrichmentDescriptor struct {
	Source  string            `json:"source"`
	Kind    SourceKind        `json:"kind"`
	Version SOAPVersion       `json:"version"`
	Key     []string          `json:"key"`
	Query   string            `json:"query"`
	Reveal  []string          `json:"reveal"`
	Fields  []json.RawMessage `json:"fields"`
	Limits  json.RawMessage   `json:"limits"`
}

type enrichedFieldDescriptor struct {
	Name        string          `json:"name"`
	Type        Type            `json:"type"`
	Constraints json.RawMessage `json:"constraints"`
	Sensitive   string          `json:"etl:sensitive"`
}

type limitsDescriptor struct {
	Batch          *float64 `json:"batch"`
	CallsInFlight  *float64 `json:"callsInFlight"`
	CallsPerSecond *float64 `json:"callsPerSecond"`
	BatchTimeout   *float64 `json:"batchTimeout"`  // seconds
	LookupTimeout  *float64 `json:"lookupTimeout"` // seconds
}

// limit is a bound: a JSON number for numbers, a text for dates and times.
type limit struct {
	text   string // "" for none
	quoted bool
}

// UnmarshalJSON reads a number or a text.
func (l *limit) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		l.quoted = true
		return json.Unmarshal(data, &l.text)
	}
	var number json.Number
	err := json.Unmarshal(data, &number)
	l.text = number.String()
	return err
}

// names is one name or a list of them, as the standard writes keys.
type names []string

// UnmarshalJSON reads a string or an array of strings.
func (n *names) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*n = make(names, 1)
		return json.Unmarshal(data, &(*n)[0])
	}
	return json.Unmarshal(data, (*[]string)(n))
}

// strict decodes one JSON value into v. An unknown property, a value of another kind
// and anything after the value are errors. An empty text (an absent property) leaves
// v unchanged.
func strict(data []byte, v any) error {
	if len(data) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("decode: text behind the value")
	}
	return nil
}
