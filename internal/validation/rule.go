package validation

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"etl-dataloader/internal/contract"
)

// ruleCheck evaluates one rule of the contract.
type ruleCheck struct {
	rule   contract.Rule
	fields []int // whose values it mentions
}

func (c *ruleCheck) check(r *current, report func(Violation)) {
	for _, i := range c.fields {
		if !r.parsed[i].usable {
			return
		}
	}
	if result, _, err := c.rule.Program.Eval(r); err != nil || result != types.True {
		// The error is not passed on: CEL's texts may hold values.
		report(Violation{c.rule.Field, c.rule.Name, c.rule.Message})
	}
}

// variable is what a name in a rule stands for.
type variable struct {
	field    int
	presence bool
}

// current is the current record as the variables of a rule. One is reused for
// all records: rules keep nothing.
type current struct {
	fields   []*contract.Field
	values   []Value
	parsed   []parsed
	byName   map[string]variable
	fileDate ref.Val
}

// ResolveName implements CEL's activation.
func (r *current) ResolveName(name string) (any, bool) {
	v, ok := r.byName[name]
	if !ok {
		if name == contract.VariableFileDate {
			return r.fileDate, true
		}
		return nil, false
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

// Parent implements CEL's activation: there is none.
func (r *current) Parent() cel.Activation { return nil }
