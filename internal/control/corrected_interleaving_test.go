package control_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// The second of two corrected files comes. Whatever else happens in the middle of
// its work, a sweep, a person's restart, the event of the failure or the first file
// once more, the import is started over once, and
// one execution runs.
func TestCorrectedFileInterleaved(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)[:len(two)]
	for name, meanwhile := range map[string]func(h *house, arn, importID string) error{
		"sweep": func(h *house, _, _ string) error {
			_, err := h.sweeper.Sweep(h.t.Context(), control.SweepEvent{})
			return err
		},
		"person": func(h *house, _, importID string) error {
			_, err := h.rerun(importID, etl.KindRestart)
			if refused(err) != "" {
				return nil // the files were faster
			}
			return err
		},
		"event":    func(h *house, arn, _ string) error { return h.track(arn) },
		"notified": func(h *house, _, _ string) error { return h.takeIn(h.t.Context(), keys[0]) },
	} {
		for _, seen := range []bool{true, false} {
			if name == "person" && !seen {
				continue // whoever asks has seen it
			}
			t.Run(name, func(t *testing.T) {
				eachInterleaving(t, func(t *testing.T, p *interposer) {
					h := interposed(t, p)
					h.arrive(keys...)
					imp := h.importOf(daily, date)
					h.scan(imp, two[0].Resource, two[1].Resource)
					h.clock.Move(time.Minute)
					h.machine.end(imp.ExecutionARN, failed, "InvalidFile", "")
					if seen {
						h.mustTrack(imp.ExecutionARN)
					}
					h.correct(keys[0], "corrected")
					h.upload(keys[1], "corrected")
					second := sync.OnceValue(func() error { return meanwhile(h, imp.ExecutionARN, imp.ImportID) })
					p.then = func() { _ = second() }
					first := h.takeIn(context.WithValue(t.Context(), actor{}, true), keys[1])
					if err := second(); first != nil || err != nil {
						t.Fatalf("%v, %v", first, err)
					}
					h.mustTrack(imp.ExecutionARN) // the event comes at last, maybe again
					now := h.load(imp.ImportID)
					if now.Status != etl.StatusRunning || now.Generation != 2 || now.FileRestarts > 1 || h.machine.starts != 2 {
						t.Errorf("%d starts, import %+v", h.machine.starts, now)
					}
					if diff := cmp.Diff([]string{executionName(now.ExecutionARN)}, h.machine.running()); diff != "" {
						t.Errorf("running executions (-want +got):\n%s", diff)
					}
				})
			})
		}
	}
}
