package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxName leaves room for the longest suffix within the 63 bytes of a name in
// PostgreSQL (manual, section 4.1.1).
const maxName = 56

// isName reports whether s may name a table or column, which are used in SQL
// without quotes: lower-case letters, digits and underscores, beginning with a
// letter.
func isName(s string) bool {
	if s == "" || len(s) > maxName || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// isEvent reports whether s has the form of an event's type, "client.upserted".
func isEvent(s string) bool {
	noun, verb, found := strings.Cut(s, ".")
	return found && isName(noun) && isName(verb)
}

// Parse compiles a descriptor. It fails with a *DescriptorError that names the
// resource, field and property of the first fault.
func Parse(descriptor []byte) (*Package, error) {
	var d packageDescriptor
	if err := strict(descriptor, &d); err != nil {
		return nil, &DescriptorError{Problem: err.Error()}
	}
	if len(d.Resources) == 0 {
		return nil, &DescriptorError{Property: "resources", Problem: "none"}
	}
	sum := sha256.Sum256(descriptor)
	p := &Package{Name: d.Name, Hash: hex.EncodeToString(sum[:])}
	for i, raw := range d.Resources {
		r, err := compileResource(raw, i)
		if err != nil {
			return nil, err
		}
		p.Resources = append(p.Resources, r)
	}
	if err := link(p); err != nil {
		return nil, err
	}
	return p, nil
}

// resourceCompiler compiles one resource; fail creates its errors.
type resourceCompiler struct {
	r *Resource
	d resourceDescriptor
	s schemaDescriptor
}

func (c *resourceCompiler) fail(field, property, problem string, args ...any) error {
	return &DescriptorError{Resource: c.r.Name, Field: field, Property: property, Problem: fmt.Sprintf(problem, args...)}
}

func compileResource(raw []byte, position int) (*Resource, error) {
	c := &resourceCompiler{r: &Resource{Name: "#" + strconv.Itoa(position+1)}}
	if err := strict(raw, &c.d); err != nil {
		return nil, c.fail("", "", "%v", err)
	}
	if !isName(c.d.Name) {
		return nil, c.fail("", "name", "%q is no table name (lower-case letters, digits, underscores)", c.d.Name)
	}
	c.r.Name = c.d.Name
	for _, step := range []func() error{c.head, c.dialect, c.fields, c.keys, c.relations, c.columns, c.rules, c.relationRules, c.enrichment, c.budget} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.r, nil
}

func (c *resourceCompiler) head() error {
	d, r := &c.d, c.r
	if !isName(d.FileType) {
		return c.fail("", "etl:fileType", "%q is no file type (lower-case letters, digits, underscores)", d.FileType)
	}
	if d.Alias != "" && !isName(d.Alias) {
		return c.fail("", "etl:alias", "%q is no file type (lower-case letters, digits, underscores)", d.Alias)
	}
	if d.Load != LoadReload && d.Load != LoadUpsert {
		return c.fail("", "etl:load", "%q is neither %q nor %q", d.Load, LoadReload, LoadUpsert)
	}
	if !isEvent(d.Event) {
		return c.fail("", "etl:event", "%q has not the form \"noun.verb\"", d.Event)
	}
	r.Title, r.FileType, r.Alias = d.Title, d.FileType, d.Alias
	if r.Alias == "" {
		r.Alias = r.FileType
	}
	r.Load, r.EventType, r.EmptyAllowed = d.Load, d.Event, d.EmptyAllowed
	r.Encoding = d.Encoding
	if r.Encoding == "" {
		r.Encoding = "utf-8"
	}
	// Only encodings in which line ends, delimiters and quotes are one ASCII byte:
	// files are cut as bytes.
	if !slices.Contains([]string{"utf-8", "windows-1252", "iso-8859-1", "iso-8859-15"}, r.Encoding) {
		return c.fail("", "encoding", "%q is not supported (utf-8, windows-1252, iso-8859-1, iso-8859-15)", r.Encoding)
	}
	if len(d.Schema) == 0 {
		return c.fail("", "schema", "missing")
	}
	return nil
}

func (c *resourceCompiler) dialect() error {
	d := dialectDescriptor{Delimiter: ",", QuoteChar: `"`}
	if err := strict(c.d.Dialect, &d); err != nil {
		return c.fail("", "dialect", "%v", err)
	}
	if d.DoubleQuote != nil && !*d.DoubleQuote {
		return c.fail("", "dialect.doubleQuote", "only true is supported")
	}
	if d.Header != nil && !*d.Header {
		return c.fail("", "dialect.header", "only true is supported")
	}
	if !separator(d.Delimiter) {
		return c.fail("", "dialect.delimiter", "must be one ASCII character that is no letter, digit or line end")
	}
	if !separator(d.QuoteChar) || d.QuoteChar == d.Delimiter {
		return c.fail("", "dialect.quoteChar", "must be one ASCII character that is no letter, digit or line end, nor the delimiter")
	}
	c.r.Delimiter, c.r.Quote = d.Delimiter[0], d.QuoteChar[0]
	return nil
}

func separator(s string) bool {
	if len(s) != 1 {
		return false
	}
	b := s[0]
	letter := b|0x20 >= 'a' && b|0x20 <= 'z'
	digit := b >= '0' && b <= '9'
	return b < 0x80 && (b >= ' ' || b == '\t') && b != 0x7f && !letter && !digit
}

func (c *resourceCompiler) fields() error {
	if err := strict(c.d.Schema, &c.s); err != nil {
		return c.fail("", "schema", "%v", err)
	}
	if len(c.s.Fields) == 0 {
		return c.fail("", "schema.fields", "none")
	}
	if c.s.MissingValues != nil && !slices.Equal(c.s.MissingValues, []string{""}) {
		return c.fail("", "schema.missingValues", "only the empty text is supported")
	}
	if c.s.FieldsMatch != "" && c.s.FieldsMatch != "equal" {
		return c.fail("", "schema.fieldsMatch", "only equal is supported: all fields, in any order")
	}
	for i, raw := range c.s.Fields {
		f, err := c.field(raw, i)
		if err != nil {
			return err
		}
		if c.r.Field(f.Name) != nil {
			return c.fail(f.Name, "name", "used twice")
		}
		c.r.Fields = append(c.r.Fields, f)
		c.r.LineEnds = append(c.r.LineEnds, f.MayHoldLineEnd())
		if f.Type != TypeNumber {
			continue
		}
		if c.r.DecimalMark != 0 && c.r.DecimalMark != f.decimalMark {
			return c.fail(f.Name, "decimalChar", "differs from the one of the other numbers")
		}
		c.r.DecimalMark = f.decimalMark
	}
	if c.r.DecimalMark == 0 {
		c.r.DecimalMark = '.'
	}
	return nil
}

// fieldList checks a list of field names of the resource.
func (c *resourceCompiler) fieldList(property string, list []string) error {
	if len(list) == 0 {
		return c.fail("", property, "no field")
	}
	for i, name := range list {
		if c.r.Field(name) == nil {
			return c.fail("", property, "%q is no field", name)
		}
		if slices.Contains(list[:i], name) {
			return c.fail("", property, "%q stands twice", name)
		}
	}
	return nil
}

// comparable checks that the fields can be compared in SQL: plain, or by token.
func (c *resourceCompiler) comparable(property string, list []string) error {
	if err := c.fieldList(property, list); err != nil {
		return err
	}
	for _, name := range list {
		f := c.r.Field(name)
		if f.Sensitivity == Cipher {
			return c.fail(name, "etl:sensitive", "a field of %s must be joinable: %q, or public", property, "T")
		}
		if f.Type == TypeNumber || f.Type == TypeDateTime {
			return c.fail(name, "type", "%s has no canonical form, which %s needs", f.Type, property)
		}
	}
	return nil
}

func (c *resourceCompiler) keys() error {
	if err := c.comparable("schema.primaryKey", c.s.PrimaryKey); err != nil {
		return err
	}
	for _, name := range c.s.PrimaryKey {
		if !c.r.Field(name).Required {
			return c.fail(name, "constraints.required", "a field of the primary key must be required")
		}
	}
	c.r.Key = c.s.PrimaryKey
	c.r.Unique = slices.DeleteFunc(c.r.Unique, func(key []string) bool { return slices.Equal(key, c.r.Key) })
	for _, key := range c.s.UniqueKeys {
		if err := c.comparable("schema.uniqueKeys", key); err != nil {
			return err
		}
		c.addUnique(key)
	}
	for _, key := range c.r.Unique {
		if err := c.comparable("constraints.unique", key); err != nil {
			return err
		}
	}
	return nil
}

func (c *resourceCompiler) addUnique(key []string) {
	same := func(k []string) bool { return slices.Equal(k, key) }
	if !slices.Equal(c.r.Key, key) && !slices.ContainsFunc(c.r.Unique, same) {
		c.r.Unique = append(c.r.Unique, key)
	}
}

func (c *resourceCompiler) relations() error {
	for _, raw := range c.s.ForeignKeys {
		var d foreignKeyDescriptor
		if err := strict(raw, &d); err != nil {
			return c.fail("", "schema.foreignKeys", "%v", err)
		}
		if err := c.comparable("schema.foreignKeys", d.Fields); err != nil {
			return err
		}
		parent := d.Reference.Resource
		if parent == "" {
			parent = c.r.Name
		}
		if d.Acyclic && parent != c.r.Name {
			return c.fail(d.Fields[0], "etl:acyclic", "only a relation within one resource can have cycles")
		}
		c.r.Relations = append(c.r.Relations, Relation{
			Fields: d.Fields, Resource: parent, ParentFields: d.Reference.Fields, Acyclic: d.Acyclic,
		})
	}
	return nil
}

// columns checks that no two columns of a table have one name.
func (c *resourceCompiler) columns() error {
	// As if every public integer were a staged key: which ones are is known later.
	staging := map[string]bool{}
	for _, col := range stagingHead() {
		staging[col.Name] = true
	}
	target := map[string]bool{}
	for _, col := range targetTail() {
		target[col.Name] = true
	}
	for _, f := range c.r.Fields {
		staged := []string{f.Name, f.Name + KeySuffix}
		final := []string{f.Target}
		if f.Sensitivity == Token {
			staged[1] = f.Name + TokenSuffix
			final = append(final, f.Target+TokenSuffix)
		}
		for _, name := range staged {
			if staging[name] {
				return c.fail(f.Name, "name", "column %q of the staging table exists already", name)
			}
			staging[name] = true
		}
		for _, name := range final {
			if target[name] {
				return c.fail(f.Name, "etl:target", "column %q of the target table exists already", name)
			}
			target[name] = true
		}
	}
	return nil
}
