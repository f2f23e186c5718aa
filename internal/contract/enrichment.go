package contract

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SourceKind is how a source is asked.
type SourceKind string

// Kinds of sources.
const (
	KindREST     SourceKind = "rest"     // a REST API
	KindSOAP     SourceKind = "soap"     // a SOAP service
	KindDatabase SourceKind = "database" // a PostgreSQL database
)

// SOAPVersion is a version of SOAP.
type SOAPVersion string

// Versions of SOAP. The first is the default: all stacks speak it, many only that.
const (
	SOAP11 SOAPVersion = "1.1"
	SOAP12 SOAPVersion = "1.2"
)

// Enrichment is the source that completes the records, and what it adds.
type Enrichment struct {
	Source  string // name of the source: "clients"
	Kind    SourceKind
	Version SOAPVersion     // of a SOAP source; empty for other kinds
	Key     []string        // source fields that identify a record to the source
	Query   string          // SQL text that a database is asked by; empty for other kinds
	Reveal  []string        // sensitive fields of Key that are sent in clear
	Fields  []EnrichedField // what it answers
	Limits  SourceLimits
}

// EnrichedField is one value that an enrichment adds to an event. No target table has
// it.
type EnrichedField struct {
	Name string // of the member in the answer and in the event
	Type Type
	Constraints
	Sensitive bool // "C": only its ciphertext is stored. There are no tokens
}

// Field returns the field as one of a file, for what checks and describes values.
func (f EnrichedField) Field() *Field {
	sensitivity := Public
	if f.Sensitive {
		sensitivity = Cipher
	}
	return &Field{Name: f.Name, Target: f.Name, Type: f.Type, Constraints: f.Constraints, Sensitivity: sensitivity}
}

// EventFields returns the fields of the resource's events, in the order of their members:
// those of the file, then those that its source adds.
func (r *Resource) EventFields() []*Field {
	fields := slices.Clone(r.Fields)
	if r.Enrichment != nil {
		for _, f := range r.Enrichment.Fields {
			fields = append(fields, f.Field())
		}
	}
	return fields
}

// SourceLimits is how much may be asked of a source. They are shared by everything that
// asks it, so all resources that name a source have the same.
type SourceLimits struct {
	Batch          int           // keys in one call of an initial import
	CallsInFlight  int           // calls without an answer at any moment
	CallsPerSecond float64       // 0 is no limit
	BatchTimeout   time.Duration // within which a call for several keys is answered
	LookupTimeout  time.Duration // within which a call for one key is answered
}

// DefaultSourceLimits are those of a source whose descriptor sets none.
func DefaultSourceLimits() SourceLimits {
	return SourceLimits{Batch: 1000, CallsInFlight: 8, BatchTimeout: time.Minute, LookupTimeout: 10 * time.Second}
}

func (c *resourceCompiler) enrichment() error {
	const property = "etl:enrichment"
	if len(c.d.Enrichment) == 0 {
		return nil
	}
	var d enrichmentDescriptor
	if err := strict(c.d.Enrichment, &d); err != nil {
		return c.fail("", property, "%v", err)
	}
	if !isName(d.Source) {
		return c.fail("", property, "source %q must be lower-case letters, digits, underscores", d.Source)
	}
	if err := c.sourceKind(property, &d); err != nil {
		return err
	}
	if err := c.enrichmentKey(property, &d); err != nil {
		return err
	}
	if err := c.enrichmentQuery(property+".query", &d); err != nil {
		return err
	}
	e := &Enrichment{
		Source: d.Source, Kind: d.Kind, Version: d.Version, Key: d.Key, Query: d.Query, Reveal: d.Reveal, Limits: DefaultSourceLimits(),
	}
	for i, raw := range d.Fields {
		f, err := c.enrichedField(property, raw, i)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(e.Fields, func(o EnrichedField) bool { return o.Name == f.Name }) {
			return c.fail(f.Name, property, "used twice")
		}
		e.Fields = append(e.Fields, f)
	}
	if len(e.Fields) == 0 {
		return c.fail("", property, "no fields")
	}
	c.r.Enrichment = e
	return c.sourceLimits(property+".limits", d.Limits, &e.Limits)
}

// sourceKind checks the kind, and the version of a SOAP source, which has a default.
func (c *resourceCompiler) sourceKind(property string, d *enrichmentDescriptor) error {
	switch d.Kind {
	case KindREST, KindSOAP, KindDatabase:
	default:
		return c.fail("", property+".kind", "%q is unknown: only %q, %q and %q are built", d.Kind, KindREST, KindSOAP, KindDatabase)
	}
	switch {
	case d.Kind != KindSOAP && d.Version != "":
		return c.fail("", property+".version", "only a source of kind %q has one", KindSOAP)
	case d.Kind == KindSOAP && d.Version == "":
		d.Version = SOAP11
	case d.Kind == KindSOAP && d.Version != SOAP11 && d.Version != SOAP12:
		return c.fail("", property+".version", "%q is neither %q nor %q", d.Version, SOAP11, SOAP12)
	}
	return nil
}

// enrichmentKey checks the key, and that whoever wrote the contract knows which
// sensitive fields leave the system.
func (c *resourceCompiler) enrichmentKey(property string, d *enrichmentDescriptor) error {
	if err := c.fieldList(property+".key", d.Key); err != nil {
		return err
	}
	if len(d.Key) > 1 && d.Kind != KindDatabase {
		return c.fail("", property+".key", "a source of kind %q is asked by one field", d.Kind)
	}
	for _, name := range d.Key {
		f := c.r.Field(name)
		if !f.Required {
			return c.fail(name, property, "a field of the key must be required")
		}
		if f.Type == TypeNumber || f.Type == TypeDateTime {
			return c.fail(name, "type", "%s has no canonical form, which a key needs", f.Type)
		}
		if f.Sensitive() != slices.Contains(d.Reveal, name) {
			return c.fail(name, property, "reveal must name the sensitive fields of the key, and no other")
		}
	}
	for _, name := range d.Reveal {
		if !slices.Contains(d.Key, name) {
			return c.fail(name, property, "reveal names a field that is not of the key")
		}
	}
	return nil
}

// enrichmentQuery checks that a database, and nothing else, is asked by a query, which has
// exactly one parameter for each field of the key.
func (c *resourceCompiler) enrichmentQuery(property string, d *enrichmentDescriptor) error {
	if d.Kind != KindDatabase {
		if d.Query != "" {
			return c.fail("", property, "a source of kind %q has no query", d.Kind)
		}
		return nil
	}
	if strings.TrimSpace(d.Query) == "" {
		return c.fail("", property, "a source of kind %q needs a query", d.Kind)
	}
	used := make([]bool, len(d.Key)+1)
	for _, match := range regexp.MustCompile(`\$([0-9]+)`).FindAllStringSubmatch(d.Query, -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil || n < 1 || n > len(d.Key) {
			return c.fail("", property, "%s is the parameter of no field of the key", match[0])
		}
		used[n] = true
	}
	for i, name := range d.Key {
		if !used[i+1] {
			return c.fail(name, property, "the query lacks the parameter of this field of the key, $%d", i+1)
		}
	}
	return nil
}

// enrichedField compiles a field that a source answers. Its type and constraints are
// those of a field of a file.
func (c *resourceCompiler) enrichedField(property string, raw []byte, position int) (EnrichedField, error) {
	var d enrichedFieldDescriptor
	if err := strict(raw, &d); err != nil {
		return EnrichedField{}, c.fail("#"+strconv.Itoa(position+1), property+".fields", "%v", err)
	}
	taken := slices.ContainsFunc(c.r.Fields, func(f *Field) bool { return f.Name == d.Name || f.Target == d.Name })
	if !isName(d.Name) || taken {
		return EnrichedField{}, c.fail(d.Name, property, "field name %q must be new: lower-case letters, digits, underscores", d.Name)
	}
	f := &Field{Name: d.Name, Type: d.Type}
	switch d.Sensitive {
	case "":
	case "C":
		f.Sensitivity = Cipher
	default:
		return EnrichedField{}, c.fail(d.Name, "etl:sensitive", "%q is not \"C\": what a source answers is sealed or public, and has no token", d.Sensitive)
	}
	if err := c.fieldType(f, nil); err != nil {
		return EnrichedField{}, err
	}
	var k constraintsDescriptor
	if err := strict(d.Constraints, &k); err != nil {
		return EnrichedField{}, c.fail(d.Name, "constraints", "%v", err)
	}
	if k.Required || k.Unique {
		return EnrichedField{}, c.fail(d.Name, "constraints", "what a source answers is never required nor unique")
	}
	if err := c.valueConstraints(f, &k, ""); err != nil {
		return EnrichedField{}, err
	}
	return EnrichedField{Name: f.Name, Type: f.Type, Constraints: f.Constraints, Sensitive: f.Sensitive()}, nil
}

// sourceLimits reads the limits that a descriptor sets.
func (c *resourceCompiler) sourceLimits(property string, raw []byte, limits *SourceLimits) error {
	var d limitsDescriptor
	if err := strict(raw, &d); err != nil {
		return c.fail("", property, "%v", err)
	}
	seconds := func(to *time.Duration) func(float64) {
		return func(s float64) { *to = time.Duration(s * float64(time.Second)) }
	}
	for _, l := range []struct {
		name        string
		value       *float64
		least, most float64
		whole       bool
		set         func(float64)
	}{
		{"batch", d.Batch, 1, 1000, true, func(n float64) { limits.Batch = int(n) }},
		{"callsInFlight", d.CallsInFlight, 1, 100, true, func(n float64) { limits.CallsInFlight = int(n) }},
		{"callsPerSecond", d.CallsPerSecond, 0.1, 10_000, false, func(n float64) { limits.CallsPerSecond = n }},
		{"batchTimeout", d.BatchTimeout, 1, 300, true, seconds(&limits.BatchTimeout)},
		{"lookupTimeout", d.LookupTimeout, 1, 300, true, seconds(&limits.LookupTimeout)},
	} {
		switch {
		case l.value == nil:
			continue
		case *l.value < l.least || *l.value > l.most:
			return c.fail("", property+"."+l.name, "%v is not between %v and %v", *l.value, l.least, l.most)
		case l.whole && *l.value != float64(int(*l.value)):
			return c.fail("", property+"."+l.name, "%v is no whole number", *l.value)
		}
		l.set(*l.value)
	}
	return nil
}

// checkSources refuses two descriptions of one source.
func checkSources(p *Package) error {
	first := map[string]*Resource{}
	for _, r := range p.Resources {
		e := r.Enrichment
		if e == nil {
			continue
		}
		owner, known := first[e.Source]
		if !known {
			first[e.Source] = r
			continue
		}
		if o := owner.Enrichment; o.Kind != e.Kind || o.Version != e.Version || o.Query != e.Query || o.Limits != e.Limits {
			return &DescriptorError{
				Resource: r.Name, Property: "etl:enrichment",
				Problem: "source " + e.Source + " has another kind, version, query or other limits in " + owner.Name + ": a source is one system, and its limits are shared",
			}
		}
	}
	return nil
}
