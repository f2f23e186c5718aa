package setrule

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// InOrder runs the rules, at most n at a time. Whenever there is room, it starts the
// first rule that waits for no other. The first error ends it.
func InOrder(ctx context.Context, n int, rules []*Rule, run func(context.Context, *Rule) error) error {
	group, ctx := errgroup.WithContext(ctx)
	finished := make(chan *Rule, len(rules))
	started, done := map[*Rule]bool{}, map[*Rule]bool{}
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

// ready reports whether all rules that the rule waits for are done.
func ready(rule *Rule, done map[*Rule]bool) bool {
	for _, before := range rule.after {
		if !done[before] {
			return false
		}
	}
	return true
}
