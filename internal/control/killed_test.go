package control_test

import (
	"context"
	"testing"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
)

// killed runs act until its process dies, right after one of its calls to
// DynamoDB or Step Functions has returned: none of those after it is made.
func killed(t *testing.T, p *interposer, act func(context.Context) error) {
	t.Helper()
	ctx, kill := context.WithCancel(context.WithValue(t.Context(), actor{}, true))
	defer kill()
	p.then = kill
	if err := act(ctx); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
}

// takeIn hands the notification of an object to intake.
func (h *house) takeIn(ctx context.Context, key string) error {
	var event landing.Event
	event.Detail.Bucket.Name, event.Detail.Object.Key = bucketName, key
	_, err := h.intake.Handle(ctx, event)
	return err
}

// Intake dies anywhere on its way from the last file's notification to the start
// of the execution, and the notification never comes again: one sweep later the
// import runs, once.
func TestIntakeKilledAnywhere(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)[:len(two)]
	eachInterleaving(t, func(t *testing.T, p *interposer) {
		h := interposed(t, p)
		h.arrive(keys[0])
		h.upload(keys[1], "content")
		killed(t, p, func(ctx context.Context) error { return h.takeIn(ctx, keys[1]) })
		h.sweep(control.SweepEvent{})
		h.mustRunOnce(date)
	})
}

// The same on the way from a late file to the redrive of the import that missed
// it.
func TestLateFileKilledAnywhere(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)[:len(two)]
	eachInterleaving(t, func(t *testing.T, p *interposer) {
		h := interposed(t, p)
		h.arrive(keys[0])
		h.sweep(deadlineOf(2024, 10, 9))
		imp := h.importOf(daily, date)
		h.mustTrack(imp.ExecutionARN)
		if got := h.load(imp.ImportID); got.Status != etl.StatusFailed || got.Fault != "MissingFiles" {
			t.Fatalf("%s is %s, %s", got.ImportID, got.Status, got.Fault)
		}
		h.upload(keys[1], "content")
		killed(t, p, func(ctx context.Context) error { return h.takeIn(ctx, keys[1]) })
		h.sweep(control.SweepEvent{})
		h.mustRunOnce(date)
		if h.machine.redrives != 1 {
			t.Errorf("%d redrives, want one", h.machine.redrives)
		}
	})
}

// The sweep of the deadline dies anywhere. Its schedule is asynchronous, so Lambda
// calls it again; one import fails then, and its late file resumes it.
func TestDeadlineKilledAnywhere(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)[:len(two)]
	eachInterleaving(t, func(t *testing.T, p *interposer) {
		h := interposed(t, p)
		h.arrive(keys[0])
		sweep := func(ctx context.Context) error {
			_, err := h.sweeper.Sweep(ctx, deadlineOf(2024, 10, 9))
			return err
		}
		killed(t, p, sweep)
		if err := sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		imp := h.importOf(daily, date)
		h.mustTrack(imp.ExecutionARN)
		if got := h.load(imp.ImportID); got.Status != etl.StatusFailed || h.machine.starts != 1 {
			t.Fatalf("%s is %s after %d starts", got.ImportID, got.Status, h.machine.starts)
		}
		h.arrive(keys[1])
		h.mustRunOnce(date)
	})
}
