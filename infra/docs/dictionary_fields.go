package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/validation"
)

// manyValues is the length from which a list of allowed values is described
// instead of shown.
const manyValues = 10

// fields lists the fields of a resource.
func fields(out *strings.Builder, r *contract.Resource) {
	t := newTable(out, "Champ", "Libellé", "Type", "Obligatoire", "Contraintes", "Sensibilité")
	for _, f := range r.Fields {
		fieldType := string(f.Type)
		if f.Format != "" {
			fieldType += "/" + f.Format
		}
		t.row(code(f.Name), cell(f.Title), code(fieldType), yesNo(f.Required), constraints(f), sensitivity(f))
	}
}

// answered lists the fields that a source adds to the events of a resource.
func answered(out *strings.Builder, r *contract.Resource) {
	if r.Enrichment == nil {
		return
	}
	line(out, "\nChamps que la source %s ajoute aux événements, et à eux seuls ; une réponse qui n'a pas ces formes est refusée :\n", code(r.Enrichment.Source))
	t := newTable(out, "Champ", "Type", "Contraintes", "Sensibilité")
	for _, f := range r.Enrichment.Fields {
		t.row(code(f.Name), code(string(f.Type)), constraints(f.Field()), sensitivity(f.Field()))
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
	if f.Earliest.Text != "" {
		shown = append(shown, "de "+f.Earliest.Text+" à "+f.Latest.Text)
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

// bound is a bound of a field, with the text of its violation.
type bound struct {
	rule, sign string
	limit      *apd.Decimal
	explain    func(field, limit string) string
}

// bounds returns the bounds of a field in the order in which they are checked.
func bounds(f *contract.Field) []bound {
	var set []bound
	for _, b := range []bound{
		{contract.RuleMinimum, "≥", f.Minimum, validation.MinimumText},
		{contract.RuleExclusiveMinimum, ">", f.ExclusiveMinimum, validation.ExclusiveMinimumText},
		{contract.RuleMaximum, "≤", f.Maximum, validation.MaximumText},
		{contract.RuleExclusiveMaximum, "<", f.ExclusiveMaximum, validation.ExclusiveMaximumText},
	} {
		if b.limit != nil {
			set = append(set, b)
		}
	}
	return set
}

// isWide reports whether a bound is one of 64-bit integers.
func isWide(limit *apd.Decimal) bool {
	text := limit.Text('f')
	return text == strconv.FormatInt(math.MaxInt64, 10) || text == strconv.FormatInt(math.MinInt64, 10)
}
