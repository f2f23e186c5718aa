package validation

import (
	"github.com/cockroachdb/apd/v3"

	"etl-dataloader/internal/contract"
)

// bound is one bound of an integer or number.
type bound struct {
	rule    string
	limit   *apd.Decimal
	integer int64 // limit as an integer, for integer fields
	zero    bool  // limit is zero: the sign decides
	sign    int   // side of the limit that breaks it: -1 below, +1 above
	touch   bool  // the limit itself breaks it too
	explain func(field, limit string) string
}

// newBounds returns the bounds of a field, in a fixed order.
func newBounds(f *contract.Field) []bound {
	var bounds []bound
	for _, b := range []bound{
		{rule: contract.RuleMinimum, limit: f.Minimum, sign: -1, explain: MinimumText},
		{rule: contract.RuleExclusiveMinimum, limit: f.ExclusiveMinimum, sign: -1, touch: true, explain: ExclusiveMinimumText},
		{rule: contract.RuleMaximum, limit: f.Maximum, sign: 1, explain: MaximumText},
		{rule: contract.RuleExclusiveMaximum, limit: f.ExclusiveMaximum, sign: 1, touch: true, explain: ExclusiveMaximumText},
	} {
		if b.limit == nil {
			continue
		}
		b.zero = b.limit.IsZero()
		if f.Type == contract.TypeInteger {
			b.integer, _ = contract.ParseInteger([]byte(b.limit.Text('f'))) // the contract has checked that it fits
		}
		bounds = append(bounds, b)
	}
	return bounds
}

func (b *bound) brokenBy(d *apd.Decimal) bool {
	if b.zero {
		return b.broken(d.Sign())
	}
	return b.broken(d.Cmp(b.limit))
}

// brokenByInteger reports whether a value breaks the bound; side is set for a value
// beyond 64 bits.
func (b *bound) brokenByInteger(v int64, side int) bool {
	switch {
	case side != 0:
		return b.broken(side)
	case v < b.integer:
		return b.broken(-1)
	case v > b.integer:
		return b.broken(1)
	default:
		return b.touch
	}
}

func (b *bound) broken(cmp int) bool { return cmp == b.sign || (cmp == 0 && b.touch) }

func (b *bound) violation(field string) Violation {
	return Violation{field, b.rule, b.explain(field, b.limit.Text('f'))}
}
