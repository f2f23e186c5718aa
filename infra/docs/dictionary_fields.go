package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/message"
)

// manyValues is the length from which a list of allowed values is described
// instead of shown.
const manyValues = 10

// fields lists the fields of a resource and where each goes.
func fields(out *strings.Builder, r *contract.Resource) {
	t := newTable(out, "Champ", "Libellé", "Type", "Obligatoire", "Contraintes", "Sensibilité", "Colonnes cibles")
	for _, f := range r.Fields {
		fieldType := string(f.Type)
		if f.Format != "" {
			fieldType += "/" + f.Format
		}
		t.row(code(f.Name), cell(f.Title), code(fieldType), yesNo(f.Required), constraints(f), sensitivity(f), targets(f))
	}
}

func sensitivity(f *contract.Field) string {
	switch f.Sensitivity {
	case contract.Cipher:
		return "**C**"
	case contract.Token:
		return "**T** (domaine " + code(f.Domain) + ")"
	default:
		return "—"
	}
}

// targets names the columns of the target table that a field fills.
func targets(f *contract.Field) string {
	switch f.Sensitivity {
	case contract.Cipher:
		return code(f.Target + " bytea")
	case contract.Token:
		return code(f.Target+" bytea") + ", " + code(f.Target+contract.TokenSuffix+" bytea")
	default:
		return code(f.Target + " " + shortType(f.Type.SQLType()))
	}
}

// constraints shows the constraints of a field.
func constraints(f *contract.Field) string {
	var shown []string
	if f.MinLength > 0 {
		shown = append(shown, fmt.Sprintf("au moins %d caractères", f.MinLength))
	}
	if f.MaxLength > 0 {
		shown = append(shown, fmt.Sprintf("au plus %d caractères", f.MaxLength))
	}
	if f.Pattern != nil {
		text := code(plainPattern(f.Pattern.String()))
		if f.Expected != "" {
			text = f.Expected + " (" + text + ")"
		}
		shown = append(shown, text)
	}
	switch {
	case len(f.Enum) > manyValues:
		shown = append(shown, fmt.Sprintf("%s (%d valeurs)", f.Expected, len(f.Enum)))
	case f.Enum != nil:
		shown = append(shown, "une de : "+codes(f.Enum))
	}
	for _, b := range bounds(f) {
		if !isWide(b.limit) {
			shown = append(shown, b.sign+" "+b.limit.Text('f'))
		}
	}
	if f.Type == contract.TypeInteger && f.Maximum != nil && isWide(f.Maximum) {
		shown = append(shown, "64 bits")
	}
	return strings.Join(shown, " ; ")
}

// plainPattern is a pattern as the contract writes it, without the anchors that
// make it match the whole value.
func plainPattern(pattern string) string {
	return strings.TrimSuffix(strings.TrimPrefix(pattern, `\A(?:`), `)\z`)
}

// bound is a bound of a field, with what the log says where it is broken.
type bound struct {
	rule, sign string
	limit      *apd.Decimal
	explain    func(field, limit string) string
}

// bounds returns the bounds of a field in the order in which they are checked.
func bounds(f *contract.Field) []bound {
	var set []bound
	for _, b := range []bound{
		{contract.RuleMinimum, "≥", f.Minimum, message.Minimum},
		{contract.RuleExclusiveMinimum, ">", f.ExclusiveMinimum, message.ExclusiveMinimum},
		{contract.RuleMaximum, "≤", f.Maximum, message.Maximum},
		{contract.RuleExclusiveMaximum, "<", f.ExclusiveMaximum, message.ExclusiveMaximum},
	} {
		if b.limit != nil {
			set = append(set, b)
		}
	}
	return set
}

// isWide tells whether a bound is one of 64-bit integers.
func isWide(limit *apd.Decimal) bool {
	text := limit.Text('f')
	return text == strconv.FormatInt(math.MaxInt64, 10) || text == strconv.FormatInt(math.MinInt64, 10)
}

// rules lists every rule that can reject a record, with what the error table and
// the central log say.
func rules(out *strings.Builder, pkg *contract.Package, r *contract.Resource) {
	line(out, "\nRègles de validation (`etl.errors`) :\n")
	t := newTable(out, "Champ", "Règle", "Condition", "Message")
	for _, f := range r.Fields {
		fieldRules(t, f)
	}
	for _, rule := range r.Rules {
		t.row(code(rule.Field), code(rule.Name), code(rule.Expression), cell(rule.Message))
	}
	t.row(codes(r.Key), code(contract.RulePrimaryKey), "clé unique dans le fichier", cell(message.DuplicateTemplate(r.Key)))
	for _, key := range r.Unique {
		t.row(codes(key), code(contract.RuleUnique), "valeur unique dans le fichier", cell(message.DuplicateTemplate(key)))
	}
	for _, relation := range r.Relations {
		t.row(codes(relation.Fields), code(contract.RuleForeignKey), "existe dans "+code(relation.Resource),
			cell(message.UnknownParent(relation.Fields, relation.Resource)))
		if relation.Acyclic {
			t.row(codes(relation.Fields), code(contract.RuleCycle), "ne revient pas à l'enregistrement", cell(message.Cycle(relation.Fields)))
		}
	}
	for _, rule := range r.ChildRules {
		parent := pkg.Resource(r.Relations[rule.Relation].Resource)
		t.row(code(rule.Field), code(rule.Name), code(rule.Field+" "+rule.Comparison+" "+parent.Name+"."+rule.ParentField), cell(rule.Message))
	}
}

// fieldRules lists the rules of one field in the order in which they are checked.
func fieldRules(t *table, f *contract.Field) {
	add := func(rule, condition, text string) { t.row(code(f.Name), code(rule), condition, cell(text)) }
	if f.Required {
		add(contract.RuleRequired, "présent", message.Required(f.Name))
	}
	add(contract.RuleType, code(string(f.Type)), message.Type(f.Name, string(f.Type)))
	if f.Format == contract.FormatEmail {
		add(contract.RuleFormat, "adresse électronique", message.Email(f.Name))
	}
	if f.Pattern != nil {
		add(contract.RulePattern, code(plainPattern(f.Pattern.String())), message.Pattern(f.Name, f.Expected))
	}
	if f.MinLength > 0 {
		add(contract.RuleMinLength, fmt.Sprintf("≥ %d caractères", f.MinLength), message.MinLength(f.Name, f.MinLength))
	}
	if f.MaxLength > 0 {
		add(contract.RuleMaxLength, fmt.Sprintf("≤ %d caractères", f.MaxLength), message.MaxLength(f.Name, f.MaxLength))
	}
	if f.Enum != nil {
		add(contract.RuleEnum, fmt.Sprintf("une des %d valeurs admises", len(f.Enum)), message.Enum(f.Name, f.Expected, f.Enum))
	}
	for _, b := range bounds(f) {
		add(b.rule, b.sign+" "+b.limit.Text('f'), b.explain(f.Name, b.limit.Text('f')))
	}
}
