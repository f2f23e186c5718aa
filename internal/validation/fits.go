package validation

import "etl-dataloader/internal/contract"

// Fits reports whether every value that is present fits its field: its type, and its
// list of values or pattern. If one does not, any value of the record may be in the
// wrong column, as after a forgotten comma. Such a record always has a violation, see
// [Checker.Check].
func (c *Checker) Fits(values []Value) bool {
	for i := range c.fields {
		if !values[i].Missing && !c.fields[i].fits(&values[i]) {
			return false
		}
	}
	return true
}

func (c *fieldCheck) fits(v *Value) bool {
	if v.Mistyped {
		return false
	}
	f := c.field
	switch {
	case f.Type != contract.TypeString:
		return f.IsLexical(v.Text)
	case c.enum != nil:
		return c.listed(v.Text)
	case f.Pattern != nil:
		return c.matches(v.Text)
	default:
		return true
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
