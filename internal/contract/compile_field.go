package contract

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// field compiles one field.
func (c *resourceCompiler) field(raw []byte, position int) (*Field, error) {
	var d fieldDescriptor
	label := "#" + strconv.Itoa(position+1)
	if err := strict(raw, &d); err != nil {
		var named struct{ Name string }
		if json.Unmarshal(raw, &named) == nil && named.Name != "" {
			label = named.Name
		}
		return nil, c.fail(label, "", "%v", err)
	}
	if !isName(d.Name) {
		return nil, c.fail(label, "name", "%q is no column name (lower-case letters, digits, underscores)", d.Name)
	}
	f := &Field{Name: d.Name, Target: d.Target, Title: d.Title, Type: d.Type, Index: position, Expected: d.Expected, Domain: d.Domain}
	if f.Target == "" {
		f.Target = f.Name
	}
	if !isName(f.Target) {
		return nil, c.fail(f.Name, "etl:target", "%q is no column name (lower-case letters, digits, underscores)", f.Target)
	}
	for _, step := range []func(*Field, *fieldDescriptor) error{c.fieldType, c.format, c.sensitivity, c.constraints} {
		if err := step(f, &d); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (c *resourceCompiler) fieldType(f *Field, _ *fieldDescriptor) error {
	if !slices.Contains([]Type{TypeString, TypeInteger, TypeNumber, TypeBoolean, TypeDate, TypeDateTime}, f.Type) {
		return c.fail(f.Name, "type", "%q is not supported", f.Type)
	}
	return nil
}

func (c *resourceCompiler) format(f *Field, d *fieldDescriptor) error {
	switch {
	case d.Format == "" || d.Format == "default":
	case d.Format == FormatEmail && f.Type == TypeString:
		f.Format = FormatEmail
	default:
		return c.fail(f.Name, "format", "%q is not supported for %s", d.Format, f.Type)
	}
	if f.Type != TypeNumber {
		if d.DecimalChar != "" {
			return c.fail(f.Name, "decimalChar", "only a number has one")
		}
		return nil
	}
	switch d.DecimalChar {
	case "", ".":
		f.decimalMark = '.'
	case ",":
		f.decimalMark = ','
	default:
		return c.fail(f.Name, "decimalChar", "%q is neither \".\" nor \",\"", d.DecimalChar)
	}
	return nil
}

func (c *resourceCompiler) sensitivity(f *Field, d *fieldDescriptor) error {
	switch d.Sensitive {
	case "":
		f.Sensitivity = Public
	case "C":
		f.Sensitivity = Cipher
	case "T":
		f.Sensitivity = Token
	default:
		return c.fail(f.Name, "etl:sensitive", "%q is neither \"T\" nor \"C\"", d.Sensitive)
	}
	if f.Sensitivity != Token && f.Domain != "" {
		return c.fail(f.Name, "etl:domain", "only a field with a token (\"T\") has one")
	}
	if f.Sensitivity == Token && !isName(f.Domain) {
		return c.fail(f.Name, "etl:domain", "a field with a token (\"T\") needs one (lower-case letters, digits, underscores)")
	}
	if f.Sensitivity == Token && (f.Type == TypeNumber || f.Type == TypeDateTime) {
		return c.fail(f.Name, "etl:sensitive", "%s has no canonical form, which a token needs", f.Type)
	}
	return nil
}

func (c *resourceCompiler) constraints(f *Field, d *fieldDescriptor) error {
	var k constraintsDescriptor
	if err := strict(d.Constraints, &k); err != nil {
		return c.fail(f.Name, "constraints", "%v", err)
	}
	f.Required = k.Required
	if k.Unique {
		c.addUnique([]string{f.Name})
	}
	return c.valueConstraints(f, &k, d.Pattern)
}

// valueConstraints reads what a value must meet: [Constraints]. pattern is the field's
// etl:pattern.
func (c *resourceCompiler) valueConstraints(f *Field, k *constraintsDescriptor, pattern string) error {
	if err := c.lengths(f, k); err != nil {
		return err
	}
	if err := c.pattern(f, k.Pattern, pattern); err != nil {
		return err
	}
	if err := c.bounds(f, k); err != nil {
		return err
	}
	if k.Enum != nil {
		if f.Type != TypeString || len(k.Enum) == 0 {
			return c.fail(f.Name, "constraints.enum", "must be a list of values of a string")
		}
		f.Enum = k.Enum
	}
	return nil
}

func (c *resourceCompiler) lengths(f *Field, k *constraintsDescriptor) error {
	for _, l := range []struct {
		property string
		value    *int
		to       *int
		least    int
	}{{"constraints.minLength", k.MinLength, &f.MinLength, 0}, {"constraints.maxLength", k.MaxLength, &f.MaxLength, 1}} {
		if l.value == nil {
			continue
		}
		if f.Type != TypeString || *l.value < l.least {
			return c.fail(f.Name, l.property, "must be a length of a string")
		}
		*l.to = *l.value
	}
	if f.MaxLength > 0 && f.MinLength > f.MaxLength {
		return c.fail(f.Name, "constraints.minLength", "is above maxLength")
	}
	return nil
}

// pattern reads the standard's pattern, or ours: etl:pattern is for expressions that
// the standard's tools cannot read, such as \p{L} in Python.
func (c *resourceCompiler) pattern(f *Field, standard, own string) error {
	property, text := "constraints.pattern", standard
	if own != "" {
		property, text = "etl:pattern", own
	}
	if text == "" {
		return nil
	}
	if standard != "" && own != "" {
		return c.fail(f.Name, property, "stands beside constraints.pattern: one of them is enough")
	}
	if f.Type != TypeString {
		return c.fail(f.Name, property, "only a string has one")
	}
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return c.fail(f.Name, property, "%v", err)
	}
	f.Pattern = re
	return nil
}

func (c *resourceCompiler) bounds(f *Field, k *constraintsDescriptor) error {
	if f.Type == TypeDate || f.Type == TypeDateTime {
		return c.dateBounds(f, k)
	}
	for _, b := range []struct {
		property string
		value    limit
		to       **apd.Decimal
	}{
		{"constraints.minimum", k.Minimum, &f.Minimum},
		{"constraints.maximum", k.Maximum, &f.Maximum},
		{"constraints.exclusiveMinimum", k.ExclusiveMinimum, &f.ExclusiveMinimum},
		{"constraints.exclusiveMaximum", k.ExclusiveMaximum, &f.ExclusiveMaximum},
	} {
		if b.value.text == "" {
			continue
		}
		if f.Type != TypeInteger && f.Type != TypeNumber {
			return c.fail(f.Name, b.property, "only an integer, number, date or datetime has one; a rule (etl:rules) can compare others")
		}
		d, ok := parseDecimal([]byte(b.value.text))
		if !ok || b.value.quoted {
			return c.fail(f.Name, b.property, "%q is no number", b.value.text)
		}
		if _, fits := ParseInteger([]byte(b.value.text)); f.Type == TypeInteger && !fits {
			return c.fail(f.Name, b.property, "%q is no integer of 64 bits", b.value.text)
		}
		*b.to = &d
	}
	bounded := (f.Minimum != nil || f.ExclusiveMinimum != nil) && (f.Maximum != nil || f.ExclusiveMaximum != nil)
	if f.Type == TypeInteger && !f.Sensitive() && !bounded {
		return c.fail(f.Name, "constraints", "a public integer is stored in 64 bits and needs a minimum and a maximum")
	}
	return nil
}

// dateBounds reads the bounds of a date or datetime, or sets the defaults. The
// defaults are days, so for times all of the last day is allowed.
func (c *resourceCompiler) dateBounds(f *Field, k *constraintsDescriptor) error {
	for _, b := range []struct {
		property string
		value    limit
		standard string
		to       *Bound
	}{
		{"constraints.minimum", k.Minimum, DefaultEarliest, &f.Earliest},
		{"constraints.maximum", k.Maximum, DefaultLatest, &f.Latest},
		{"constraints.exclusiveMinimum", k.ExclusiveMinimum, "", nil},
		{"constraints.exclusiveMaximum", k.ExclusiveMaximum, "", nil},
	} {
		switch {
		case b.to == nil && b.value.text != "":
			return c.fail(f.Name, b.property, "a date or datetime has only a minimum and a maximum")
		case b.to == nil:
		case b.value.text == "":
			day, _ := ParseDate([]byte(b.standard))
			if b.to == &f.Latest && f.Type == TypeDateTime {
				day = day.AddDate(0, 0, 1).Add(-1)
			}
			*b.to = Bound{Time: day, Text: b.standard}
		default:
			parse := ParseDate
			if f.Type == TypeDateTime {
				parse = ParseDateTime
			}
			at, ok := parse([]byte(b.value.text))
			if !ok || !b.value.quoted {
				return c.fail(f.Name, b.property, "%q is no %s", b.value.text, f.Type)
			}
			*b.to = Bound{Time: at, Text: b.value.text}
		}
	}
	if f.Latest.Time.Before(f.Earliest.Time) {
		return c.fail(f.Name, "constraints.minimum", "is after maximum")
	}
	return nil
}
