// Package validation checks the rules of the contract that concern one record:
// required fields, types, formats, patterns, lengths, bounds, lists of values
// and the CEL rules over several fields. Uniqueness and relations concern many
// records and are checked in SQL.
//
// A [Checker] is made once for a chunk and checks one record after another. It
// reports every violation of a record, not only the first:
//
//   - A missing value (null in JSON, an empty text, or only white space and invisible
//     characters) breaks "required" and nothing else if the field is required, and
//     nothing if it is optional.
//   - A value that is not of its field's type breaks "type" and nothing else.
//   - All other constraints of a field are checked and reported separately.
//   - A rule of the contract is checked if every field whose value it mentions is
//     present and of its type, whatever else is wrong with them. If it cannot be
//     evaluated, for example because of an overflow, it counts as broken.
//
// Nothing is trimmed or guessed: a space is part of a value. Lengths are numbers of
// characters, see [contract.Length]. Values include the plaintext of sensitive
// fields: they are kept no longer than the call, and no violation contains one.
package validation

import (
	"fmt"
	"time"

	"cel.dev/cel-go/common/types"
	"github.com/cockroachdb/apd/v3"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/record"
)

// Value is one value of a record.
type Value struct {
	Text     []byte // lexical form, in clear and in memory only
	Missing  bool   // null, or blank, see [contract.Field.IsBlank]
	Mistyped bool   // its JSON kind does not fit the field's type
}

// Violation is one reason why a record is rejected.
type Violation struct {
	Field   string // "" for a record that could not be read
	Rule    string // a rule name of package contract, one of its rules, or a fault of package record
	Details string // French, without any value
}

// Checker checks the records of one file. It is not safe for concurrent use.
type Checker struct {
	fields []fieldCheck
	forms  []func(text []byte) bool // by field: see fieldCheck.form
	rules  []ruleCheck
	record current
}

// NewChecker returns a checker for files of the resource with fileDate in their name.
// It fails if a pattern of the contract cannot be compiled, which cannot happen with
// a compiled contract.
func NewChecker(res *contract.Resource, fileDate time.Time) (*Checker, error) {
	year, month, day := fileDate.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	c := &Checker{record: current{
		fields:   res.Fields,
		parsed:   make([]parsed, len(res.Fields)),
		byName:   make(map[string]variable, 2*len(res.Fields)),
		fileDate: types.Timestamp{Time: midnight},
		nextEnd:  types.Timestamp{Time: midnight.AddDate(0, 0, 2)},
	}}
	for i, f := range res.Fields {
		check, err := newFieldCheck(f)
		if err != nil {
			return nil, fmt.Errorf("validation: %s.%s: %w", res.Name, f.Name, err)
		}
		c.fields = append(c.fields, check)
		c.forms = append(c.forms, check.form())
		c.record.byName[f.Name] = variable{field: i}
		c.record.byName[contract.VariablePresence+f.Name] = variable{field: i, presence: true}
	}
	for _, rule := range res.Rules {
		c.rules = append(c.rules, newRuleCheck(res, rule))
	}
	return c, nil
}

// Check returns all violations of a record. values has one value per field, in
// contract order; Check keeps none of them.
func (c *Checker) Check(values []Value, report func(Violation)) {
	r := &c.record
	r.values = values
	for i := range c.fields {
		c.fields[i].check(&values[i], &r.parsed[i], report)
	}
	for i := range c.rules {
		c.rules[i].check(r, report)
	}
	r.values = nil
}

// Malformed returns the violation of a record that could not be read; code is
// its [record.Record.Code].
func (c *Checker) Malformed(code string) Violation {
	fault, detail := record.ParseCode(code)
	if fault != record.FaultFields {
		return Violation{Rule: string(fault), Details: MalformedText(string(fault))}
	}
	return Violation{Rule: string(fault), Details: WrongFields(detail)}
}

// parsed is the typed value of a field of the current record.
type parsed struct {
	usable  bool // present and of the field's type; only then is one of these set
	integer int64
	decimal apd.Decimal
	boolean bool
	time    time.Time
}

// fieldCheck checks the constraints of one field.
type fieldCheck struct {
	field   *contract.Field
	pattern *automaton // nil: none, or not suitable and left to the field's Pattern
	enum    map[string]struct{}
	bounds  []bound
	free    bool // text of no set form
}

func newFieldCheck(f *contract.Field) (fieldCheck, error) {
	c := fieldCheck{field: f, bounds: newBounds(f), free: f.IsFreeText()}
	if f.Pattern != nil {
		a, err := newAutomaton(f.Pattern.String())
		if err != nil {
			return c, err
		}
		c.pattern = a
	}
	if f.Enum != nil {
		c.enum = make(map[string]struct{}, len(f.Enum))
		for _, v := range f.Enum {
			c.enum[v] = struct{}{}
		}
	}
	return c, nil
}

func (c *fieldCheck) check(v *Value, p *parsed, report func(Violation)) {
	f := c.field
	p.usable = false
	if v.Missing {
		if f.Required {
			report(Violation{f.Name, contract.RuleRequired, RequiredText(f.Name)})
		}
		return
	}
	if v.Mistyped {
		c.mistyped(report)
		return
	}
	switch f.Type {
	case contract.TypeInteger:
		c.integer(v.Text, p, report)
		return
	case contract.TypeNumber:
		p.decimal, p.usable = f.ParseDecimal(v.Text)
	case contract.TypeBoolean:
		p.boolean, p.usable = contract.ParseBoolean(v.Text)
	case contract.TypeDate:
		p.time, p.usable = contract.ParseDate(v.Text)
	case contract.TypeDateTime:
		p.time, p.usable = contract.ParseDateTime(v.Text)
	default:
		p.usable = true
		c.text(v.Text, report)
		return
	}
	if !p.usable {
		c.mistyped(report)
		return
	}
	switch f.Type {
	case contract.TypeNumber:
		for i := range c.bounds {
			if c.bounds[i].brokenBy(&p.decimal) {
				report(c.bounds[i].violation(f.Name))
			}
		}
	case contract.TypeDate, contract.TypeDateTime:
		c.instant(p.time, report)
	}
}

// instant checks the bounds of a date or time.
func (c *fieldCheck) instant(at time.Time, report func(Violation)) {
	f := c.field
	if at.Before(f.Earliest.Time) {
		report(Violation{f.Name, contract.RuleMinimum, MinimumText(f.Name, f.Earliest.Text)})
	}
	if at.After(f.Latest.Time) {
		report(Violation{f.Name, contract.RuleMaximum, MaximumText(f.Name, f.Latest.Text)})
	}
}

func (c *fieldCheck) mistyped(report func(Violation)) {
	f := c.field
	report(Violation{f.Name, contract.RuleType, TypeText(f.Name, string(f.Type))})
}

// integer checks an integer of any size. One that does not fit 64 bits exceeds every
// bound on its side, and rules over several fields cannot use it.
func (c *fieldCheck) integer(text []byte, p *parsed, report func(Violation)) {
	p.integer, p.usable = contract.ParseInteger(text)
	side := 0
	if !p.usable {
		if !contract.IsInteger(text) {
			c.mistyped(report)
			return
		}
		side = 1
		if text[0] == '-' {
			side = -1
		}
	}
	for i := range c.bounds {
		if c.bounds[i].brokenByInteger(p.integer, side) {
			report(c.bounds[i].violation(c.field.Name))
		}
	}
}

// text checks the constraints of a string.
func (c *fieldCheck) text(text []byte, report func(Violation)) {
	f := c.field
	if f.Format == contract.FormatEmail && !isEmail(text) {
		report(Violation{f.Name, contract.RuleFormat, EmailText(f.Name)})
	}
	if f.Pattern != nil && !c.matches(text) {
		report(Violation{f.Name, contract.RulePattern, PatternText(f.Name, f.Expected)})
	}
	if contract.HasForbidden(text, c.free) {
		report(Violation{f.Name, contract.RuleCharacters, CharactersText(f.Name)})
	}
	if f.MinLength > 0 && contract.Length(text) < f.MinLength {
		report(Violation{f.Name, contract.RuleMinLength, MinLengthText(f.Name, f.MinLength)})
	}
	if f.MaxLength > 0 && len(text) > f.MaxLength && contract.Length(text) > f.MaxLength { // never more characters than bytes
		report(Violation{f.Name, contract.RuleMaxLength, MaxLengthText(f.Name, f.MaxLength)})
	}
	if c.enum != nil && !c.listed(text) {
		report(Violation{f.Name, contract.RuleEnum, EnumText(f.Name, f.Expected, f.Enum)})
	}
}

func (c *fieldCheck) matches(text []byte) bool {
	if c.pattern != nil {
		return c.pattern.match(text)
	}
	return c.field.Pattern.Match(text)
}
