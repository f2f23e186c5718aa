package validation

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"etl-dataloader/internal/contract"
)

// ruleCheck evaluates one rule of the contract.
type ruleCheck struct {
	rule   contract.Rule
	fields []int // whose values it uses
	// Set for a rule that compares two times, which needs no CEL.
	times       *contract.TimeComparison
	left, right func(*current) time.Time
}

func newRuleCheck(res *contract.Resource, rule contract.Rule) ruleCheck {
	c := ruleCheck{rule: rule, times: rule.Times}
	for _, name := range rule.Fields {
		c.fields = append(c.fields, res.Field(name).Index)
	}
	if c.times != nil {
		c.left, c.right = timeOf(res, c.times.Left), timeOf(res, c.times.Right)
	}
	return c
}

// timeOf returns a function that finds the time of a variable.
func timeOf(res *contract.Resource, name string) func(*current) time.Time {
	switch name {
	case contract.VariableFileDate:
		return func(r *current) time.Time { return r.fileDate.Time }
	case contract.VariableNextDayEnd:
		return func(r *current) time.Time { return r.nextEnd.Time }
	default:
		i := res.Field(name).Index
		return func(r *current) time.Time { return r.parsed[i].time }
	}
}

// holds reports whether the comparison of the two times is true.
func (c *ruleCheck) holds(r *current) bool {
	order := c.left(r).Compare(c.right(r))
	switch c.times.Operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

func (c *ruleCheck) check(r *current, report func(Violation)) {
	for _, i := range c.fields {
		if !r.parsed[i].usable {
			return
		}
	}
	if c.times != nil {
		if !c.holds(r) {
			report(Violation{c.rule.Field, c.rule.Name, c.rule.Message})
		}
		return
	}
	if result, _, err := c.rule.Program.Eval(r); err != nil || result != types.True {
		// The error is dropped, because CEL's texts may hold values.
		report(Violation{c.rule.Field, c.rule.Name, c.rule.Message})
	}
}

// variable is the meaning of a name in a rule.
type variable struct {
	field    int
	presence bool
}

// current is the current record as the variables of a rule. It is reused for all
// records, because rules keep nothing.
type current struct {
	fields   []*contract.Field
	values   []Value
	parsed   []parsed
	byName   map[string]variable
	fileDate types.Timestamp
	nextEnd  types.Timestamp // value of the variable next_day_end
}

// ResolveName implements CEL's activation.
func (r *current) ResolveName(name string) (any, bool) {
	v, ok := r.byName[name]
	if !ok {
		switch name {
		case contract.VariableFileDate:
			return r.fileDate, true
		case contract.VariableNextDayEnd:
			return r.nextEnd, true
		default:
			return nil, false
		}
	}
	if v.presence {
		return types.Bool(!r.values[v.field].Missing), true
	}
	p := &r.parsed[v.field]
	switch r.fields[v.field].Type {
	case contract.TypeInteger:
		return types.Int(p.integer), true
	case contract.TypeNumber:
		return contract.Decimal{D: &p.decimal}, true
	case contract.TypeBoolean:
		return types.Bool(p.boolean), true
	case contract.TypeDate, contract.TypeDateTime:
		return types.Timestamp{Time: p.time}, true
	default:
		return types.String(r.values[v.field].Text), true
	}
}

// Parent implements CEL's activation; there is no parent.
func (r *current) Parent() cel.Activation { return nil }
