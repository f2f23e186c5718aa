package validation

import "etl-dataloader/internal/contract"

// Fits reports whether every value that is present fits its field: its type, and its
// list of values or pattern. If one does not, any value of the record may be in the
// wrong column, as after a forgotten comma. Such a record always has a violation, see
// [Checker.Check].
func (c *Checker) Fits(values []Value) bool {
	for i, form := range c.forms {
		v := &values[i]
		if !v.Missing && (v.Mistyped || (form != nil && !form(v.Text))) {
			return false
		}
	}
	return true
}

// form returns what reports whether a text is one of the field; nil: any text is.
func (c *fieldCheck) form() func(text []byte) bool {
	switch {
	case c.field.Type != contract.TypeString:
		return c.field.Lexical()
	case c.enum != nil:
		return c.listed
	case c.pattern != nil:
		return c.pattern.match
	case c.field.Pattern != nil:
		return c.field.Pattern.Match
	default:
		return nil
	}
}

// listed reports whether a text is one of the field's list of values.
func (c *fieldCheck) listed(text []byte) bool {
	if len(c.field.Enum) <= fewValues {
		for _, v := range c.field.Enum {
			if v == string(text) {
				return true
			}
		}
		return false
	}
	_, ok := c.enum[string(text)]
	return ok
}

// fewValues is the length up to which searching a list is faster than a map.
const fewValues = 8
