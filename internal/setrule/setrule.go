// Package setrule turns the contract's rules over more than one record into SQL:
// uniqueness, relations, trees, rules across files and sums. [Rules] lists them in
// an order in which each sees the rejects that it depends on, [InOrder] runs them,
// and [Rule.Apply] runs the statements of one rule in a [Transaction].
//
// A rule reads the staged rows of its resource and of its parents, compares tokens
// and canonical keys, and never sees a value. It stores what it finds in etl.errors
// and etl.rejects. After a publication [Orphans] looks for published rows whose
// parent is gone.
package setrule

import (
	"context"
	"slices"

	"etl-dataloader/internal/contract"
)

// Transaction runs the statements of a rule; *postgres.Tx implements it. A rule that
// fails leaves it unusable.
type Transaction interface {
	// Execute runs a statement, or several without arguments, and returns how many
	// rows the last one wrote.
	Execute(ctx context.Context, sql string, args ...any) (rows int64, err error)
	// Count returns the single number that a statement yields.
	Count(ctx context.Context, sql string, args ...any) (int64, error)
}

// Scope is the import whose records are checked.
type Scope struct {
	ImportID   string
	Generation int
	// Initial reports whether the import replaces every table, so that no published
	// row can be a parent.
	Initial bool
}

// settings are the settings of a transaction that applies a rule. The keys of millions
// of records are hashed and sorted in memory, and by a single process because the
// caller applies several rules at a time. A sort or hash table that needs more memory
// spills to a temporary file.
const settings = `SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0`

// Rule is one rule over more than one record.
type Rule struct {
	Resource *contract.Resource
	Number   int // in the resource, from 1
	pkg      *contract.Package
	apply    func(context.Context, *writer) error
	after    []*Rule // whose rejects it must see
}

// Apply stores the errors that the rule finds, rejects their records, and returns
// how many records no rule had rejected before.
func (r *Rule) Apply(ctx context.Context, tx Transaction, scope Scope) (rejected int64, err error) {
	if _, err := tx.Execute(ctx, settings); err != nil {
		return 0, err
	}
	w := &writer{tx: tx, scope: scope, pkg: r.pkg, resource: r.Resource}
	err = r.apply(ctx, w)
	return w.rejected, err
}

// Rules lists all rules, parents before children. For each resource they are the
// uniqueness of its keys, its relations, the rules over a record and its parent, those
// over all valid records of a parent, and last its relations to itself, through which
// every reject of the resource cascades.
func Rules(pkg *contract.Package) []*Rule {
	var all []*Rule
	of := map[string][]*Rule{}
	add := func(r *contract.Resource, after []*Rule, apply func(context.Context, *writer) error) {
		rule := &Rule{Resource: r, Number: len(of[r.Name]) + 1, pkg: pkg, apply: apply, after: after}
		of[r.Name], all = append(of[r.Name], rule), append(all, rule)
	}
	for _, r := range pkg.InDependencyOrder() {
		add(r, nil, func(ctx context.Context, w *writer) error { return w.unique(ctx, contract.RulePrimaryKey, r.Key) })
		for _, key := range r.Unique {
			add(r, nil, func(ctx context.Context, w *writer) error { return w.unique(ctx, contract.RuleUnique, key) })
		}
		for _, relation := range r.Relations {
			if relation.Resource != r.Name {
				add(r, of[relation.Resource], func(ctx context.Context, w *writer) error { return w.relation(ctx, relation) })
			}
		}
		for _, rule := range r.ChildRules {
			add(r, of[r.Relations[rule.Relation].Resource], func(ctx context.Context, w *writer) error { return w.childRule(ctx, rule) })
		}
		for _, rule := range r.ChildRules {
			if rule.Sum { // it adds up what no other rule rejects
				after := slices.Concat(of[r.Relations[rule.Relation].Resource], of[r.Name])
				add(r, after, func(ctx context.Context, w *writer) error { return w.sumRule(ctx, rule) })
			}
		}
		for _, relation := range r.Relations {
			if relation.Resource == r.Name {
				add(r, of[r.Name], func(ctx context.Context, w *writer) error { return w.tree(ctx, relation) })
			}
		}
	}
	return all
}
