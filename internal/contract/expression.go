package contract

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/cockroachdb/apd/v3"
)

// decimalType is the type of exact decimals in CEL. It has no conversion to double,
// so money cannot become floating point by accident.
var decimalType = types.NewObjectType("decimal", traits.AdderType|traits.SubtractorType|traits.MultiplierType|traits.ComparerType) //nolint:gochecknoglobals // a constant: CEL compares types by identity

// exact returns a context that computes without rounding; the digits of its operands
// bound those of a result.
func exact() *apd.Context {
	return &apd.Context{MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent}
}

// Decimal is an exact decimal as a value of CEL.
type Decimal struct{ D *apd.Decimal }

// Add implements + of CEL.
func (d Decimal) Add(other ref.Val) ref.Val { return d.compute(other, exact().Add) }

// Subtract implements - of CEL.
func (d Decimal) Subtract(other ref.Val) ref.Val { return d.compute(other, exact().Sub) }

// Multiply implements * of CEL.
func (d Decimal) Multiply(other ref.Val) ref.Val { return d.compute(other, exact().Mul) }

func (d Decimal) compute(other ref.Val, op func(d, x, y *apd.Decimal) (apd.Condition, error)) ref.Val {
	y, ok := asDecimal(other)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	result := new(apd.Decimal)
	if _, err := op(result, d.D, y); err != nil {
		return types.NewErr("decimal out of range")
	}
	return Decimal{result}
}

// Compare implements <, <=, >= and > of CEL.
func (d Decimal) Compare(other ref.Val) ref.Val {
	y, ok := asDecimal(other)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.Int(d.D.Cmp(y))
}

// Equal implements == of CEL, by value: 1.50 equals 1.5.
func (d Decimal) Equal(other ref.Val) ref.Val {
	y, ok := other.(Decimal)
	return types.Bool(ok && d.D.Cmp(y.D) == 0)
}

// ConvertToNative always fails: results of rules are booleans.
func (d Decimal) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("contract: a decimal has no native form")
}

// ConvertToType always fails: decimals convert to nothing.
func (d Decimal) ConvertToType(ref.Type) ref.Val { return types.NewErr("decimal cannot be converted") }

// Type returns the type "decimal".
func (d Decimal) Type() ref.Type { return decimalType }

// Value returns the decimal itself.
func (d Decimal) Value() any { return d.D }

func asDecimal(v ref.Val) (*apd.Decimal, bool) {
	switch v := v.(type) {
	case Decimal:
		return v.D, true
	case types.Int:
		return apd.New(int64(v), 0), true
	default:
		return nil, false
	}
}

// roundHalfUp rounds to a number of digits after the point; a half is rounded away
// from zero, as cash registers do. A number that already has these digits is
// returned itself.
func roundHalfUp(d *apd.Decimal, digits int32) (*apd.Decimal, error) {
	if d.Form == apd.Finite && d.Exponent == -digits { // as prices times whole quantities are
		return d, nil
	}
	ctx := apd.Context{
		Precision: uint32(d.NumDigits()+int64(math.Abs(float64(d.Exponent)))) + uint32(digits) + 1, //nolint:gosec // both are small
		Rounding:  apd.RoundHalfUp, MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent,
	}
	result := new(apd.Decimal)
	if _, err := ctx.Quantize(result, d, -digits); err != nil {
		return nil, fmt.Errorf("contract: round: %w", err)
	}
	return result, nil
}

// celType is the type of a field's variable in rules.
func celType(t Type) *cel.Type {
	switch t {
	case TypeInteger:
		return cel.IntType
	case TypeNumber:
		return decimalType
	case TypeBoolean:
		return cel.BoolType
	case TypeDate, TypeDateTime:
		return cel.TimestampType
	default:
		return cel.StringType
	}
}

// environment declares the variables and functions of a rule.
func environment(fields []*Field) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.Variable(VariableFileDate, cel.TimestampType),
		cel.Variable(VariableNextDayEnd, cel.TimestampType),
		cel.Function("decimal", cel.Overload("int_to_decimal", []*cel.Type{cel.IntType}, decimalType, cel.UnaryBinding(toDecimal))),
		cel.Function("roundHalfUp", cel.Overload("round_half_up_decimal_int", []*cel.Type{decimalType, cel.IntType}, decimalType, cel.BinaryBinding(roundHalfUpOverload))),
		cel.Function("isIBAN", cel.Overload("is_iban_string", []*cel.Type{cel.StringType}, cel.BoolType, cel.UnaryBinding(isIBANOverload))),
	}
	for _, f := range fields {
		options = append(options, cel.Variable(f.Name, celType(f.Type)), cel.Variable(VariablePresence+f.Name, cel.BoolType))
	}
	for name, operator := range map[string]string{"add": operators.Add, "subtract": operators.Subtract, "multiply": operators.Multiply} {
		options = append(options, overloads(name, operator, decimalType))
	}
	for name, operator := range map[string]string{
		"less": operators.Less, "less_equals": operators.LessEquals, "greater": operators.Greater, "greater_equals": operators.GreaterEquals,
	} {
		options = append(options, overloads(name, operator, cel.BoolType))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("declare the fields: %w", err)
	}
	return env, nil
}

// overloads adds decimal op decimal and decimal op int to an operator of CEL, which
// dispatches to the methods of [Decimal].
func overloads(name, operator string, result *cel.Type) cel.EnvOption {
	return cel.Function(operator,
		cel.Overload(name+"_decimal_decimal", []*cel.Type{decimalType, decimalType}, result),
		cel.Overload(name+"_decimal_int", []*cel.Type{decimalType, cel.IntType}, result))
}

func toDecimal(v ref.Val) ref.Val {
	d, ok := asDecimal(v)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	return Decimal{d}
}

func roundHalfUpOverload(value, digits ref.Val) ref.Val {
	d, ok1 := value.(Decimal)
	n, ok2 := digits.(types.Int)
	if !ok1 || !ok2 || n < 0 || n > MaxDecimalDigits {
		return types.NewErr("roundHalfUp takes a decimal and 0 to 38 digits")
	}
	rounded, err := roundHalfUp(d.D, int32(n))
	if err != nil {
		return types.WrapErr(err)
	}
	return Decimal{rounded}
}

func isIBANOverload(v ref.Val) ref.Val {
	s, ok := v.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	return types.Bool(isIBAN(string(s)))
}
