package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

func (w *world) follower() (follower, *told) {
	show := &told{}
	return follower{imports: w, show: show, now: w.now, pause: w.pause}, show
}

func set(imp registry.Import) func(*world) { return func(w *world) { w.set(imp) } }

func nothing(*world) {}

func TestFollowToTheEnd(t *testing.T) {
	unsettled := succeeded(importID)
	unsettled.Notified = 0
	w := newWorld(nothing, nothing, set(unsettled), nothing, set(succeeded(importID)))
	w.set(running(importID))
	w.statuses[importID] = registry.Status{Attempts: []registry.Attempt{{Number: 1, Kind: "start", Trigger: "file", Generation: 1}}}
	f, show := w.follower()
	s, err := f.toEnd(t.Context(), importID)
	if err != nil {
		t.Fatal(err)
	}
	if s.Import.Status != etl.StatusSucceeded || !s.Import.Settled() {
		t.Errorf("ended as %q, settled %v", s.Import.Status, s.Import.Settled())
	}
	want := []string{
		"Tentative 1 : démarrage (arrivée d'un fichier), génération 1",
		"Import " + importID + " (quotidien, 2024-10-08) : « en cours »",
		"Import " + importID + " (quotidien, 2024-10-08) : « réussi »",
	}
	if diff := cmp.Diff(want, show.notes); diff != "" {
		t.Error(diff)
	}
	if len(w.steps) != 0 || show.stops == 0 {
		t.Errorf("%d steps left, stopped %d times", len(w.steps), show.stops)
	}
}

func TestFollowGoesOnAfterARedrive(t *testing.T) {
	unsettled := failed(importID, "Transient", "redrive", true)
	unsettled.Notified = 0
	again := running(importID)
	again.Attempts, again.Observed = 2, 2
	done := succeeded(importID)
	done.Attempts, done.Observed, done.Notified = 2, 3, 4
	w := newWorld(set(unsettled), set(again), set(done))
	w.set(running(importID))
	f, show := w.follower()
	s, err := f.toEnd(t.Context(), importID)
	if err != nil || s.Import.Status != etl.StatusSucceeded {
		t.Fatalf("ended as %q: %v", s.Import.Status, err)
	}
	if !show.has(textImport(importID, daily, date, etl.StatusFailed)) {
		t.Errorf("the failure was not told: %q", show.notes)
	}
}

func TestFollowDoesNotWaitForEverForAReport(t *testing.T) {
	unsettled := failed(importID, "Transient", "redrive", true)
	unsettled.Notified = 0
	w := newWorld()
	w.set(unsettled)
	f, _ := w.follower()
	s, err := f.toEnd(t.Context(), importID)
	if err != nil || s.Import.Settled() {
		t.Fatalf("settled %v: %v", s.Import.Settled(), err)
	}
	if waited := w.clock.Sub(at(0)); waited < settling || waited > settling+longestPause {
		t.Errorf("waited %v", waited)
	}
}

func TestFollowLooksSparinglyAtManyUnits(t *testing.T) {
	steps := make([]func(*world), 100)
	for i := range steps {
		steps[i] = nothing
	}
	w := newWorld(append(steps, set(succeeded(importID)))...)
	w.set(running(importID))
	slow := follower{imports: slowStatus{w}, show: &told{}, now: w.now, pause: w.pause}
	if _, err := slow.toEnd(t.Context(), importID); err != nil {
		t.Fatal(err)
	}
	if took := w.clock.Sub(at(0)); float64(w.looks)*slowLook.Seconds() > 0.2*took.Seconds() {
		t.Errorf("%d looks of %v in %v", w.looks, slowLook, took)
	}
}

const slowLook = 2 * time.Second

// slowStatus is a world in which the status of an import takes long to read.
type slowStatus struct{ *world }

func (s slowStatus) Status(ctx context.Context, id string) (registry.Status, error) {
	s.clock = s.clock.Add(slowLook)
	return s.world.Status(ctx, id)
}

func TestFollowBearsWithASilentRegistry(t *testing.T) {
	silence := &fault.Transient{Op: "read", Err: errors.New("no answer")}
	w := newWorld(
		func(w *world) { w.fails = silence },
		func(w *world) { w.fails = nil },
		set(succeeded(importID)))
	w.set(running(importID))
	f, show := w.follower()
	if _, err := f.toEnd(t.Context(), importID); err != nil {
		t.Fatal(err)
	}
	if !show.has(textNotAnswering(silence)) {
		t.Errorf("the silence was not told: %q", show.notes)
	}

	w = newWorld()
	w.fails = silence
	f, _ = w.follower()
	if _, err := f.toEnd(t.Context(), importID); !errors.Is(err, silence) {
		t.Errorf("a registry that stays silent: %v", err)
	}
	if waited := w.clock.Sub(at(0)); waited < mute || waited > mute+2*longestPause {
		t.Errorf("gave up after %v", waited)
	}

	w = newWorld()
	w.fails = errors.New("access denied")
	f, _ = w.follower()
	if _, err := f.toEnd(t.Context(), importID); !errors.Is(err, w.fails) || w.clock != at(0) {
		t.Errorf("an error that stays: %v after %v", err, w.clock.Sub(at(0)))
	}
}

func TestStopped(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	late, cancelLate := within(t.Context(), 0)
	defer cancelLate()
	other := errors.New("other")
	for name, test := range map[string]struct {
		ctx  context.Context
		exit int
		text string
	}{
		"Ctrl-C":     {interrupted, exitInterrupted, "etlctl status " + importID + " --follow"},
		"timeout":    {late, exitFailed, "--timeout"},
		"no end yet": {t.Context(), exitFailed, "other"},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			c := console{err: &text}
			if exit := c.fail(stopped(test.ctx, other, importID, time.Minute)); exit != test.exit {
				t.Errorf("exit status %d, want %d", exit, test.exit)
			}
			if !strings.Contains(text.String(), test.text) {
				t.Errorf("%q does not name %q", text.String(), test.text)
			}
		})
	}
}
