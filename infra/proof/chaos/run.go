package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
)

// mostRedrives is how often a cell is redriven at most.
const mostRedrives = 3

// result is the outcome of a cell.
type result struct {
	cell       cell
	recovered  bool
	duplicates int
	losses     int
	orphans    int
	attempts   int // of the import, as the registry counts them
	seconds    float64
	trouble    string // what went wrong, without any value of the data
}

// good tells whether the product kept its promise.
func (r result) good() bool {
	return r.recovered && r.duplicates == 0 && r.losses == 0 && r.orphans == 0 && r.trouble == ""
}

// campaign runs cells on one stack, mode by mode.
type campaign struct {
	*system
	sets      map[string]stack.Set
	baselines map[string]baseline // by mode: what a cell begins with
	full      map[string][]string // the content, by mode
}

// newCampaign keeps the empty stack as what the initial cells begin with.
func newCampaign(ctx context.Context, s *system) (*campaign, error) {
	c := &campaign{
		system: s, sets: map[string]stack.Set{}, baselines: map[string]baseline{},
		full: map[string][]string{},
	}
	empty, err := s.snapshot(ctx, "chaos_initial")
	c.baselines["initial"] = empty
	return c, err
}

// refer runs the undisturbed import of a mode, which all its cells are compared
// with. A daily import follows the undisturbed initial one.
func (c *campaign) refer(ctx context.Context, mode string) error {
	if _, done := c.full[mode]; done {
		return nil
	}
	if mode == "daily" {
		if err := c.refer(ctx, "initial"); err != nil {
			return err
		}
	}
	var err error
	if c.sets[mode], err = c.makeSet(ctx, mode); err != nil {
		return err
	}
	if err := c.restore(ctx, c.baselines[mode]); err != nil {
		return err
	}
	imp, err := c.undisturbed(ctx, mode)
	if err != nil {
		return err
	}
	var orphans []string
	if c.full[mode], orphans, err = c.content(ctx, imp); err != nil {
		return err
	}
	if missing := missingKinds(c.full[mode]); len(missing)+len(orphans) > 0 {
		return fmt.Errorf("the undisturbed %s import leaves no line of %v, and %d orphans", mode, missing, len(orphans))
	}
	if mode == "initial" {
		c.baselines["daily"], err = c.snapshot(ctx, "chaos_daily")
	}
	return err
}

// undisturbed runs an import that must succeed at the first attempt.
func (c *campaign) undisturbed(ctx context.Context, mode string) (stack.Import, error) {
	if err := c.UploadAll(ctx, c.sets[mode]); err != nil {
		return stack.Import{}, err
	}
	imp, err := c.end(ctx, c.sets[mode], 1)
	if err == nil && (imp.Status != etl.StatusSucceeded || imp.Attempts != 1) {
		err = fmt.Errorf("the undisturbed %s import is «%s» at %s after %d attempts: %s", mode, imp.Status, imp.State, imp.Attempts, imp.Reason)
	}
	return imp, err
}

// run runs one cell. The stack is as usable after it as before.
func (c *campaign) run(ctx context.Context, at cell) result {
	started := time.Now()
	r := result{cell: at}
	if err := c.try(ctx, at, &r); err != nil {
		r.trouble = err.Error()
	}
	r.seconds = time.Since(started).Seconds()
	return r
}

func (c *campaign) try(ctx context.Context, at cell, r *result) (err error) {
	if err := c.refer(ctx, at.mode); err != nil {
		return err
	}
	if err := c.restore(ctx, c.baselines[at.mode]); err != nil {
		return err
	}
	i, err := c.inject(at)
	if err != nil {
		return err
	}
	if err := i.arm(ctx); err != nil {
		return err
	}
	imp, struck, err := c.drive(ctx, at, i)
	r.attempts = imp.Attempts
	err = errors.Join(err, i.finish(ctx), c.calm(ctx))
	if err != nil {
		return err
	}
	if struck == 0 {
		return errors.New("the fault was never met: the cell proves nothing")
	}
	if imp.Status != etl.StatusSucceeded {
		return fmt.Errorf("the import is «%s» at %s: %s: %s", imp.Status, imp.State, imp.Fault, imp.Reason)
	}
	r.recovered = true
	if err := c.noticed(ctx, at, imp); err != nil {
		return err
	}
	return c.judge(ctx, at, imp, r)
}

// drive takes the import through the fault to its end.
func (c *campaign) drive(ctx context.Context, at cell, i injection) (imp stack.Import, struck int, err error) {
	of := c.sets[at.mode]
	if err := c.UploadAll(ctx, of); err != nil {
		return imp, 0, err
	}
	started := func(stack.Import) (bool, error) { return true, nil }
	if imp, err = c.Await(ctx, "the import to start", patience, of.Mode, of.Date, started); err != nil {
		return imp, 0, err
	}
	if err := i.meanwhile(ctx, imp); err != nil {
		return imp, 0, err
	}
	if imp, err = c.end(ctx, of, 1); err != nil {
		return imp, 0, err
	}
	count := func() {
		now, counted := i.struck(ctx)
		struck, err = max(struck, now), errors.Join(err, counted)
	}
	count()
	for range mostRedrives {
		if imp.Status != etl.StatusFailed || err != nil {
			break
		}
		if err = errors.Join(i.mend(ctx), i.rerun(ctx, imp), i.after(ctx)); err != nil {
			break
		}
		i.rerun = c.resumer(at) // a failure after this one is an ordinary one
		imp, err = c.end(ctx, of, imp.Attempts+1)
		count()
	}
	return imp, struck, err
}

// calm removes the fault and waits until every function has ended.
func (c *campaign) calm(ctx context.Context) error {
	if err := c.disarm(ctx); err != nil {
		return err
	}
	return until(ctx, "the last function to end", func() (bool, error) {
		now, err := c.tell(ctx, "DescribeFault", nil)
		return now.Running == 0 && now.Held == 0, err
	})
}

// judge compares what the import has left with what an undisturbed one leaves.
func (c *campaign) judge(ctx context.Context, at cell, imp stack.Import, r *result) error {
	want := c.full[at.mode]
	got, orphans, err := c.content(ctx, imp)
	if err != nil {
		return err
	}
	if at.fault.aborts {
		want, got = withoutInserts(want), withoutInserts(got)
	}
	if at.fault.name == "late-twin" && at.step.puts {
		// The twin writes its object after the restart has deleted the others: the
		// lifecycle of the bucket deletes that one.
		orphans = slices.DeleteFunc(orphans, func(left string) bool { return left == workObject })
	}
	return r.hold(want, got, orphans)
}

// hold counts by what a content differs from the one wanted, and fails if it does
// or if something is left of other generations.
func (r *result) hold(want, got, orphans []string) error {
	d := compare(want, got)
	r.duplicates, r.losses, r.orphans = len(d.more), len(d.less), len(orphans)
	switch {
	case len(d.more)+len(d.less) > 0:
		return fmt.Errorf("too many: %s; too few: %s", kinds(d.more), kinds(d.less))
	case len(orphans) > 0:
		return fmt.Errorf("left of other generations: %s", kinds(orphans))
	default:
		return nil
	}
}
