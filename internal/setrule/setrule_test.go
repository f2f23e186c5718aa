package setrule

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
)

// TestRules: every rule of a parent stands before, and is waited for by, the
// rules of its children that look for it; uniqueness waits for nothing.
func TestRules(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[*Rule]bool{}
	waits := map[string]map[string]int{} // resource to resource: how many of its rules are waited for
	counts := map[string]int{}
	for _, rule := range Rules(pkg) {
		counts[rule.Resource.Name]++
		if rule.Number != counts[rule.Resource.Name] {
			t.Errorf("rule %d of %s has the number %d", counts[rule.Resource.Name], rule.Resource.Name, rule.Number)
		}
		for _, before := range rule.after {
			if !seen[before] {
				t.Errorf("a rule of %s stands before one of %s that it waits for", rule.Resource.Name, before.Resource.Name)
			}
			if waits[rule.Resource.Name] == nil {
				waits[rule.Resource.Name] = map[string]int{}
			}
			waits[rule.Resource.Name][before.Resource.Name]++
		}
		seen[rule] = true
	}
	for _, r := range pkg.Resources {
		sums := 0
		for _, rule := range r.ChildRules {
			if rule.Sum {
				sums++
			}
		}
		if want := 1 + len(r.Unique) + len(r.Relations) + len(r.ChildRules) + sums; counts[r.Name] != want {
			t.Errorf("%s has %d rules, want %d", r.Name, counts[r.Name], want)
		}
		want := map[string]int{}
		for _, relation := range r.Relations {
			want[relation.Resource] += counts[relation.Resource]
			if relation.Resource == r.Name {
				want[r.Name]-- // not for itself
			}
		}
		for _, rule := range r.ChildRules {
			want[r.Relations[rule.Relation].Resource] += counts[r.Relations[rule.Relation].Resource]
			if rule.Sum { // it waits for the parent's rules, and for its own resource's
				want[r.Relations[rule.Relation].Resource] += counts[r.Relations[rule.Relation].Resource]
				want[r.Name] += counts[r.Name] - 1
			}
		}
		if diff := cmp.Diff(want, waits[r.Name]); len(want) > 0 && diff != "" {
			t.Errorf("what the rules of %s wait for (-want +got)\n%s", r.Name, diff)
		}
	}
}

// diamond is a rule, two that wait for it, and one that waits for both.
func diamond() []*Rule {
	first := &Rule{Number: 1}
	left, right := &Rule{Number: 2, after: []*Rule{first}}, &Rule{Number: 3, after: []*Rule{first}}
	return []*Rule{first, left, right, {Number: 4, after: []*Rule{left, right}}}
}

// TestInOrder: two at a time where two are ready, and none before those it waits
// for.
func TestInOrder(t *testing.T) {
	t.Parallel()
	var mutex sync.Mutex
	done := map[int]bool{}
	var both sync.WaitGroup
	both.Add(2)
	err := InOrder(t.Context(), 2, diamond(), func(_ context.Context, rule *Rule) error {
		if rule.Number == 2 || rule.Number == 3 {
			both.Done()
			both.Wait() // ends only if the other runs at the same time
		}
		mutex.Lock()
		defer mutex.Unlock()
		for _, before := range rule.after {
			if !done[before.Number] {
				t.Errorf("%d ran before %d was done", rule.Number, before.Number)
			}
		}
		done[rule.Number] = true
		return nil
	})
	if err != nil || len(done) != 4 {
		t.Errorf("%v, done %v", err, done)
	}
}

// TestInOrderBound: with room for one, one runs at a time, in the list's order.
func TestInOrderBound(t *testing.T) {
	t.Parallel()
	var ran []int
	if err := InOrder(t.Context(), 1, diamond(), func(_ context.Context, rule *Rule) error {
		ran = append(ran, rule.Number) // the race detector tells if another runs
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4}, ran); diff != "" {
		t.Error(diff)
	}
}

// TestInOrderFails: the first error ends it, and so does the caller.
func TestInOrderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	ran := 0
	if err := InOrder(t.Context(), 2, diamond(), func(context.Context, *Rule) error {
		ran++
		return broken
	}); !errors.Is(err, broken) || ran != 1 {
		t.Errorf("%v after %d rules", err, ran)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	err := InOrder(ctx, 2, diamond(), func(context.Context, *Rule) error {
		cancel(broken)
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("%v after the caller has gone", err)
	}
}
