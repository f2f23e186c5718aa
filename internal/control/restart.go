package control

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// corrected reports whether an import failed because of refused files, newer
// versions of all of them have arrived, and it may restart automatically.
func (r *Rerunner) corrected(ctx context.Context, imp registry.Import) (bool, error) {
	arrivals, err := r.config.Registry.Arrivals(ctx, imp.Mode, imp.FileDate)
	if err != nil {
		return false, err
	}
	return queue.Corrected(imp, queue.Files{There: arrivals, Missing: r.config.Names.Missing(arrivals)}), nil
}

// replaceable refuses to restart an initial import once a daily import, or another
// initial one, is published.
func (r *Rerunner) replaceable(ctx context.Context, imp registry.Import) error {
	if imp.Mode != etl.ModeInitial {
		return nil
	}
	published, err := r.config.Registry.Published(ctx)
	if err != nil {
		return err
	}
	for _, p := range published {
		switch {
		case p.Mode == etl.ModeDaily:
			return &fault.Refused{ImportID: imp.ImportID, Reason: RefusedInitialOver}
		case p.ImportID != imp.ImportID:
			return &fault.Refused{ImportID: imp.ImportID, Reason: RefusedInitialOther(p.ImportID)}
		}
	}
	return nil
}

// restart fences off the generation that failed, or with force the one that was
// published, and starts a new one.
func (r *Rerunner) restart(ctx context.Context, imp registry.Import, asked registry.Pending, force bool) (Answer, error) {
	if err := r.replaceable(ctx, imp); err != nil {
		return Answer{}, err
	}
	asked.Kind = etl.KindRestart
	claimed, err := r.runner.claim(ctx, imp, asked)
	if err != nil {
		return Answer{}, err
	}
	if err := r.replaceable(ctx, imp); err != nil { // check again: from here on nothing else can be published
		return Answer{}, r.runner.giveUp(ctx, claimed, err)
	}
	generation, err := r.config.Fence.Restart(ctx, imp, force)
	if err != nil {
		return Answer{}, r.runner.giveUp(ctx, claimed, err)
	}
	if err := errors.Join(r.runner.stop(ctx, imp), r.replayer.stop(ctx, imp)); err != nil {
		return Answer{}, r.runner.giveUp(ctx, claimed, err)
	}
	r.drop(ctx, imp.ImportID, imp.Generation)
	begun, err := r.runner.begin(ctx, claimed, generation)
	return answer(begun, etl.KindRestart,
		textRestarted(imp.ImportID, executions.Name(begun.ExecutionARN), begun.Generation, imp.Status == etl.StatusSucceeded)), err
}

// abandon gives up an import and lets the next date start.
func (r *Rerunner) abandon(ctx context.Context, imp registry.Import, asked registry.Pending) (Answer, error) {
	asked.Kind = etl.KindAbandon
	claimed, err := r.runner.claim(ctx, imp, asked)
	if err != nil {
		return Answer{}, err
	}
	if err := r.config.Fence.Abandon(ctx, imp); err != nil {
		return Answer{}, r.runner.giveUp(ctx, claimed, err)
	}
	if err := r.runner.stop(ctx, imp); err != nil {
		return Answer{}, r.runner.giveUp(ctx, claimed, err)
	}
	r.drop(ctx, imp.ImportID, imp.Generation)
	gone, err := r.config.Registry.Abandon(ctx, claimed, imp.Generation+1)
	if err != nil {
		return Answer{}, refusal(imp.ImportID, err)
	}
	r.runner.logAttempt(ctx, gone.ImportID, registry.Attempt{
		Number: gone.Attempts, Kind: etl.KindAbandon, Trigger: asked.Trigger, By: asked.By,
		Generation: gone.Generation, FailedStep: imp.Step, FailedReason: imp.Reason,
	})
	r.goOn(ctx, gone.ImportID)
	_ = r.concluder.tell(ctx, gone) // it logs a failure; the import is abandoned regardless
	return answer(gone, etl.KindAbandon, textAbandoned(imp.ImportID)), nil
}

// goOn lets the next date start once an import is abandoned. If it cannot, it logs
// that: the sweep will start the date, and abandoning has not failed.
func (r *Rerunner) goOn(ctx context.Context, importID string) {
	if err := r.advancer.Advance(ctx, etl.TriggerAutomatic); err != nil {
		r.config.Log.WarnContext(ctx, logNextLater, centrallog.ImportID(importID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	}
}

// dropLimit bounds the time spent deleting work objects before the next generation
// starts. It is enough for some hundred thousand of them.
const dropLimit = 2 * time.Minute

// drop deletes the work objects of a generation that is fenced off. Nobody reads
// what it leaves behind or what a late twin writes afterwards, and the bucket's
// lifecycle rule deletes it. A failure is therefore logged as a warning and stops
// nothing.
func (r *Rerunner) drop(ctx context.Context, importID string, generation int) {
	ctx, cancel := context.WithTimeout(ctx, dropLimit)
	defer cancel()
	log := r.config.Log.With(centrallog.ImportID(importID), centrallog.Step(etl.StepRerun), slog.Int("generation", generation))
	deleted, err := r.config.Work.Drop(ctx, importID, generation)
	if err != nil {
		log.WarnContext(ctx, LogWorkLeft, centrallog.Details(err.Error()), slog.Int("deleted", deleted))
		return
	}
	log.InfoContext(ctx, logWorkDropped, slog.Int("deleted", deleted))
}
