package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
)

// hostility is what somebody with few rights, or an unlucky moment, does to the
// stack. The import of a mode must then succeed, by itself or by what the
// message of its failure advises, and must leave what an undisturbed one leaves.
type hostility struct {
	name    string
	text    string                                      // what happens
	prepare func(ctx context.Context, h *hostile) error // before readers watch; may be nil
	run     func(ctx context.Context, h *hostile) error
}

// hostilities are the rows of the table.
func hostilities() []hostility {
	return []hostility{
		{"junk", "20,000 badly named objects are put into the landing bucket while the ten files arrive", nil, junk},
		{"topic", "the topic of the alerts is gone; a step fails and the import is resumed", nil, lostTopic},
		{"squatter", "a login without grants holds sessions that are called like the import's, an old snapshot, locks and functions named like PostgreSQL's own; the import is restarted", nil, squatter},
		{"by-hand", "executions are started by hand with another mode, date, generation and import", nil, startedByHand},
		{"late-open", "Open of an import that never reached the database runs after its restart", nil, lateOpen},
		{"abandoned", "the topic is gone; an import that never reached the database is abandoned, its Open runs afterwards, and the next date must start by itself", referNext, abandoned},
		{"cycle", "the categories hold one cycle of 100,000 records", nil, hugeCycle},
	}
}

// hostile is one hostility on its way.
type hostile struct {
	*campaign
	mode string
	of   stack.Set
	next stack.Set // of the date after, for hostilities that prepared it
	// imp is the import that must have succeeded at the end, of the files of of.
	imp stack.Import
	// spoiled says that the files are not those of the reference: then the target
	// tables and the events alone are compared.
	spoiled bool
}

// runHostilities runs hostilities, each in both modes unless a pattern NAME/MODE
// says otherwise.
func runHostilities(ctx context.Context, s *system, patterns []string) (results []result, err error) {
	c, err := newCampaign(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, mode := range modes() {
		for _, h := range hostilities() {
			name := h.name + "/" + mode
			if !anyMatches(patterns, name) {
				continue
			}
			r := c.suffer(ctx, h, mode)
			results = append(results, r)
			verdict := "withstood"
			if !r.good() {
				verdict = "FAILED: " + r.trouble
			}
			fmt.Printf("%-20s %5.1f s, %s\n", name, r.seconds, verdict)
			if ctx.Err() != nil {
				return results, ctx.Err()
			}
		}
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("no hostility is named %q: say NAME/MODE, such as junk/daily", patterns)
	}
	return results, nil
}

func anyMatches(patterns []string, name string) bool {
	for _, p := range patterns {
		if matches(p, name) {
			return true
		}
	}
	return len(patterns) == 0
}

// suffer runs one hostility in one mode.
func (c *campaign) suffer(ctx context.Context, what hostility, mode string) result {
	started := time.Now()
	r := result{cell: cell{step: step{name: what.name}, mode: mode}}
	if err := c.withstand(ctx, what, mode, &r); err != nil {
		r.trouble = err.Error()
	}
	r.seconds = time.Since(started).Seconds()
	return r
}

func (c *campaign) withstand(ctx context.Context, what hostility, mode string, r *result) error {
	if err := c.refer(ctx, mode); err != nil {
		return err
	}
	if err := c.restore(ctx, c.baselines[mode]); err != nil {
		return err
	}
	h := &hostile{campaign: c, mode: mode, of: c.sets[mode]}
	if what.prepare != nil {
		if err := what.prepare(ctx, h); err != nil {
			return err
		}
	}
	readers, err := c.watch(ctx)
	if err != nil {
		return err
	}
	err = what.run(ctx, h)
	seen, readErr := readers.stop()
	if err = errors.Join(err, readErr, c.calm(ctx)); err != nil {
		return err
	}
	if h.imp.Status != etl.StatusSucceeded {
		return fmt.Errorf("the import is «%s» at %s: %s: %s", h.imp.Status, h.imp.State, h.imp.Fault, h.imp.Reason)
	}
	r.recovered = true
	if len(seen) > 2 {
		return fmt.Errorf("readers saw %d states of the tables, want the one before and the one after: %v", len(seen), seen)
	}
	return c.same(ctx, h, r)
}

// same compares what the import has left with what an undisturbed one leaves.
func (c *campaign) same(ctx context.Context, h *hostile, r *result) error {
	got, orphans, err := c.content(ctx, h.imp)
	if err != nil {
		return err
	}
	want := withoutInserts(c.full[h.reference()])
	got = withoutInserts(got)
	if h.spoiled {
		want, got = published(want), published(got)
	}
	return r.hold(want, got, orphans)
}

// reference names the undisturbed import of the same files.
func (h *hostile) reference() string {
	if h.of.Date == h.sets[h.mode].Date {
		return h.mode
	}
	return h.mode + nextDate
}

// published leaves only what readers see.
func published(lines []string) []string {
	var kept []string
	for _, line := range lines {
		if strings.HasPrefix(line, "target ") || strings.HasPrefix(line, "event ") {
			kept = append(kept, line)
		}
	}
	return kept
}

// failAt uploads the files, lets the import fail before a step's function is
// called, and waits until the registry knows. That its end is reported or alerted
// is not waited for.
func (h *hostile) failAt(ctx context.Context, name string) error {
	var at step
	for _, s := range steps() {
		if s.name == name {
			at = s
		}
	}
	if err := h.arming(at, "fail", 1)(ctx); err != nil {
		return err
	}
	if err := h.UploadAll(ctx, h.of); err != nil {
		return err
	}
	return h.await(ctx, etl.StatusFailed, 1)
}

// await waits for a status after so many attempts.
func (h *hostile) await(ctx context.Context, status etl.Status, attempts int) (err error) {
	what := fmt.Sprintf("«%s» after %d attempts", status, attempts)
	h.imp, err = h.Await(ctx, what, hostilePatience, h.of.Mode, h.of.Date, func(imp stack.Import) (bool, error) {
		if imp.Attempts >= attempts && imp.Status == etl.StatusFailed && status == etl.StatusSucceeded {
			return false, fmt.Errorf("the import failed at %s: %s: %s", imp.State, imp.Fault, imp.Reason)
		}
		return imp.Attempts >= attempts && imp.Status == status, nil
	})
	return err
}

// ask asks for a re-execution, which must be accepted.
func (h *hostile) ask(ctx context.Context, mode string) error {
	refused, err := h.rerun(ctx, h.imp, mode)
	if err == nil && refused {
		err = fmt.Errorf("%s was refused", mode)
	}
	return err
}
