package phase

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"etl-dataloader/internal/contract"
)

// setRule is one rule over more than one record.
type setRule struct {
	resource *contract.Resource
	number   int // in the resource, from 1 on
	apply    func(context.Context, *setRules) error
	after    []*setRule // whose rejects it must see
}

// setRulesOf lists all rules, parents before children: of each resource the
// uniqueness of its keys, its relations, the rules over a record and its parent,
// those over all valid records of a parent, and last the relations to itself, in
// which any reject of the resource cascades.
func setRulesOf(pkg *contract.Package) []*setRule {
	var all []*setRule
	of := map[string][]*setRule{}
	add := func(r *contract.Resource, after []*setRule, apply func(context.Context, *setRules) error) {
		rule := &setRule{resource: r, number: len(of[r.Name]) + 1, apply: apply, after: after}
		of[r.Name], all = append(of[r.Name], rule), append(all, rule)
	}
	for _, r := range pkg.InDependencyOrder() {
		add(r, nil, func(ctx context.Context, s *setRules) error { return s.unique(ctx, "primaryKey", r.Key) })
		for _, key := range r.Unique {
			add(r, nil, func(ctx context.Context, s *setRules) error { return s.unique(ctx, "unique", key) })
		}
		for _, relation := range r.Relations {
			if relation.Resource != r.Name {
				add(r, of[relation.Resource], func(ctx context.Context, s *setRules) error { return s.relation(ctx, relation) })
			}
		}
		for _, rule := range r.ChildRules {
			add(r, of[r.Relations[rule.Relation].Resource], func(ctx context.Context, s *setRules) error { return s.childRule(ctx, rule) })
		}
		for _, rule := range r.ChildRules {
			if rule.Sum { // of what no other rule rejects
				after := slices.Concat(of[r.Relations[rule.Relation].Resource], of[r.Name])
				add(r, after, func(ctx context.Context, s *setRules) error { return s.sumRule(ctx, rule) })
			}
		}
		for _, relation := range r.Relations {
			if relation.Resource == r.Name {
				add(r, of[r.Name], func(ctx context.Context, s *setRules) error { return s.tree(ctx, relation) })
			}
		}
	}
	return all
}

// inOrder runs the rules, at most n at a time: whenever there is room, the first
// of those that wait for none. The first error ends it.
func inOrder(ctx context.Context, n int, rules []*setRule, run func(context.Context, *setRule) error) error {
	group, ctx := errgroup.WithContext(ctx)
	finished := make(chan *setRule, len(rules))
	started, done := map[*setRule]bool{}, map[*setRule]bool{}
	for len(done) < len(rules) {
		for _, rule := range rules {
			if len(started)-len(done) < n && !started[rule] && ready(rule, done) {
				started[rule] = true
				group.Go(func() error {
					err := run(ctx, rule)
					if err == nil {
						finished <- rule
					}
					return err
				})
			}
		}
		select {
		case rule := <-finished:
			done[rule] = true
		case <-ctx.Done():
			if err := group.Wait(); err != nil {
				return err
			}
			return context.Cause(ctx)
		}
	}
	return group.Wait()
}

// ready tells whether all that the rule waits for is done.
func ready(rule *setRule, done map[*setRule]bool) bool {
	for _, before := range rule.after {
		if !done[before] {
			return false
		}
	}
	return true
}
