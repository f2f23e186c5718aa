package validation

import (
	"fmt"

	"etl-dataloader/internal/contract"
)

// ValueChecker checks values of one field by themselves, such as those that an external
// system answers. It is safe for concurrent use.
type ValueChecker struct{ check fieldCheck }

// NewValueChecker returns a checker for the values of a field. It fails as [NewChecker]
// does.
func NewValueChecker(f *contract.Field) (*ValueChecker, error) {
	check, err := newFieldCheck(f)
	if err != nil {
		return nil, fmt.Errorf("validation: %s: %w", f.Name, err)
	}
	return &ValueChecker{check}, nil
}

// Valid reports whether a text, which is not missing, is of the field's type and keeps
// its constraints. Whether the field is required and whether values are unique concerns
// more than a value.
func (c *ValueChecker) Valid(text []byte) bool {
	valid := true
	var p parsed
	c.check.check(&Value{Text: text}, &p, func(Violation) { valid = false })
	return valid
}
