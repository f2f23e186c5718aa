package contract

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// Names of the rules that need no expression, as they appear in etl.errors. A rule
// of the contract must not use one of them.
const (
	RuleRequired         = "required"
	RuleType             = "type"
	RuleFormat           = "format"
	RulePattern          = "pattern"
	RuleCharacters       = "characters" // a control character, or U+FFFD
	RuleMinLength        = "minLength"
	RuleMaxLength        = "maxLength"
	RuleMinimum          = "minimum"
	RuleMaximum          = "maximum"
	RuleExclusiveMinimum = "exclusiveMinimum"
	RuleExclusiveMaximum = "exclusiveMaximum"
	RuleEnum             = "enum"
	RulePrimaryKey       = "primaryKey" // a second record of the same key
	RuleUnique           = "unique"     // a second record of the same unique key
	RuleForeignKey       = "foreignKey" // no valid parent
	RuleCycle            = "cycle"      // an acyclic relation leads back to the record
)

// builtIn reports whether name is one of the rules above.
func builtIn(name string) bool {
	switch name {
	case RuleRequired, RuleType, RuleFormat, RulePattern, RuleCharacters, RuleMinLength, RuleMaxLength, RuleMinimum, RuleMaximum,
		RuleExclusiveMinimum, RuleExclusiveMaximum, RuleEnum, RulePrimaryKey, RuleUnique, RuleForeignKey, RuleCycle:
		return true
	default:
		return false
	}
}

// VariableFileDate is the variable of a rule that holds the file's date.
const VariableFileDate = "file_date"

// VariableNextDayEnd is the variable of a rule that holds the midnight, UTC, that
// ends the day after the file's date.
const VariableNextDayEnd = "next_day_end"

// VariablePresence is the prefix of the variables that report whether a field has a
// value: present.iban.
const VariablePresence = "present."

// ruleName checks the name, field and message of a rule of the contract.
func (c *resourceCompiler) ruleName(property, name, field, message string) error {
	if !isName(name) || builtIn(name) {
		return c.fail(field, property, "name %q must be lower-case letters, digits, underscores, and none of the built-in rules", name)
	}
	taken := slices.ContainsFunc(c.r.Rules, func(r Rule) bool { return r.Name == name }) ||
		slices.ContainsFunc(c.r.ChildRules, func(r ChildRule) bool { return r.Name == name })
	if taken {
		return c.fail(field, property, "name %q is used twice", name)
	}
	if c.r.Field(field) == nil {
		return c.fail("", property, "rule %s: %q is no field", name, field)
	}
	if strings.TrimSpace(message) == "" {
		return c.fail(field, property, "rule %s has no message", name)
	}
	return nil
}

func (c *resourceCompiler) rules() error {
	const property = "etl:rules"
	if len(c.d.Rules) == 0 {
		return nil
	}
	env, err := environment(c.r.Fields)
	if err != nil {
		return c.fail("", property, "%v", err)
	}
	for _, raw := range c.d.Rules {
		var d ruleDescriptor
		if err := strict(raw, &d); err != nil {
			return c.fail("", property, "%v", err)
		}
		if err := c.ruleName(property, d.Name, d.Field, d.Message); err != nil {
			return err
		}
		rule := Rule{Name: d.Name, Field: d.Field, Expression: d.Expression, Message: d.Message}
		checked, issues := env.Compile(d.Expression)
		if err := issues.Err(); err != nil {
			return c.fail(d.Field, property, "rule %s: %v", d.Name, err)
		}
		if !checked.OutputType().IsExactType(cel.BoolType) {
			return c.fail(d.Field, property, "rule %s gives %s instead of true or false", d.Name, checked.OutputType())
		}
		c.mentions(checked, &rule)
		rule.Times = c.times(checked)
		if len(rule.Fields)+len(rule.Presence) == 0 {
			return c.fail(d.Field, property, "rule %s mentions no field", d.Name)
		}
		if rule.Program, err = env.Program(checked, cel.EvalOptions(cel.OptOptimize)); err != nil {
			return c.fail(d.Field, property, "rule %s: %v", d.Name, err)
		}
		c.r.Rules = append(c.r.Rules, rule)
	}
	return nil
}

// times returns the comparison of two times if the checked expression is one, else
// nil.
func (c *resourceCompiler) times(checked *cel.Ast) *TimeComparison {
	root := checked.NativeRep().Expr()
	if root.Kind() != ast.CallKind || len(root.AsCall().Args()) != 2 {
		return nil
	}
	operator, known := map[string]string{
		operators.Less: "<", operators.LessEquals: "<=", operators.Greater: ">", operators.GreaterEquals: ">=",
	}[root.AsCall().FunctionName()]
	left, right := root.AsCall().Args()[0], root.AsCall().Args()[1]
	if !known || !c.isTime(left) || !c.isTime(right) {
		return nil
	}
	return &TimeComparison{Left: left.AsIdent(), Operator: operator, Right: right.AsIdent()}
}

func (c *resourceCompiler) isTime(e ast.Expr) bool {
	if e.Kind() != ast.IdentKind {
		return false
	}
	name := e.AsIdent()
	f := c.r.Field(name)
	return name == VariableFileDate || name == VariableNextDayEnd || (f != nil && (f.Type == TypeDate || f.Type == TypeDateTime))
}

// mentions finds the fields that the checked expression reads.
func (c *resourceCompiler) mentions(checked *cel.Ast, rule *Rule) {
	names := map[string]bool{}
	for _, ref := range checked.NativeRep().ReferenceMap() {
		names[ref.Name] = true
	}
	for _, f := range c.r.Fields {
		if names[f.Name] {
			rule.Fields = append(rule.Fields, f.Name)
		}
		if names[VariablePresence+f.Name] {
			rule.Presence = append(rule.Presence, f.Name)
		}
	}
}

func (c *resourceCompiler) relationRules() error {
	const property = "etl:relationRules"
	for _, raw := range c.d.RelationRules {
		var d relationRuleDescriptor
		if err := strict(raw, &d); err != nil {
			return c.fail("", property, "%v", err)
		}
		if err := c.ruleName(property, d.Name, d.Field, d.Message); err != nil {
			return err
		}
		if f := c.r.Field(d.Field); f.Type != TypeInteger || f.Sensitive() {
			return c.fail(d.Field, property, "rule %s compares public integers only", d.Name)
		}
		if !slices.Contains([]string{"<=", "<", "=", ">=", ">"}, d.Comparison) {
			return c.fail(d.Field, property, "rule %s: %q is none of <=, <, =, >=, >", d.Name, d.Comparison)
		}
		relation := slices.IndexFunc(c.r.Relations, func(r Relation) bool { return slices.Equal(r.Fields, d.Relation) })
		if relation < 0 {
			return c.fail(d.Field, property, "rule %s: there is no foreign key of %v", d.Name, []string(d.Relation))
		}
		if d.Sum && d.Comparison != "<=" {
			return c.fail(d.Field, property, "rule %s: a sum is compared by <= alone", d.Name)
		}
		if d.Sum && slices.ContainsFunc(c.r.Relations, func(r Relation) bool { return r.Resource == c.r.Name }) {
			return c.fail(d.Field, property, "rule %s: a resource that refers to itself has no sums, as rejects cascade in it", d.Name)
		}
		c.r.ChildRules = append(c.r.ChildRules, ChildRule{
			Name: d.Name, Field: d.Field, Relation: relation, Comparison: d.Comparison, ParentField: d.ParentField, Sum: d.Sum, Message: d.Message,
		})
	}
	return nil
}
