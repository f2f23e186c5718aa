package precheck

import (
	"slices"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/setrule"
	"etl-dataloader/internal/validation"
)

// separator stands between the values of a key; no value holds it, as a NUL
// rejects its record.
const separator = "\x00"

// keyText returns the text by which the values of the fields are compared, as
// the import compares them: sensitive values in canonical form, public integers
// by value if they fit 64 bits, others as they are. It is false if one of them
// is missing, of another JSON kind, or has no such form.
func keyText(fields []*contract.Field, values []validation.Value) (string, bool) {
	if len(fields) == 1 {
		return oneKey(fields[0], &values[fields[0].Index])
	}
	parts := make([]string, len(fields))
	for i, f := range fields {
		text, ok := oneKey(f, &values[f.Index])
		if !ok {
			return "", false
		}
		parts[i] = text
	}
	return strings.Join(parts, separator), true
}

func oneKey(f *contract.Field, v *validation.Value) (string, bool) {
	switch {
	case v.Missing, v.Mistyped:
		return "", false
	case f.Sensitivity == contract.Token:
		return f.Canonical(v.Text)
	case f.Type == contract.TypeInteger:
		if _, ok := contract.ParseInteger(v.Text); !ok {
			return "", false
		}
		return f.Canonical(v.Text)
	default:
		return string(v.Text), true
	}
}

func fieldsOf(r *contract.Resource, names []string) []*contract.Field {
	fields := make([]*contract.Field, len(names))
	for i, name := range names {
		fields[i] = r.Field(name)
	}
	return fields
}

// uniqueKey knows on which line each key stands first.
type uniqueKey struct {
	rule   string
	names  []string
	fields []*contract.Field
	first  map[string]int64
}

func newUniqueKey(r *contract.Resource, rule string, names []string) *uniqueKey {
	return &uniqueKey{rule: rule, names: names, fields: fieldsOf(r, names), first: map[string]int64{}}
}

// seen remembers the key of a record, and tells where it stood before.
func (u *uniqueKey) seen(values []validation.Value, line int64) (first int64, twice bool) {
	key, ok := keyText(u.fields, values)
	if !ok {
		return 0, false
	}
	if first, twice = u.first[key]; !twice {
		u.first[key] = line
	}
	return first, twice
}

// bigint is an integer that a child rule compares; ok is false if the record has
// none.
type bigint struct {
	n  int64
	ok bool
}

func bigintOf(f *contract.Field, values []validation.Value) bigint {
	v := &values[f.Index]
	if v.Missing || v.Mistyped {
		return bigint{}
	}
	n, ok := contract.ParseInteger(v.Text)
	return bigint{n, ok}
}

// parent holds what children ask of the valid records of a file.
type parent struct {
	key  []*contract.Field
	kept []*contract.Field // compared by child rules
	rows map[string][]bigint
}

// newParent returns nil if no other resource refers to r.
func newParent(pkg *contract.Package, r *contract.Resource) *parent {
	p := &parent{key: r.KeyFields(), rows: map[string][]bigint{}}
	referred := false
	for _, child := range pkg.Resources {
		if child == r {
			continue
		}
		for _, rel := range child.Relations {
			referred = referred || rel.Resource == r.Name
		}
		for _, rule := range child.ChildRules {
			f := r.Field(rule.ParentField)
			if child.Relations[rule.Relation].Resource == r.Name && !slices.Contains(p.kept, f) {
				p.kept = append(p.kept, f)
			}
		}
	}
	if !referred {
		return nil
	}
	return p
}

// add keeps a valid record.
func (p *parent) add(values []validation.Value) {
	if key, ok := keyText(p.key, values); ok {
		p.rows[key] = p.keep(values)
	}
}

// keep returns what children ask of a record besides its key; nil for nothing.
func (p *parent) keep(values []validation.Value) (kept []bigint) {
	for _, f := range p.kept {
		kept = append(kept, bigintOf(f, values))
	}
	return kept
}

// relation is one of the contract's, with what the given files know of it.
type relation struct {
	contract.Relation
	fields    []*contract.Field
	parent    *parent // nil if its file was not read
	published bool    // the parent's table keeps records of earlier days
	rules     []childRule
	open      int64
}

// childRule is one of the contract's rules over a record and its parent.
type childRule struct {
	contract.ChildRule
	field *contract.Field
	kept  int // position of the parent's field in [parent.kept]
	// Of a rule over the sum: by the parent's key, what its valid records take.
	taken map[string]int64
}

func newRelation(c *Checker, r *contract.Resource, index int) *relation {
	rel := r.Relations[index]
	target := c.pkg.Resource(rel.Resource)
	one := &relation{
		Relation: rel, fields: fieldsOf(r, rel.Fields), parent: c.parents[rel.Resource], published: target.Load == contract.LoadUpsert,
	}
	if one.parent == nil {
		return one
	}
	for _, rule := range r.ChildRules {
		if rule.Relation == index {
			kept := slices.Index(one.parent.kept, target.Field(rule.ParentField))
			one.rules = append(one.rules, childRule{rule, r.Field(rule.Field), kept, map[string]int64{}})
		}
	}
	return one
}

// check looks for the record's parent, and compares with it.
func (rel *relation) check(daily bool, values []validation.Value, report func(validation.Violation)) {
	key, ok := keyText(rel.fields, values)
	if !ok {
		return
	}
	if rel.parent == nil {
		rel.open++
		return
	}
	row, found := rel.parent.rows[key]
	switch {
	case !found && daily && rel.published:
		rel.open++
		return
	case !found:
		report(rel.orphan())
		return
	}
	for _, rule := range rel.rules {
		mine, theirs := bigintOf(rule.field, values), row[rule.kept]
		if mine.ok && theirs.ok && !holds(mine.n, rule.Comparison, theirs.n) {
			report(validation.Violation{Field: rule.Field, Rule: rule.Name, Details: rule.Message})
		}
	}
}

// sums holds a record that no other rule rejects to the rules over the sum of its
// parent's records, and counts it unless it is one too many. What is published
// already is not known here.
func (rel *relation) sums(values []validation.Value, report func(validation.Violation)) {
	if rel.parent == nil {
		return
	}
	key, ok := keyText(rel.fields, values)
	row, found := rel.parent.rows[key]
	if !ok || !found {
		return
	}
	for _, rule := range rel.rules {
		mine, most := bigintOf(rule.field, values), row[rule.kept]
		switch taken := rule.taken[key]; {
		case !rule.Sum || !mine.ok || !most.ok:
		case mine.n > most.n-taken:
			report(validation.Violation{Field: rule.Field, Rule: rule.Name, Details: rule.Message})
		default:
			rule.taken[key] = taken + mine.n
		}
	}
}

func (rel *relation) orphan() validation.Violation {
	return validation.Violation{
		Field: strings.Join(rel.Fields, ", "), Rule: contract.RuleForeignKey, Details: setrule.UnknownParentText(rel.Fields, rel.Resource),
	}
}

// holds compares as SQL does.
func holds(a int64, comparison string, b int64) bool {
	switch comparison {
	case "<=":
		return a <= b
	case "<":
		return a < b
	case ">=":
		return a >= b
	case ">":
		return a > b
	default:
		return a == b
	}
}
