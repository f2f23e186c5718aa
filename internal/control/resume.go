package control

import (
	"context"
	"fmt"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// resume redrives the current execution of a failed import. If AWS no longer allows
// that, a new execution continues the same generation. asked says who or what asks
// for it, and which limits may be exceeded.
func (r runner) resume(ctx context.Context, imp registry.Import, asked registry.Pending) (Answer, error) {
	e, exists, err := r.Executions.Describe(ctx, imp.ExecutionARN)
	if err != nil {
		return Answer{}, err
	}
	if !exists || e.Fixed {
		return r.continueAnew(ctx, imp, asked, notRedrivable(e, exists))
	}
	redrives := e.Redrives + 1
	asked.Kind, asked.Redrives = etl.KindResume, redrives
	claimed, err := r.claim(ctx, imp, asked)
	if err != nil {
		return Answer{}, err
	}
	asOf := r.Now().UTC()
	at, redriven, err := r.Executions.Redrive(ctx, imp.ExecutionARN, fmt.Sprintf("%s-r%d", executions.Name(imp.ExecutionARN), redrives))
	if err != nil {
		return Answer{}, err
	}
	if !redriven {
		e, exists, err := r.Executions.Describe(ctx, imp.ExecutionARN)
		if err != nil {
			return Answer{}, err
		}
		if !exists || e.Redrives < redrives {
			if err := r.Registry.Withdraw(ctx, claimed); err != nil {
				return Answer{}, err
			}
			if exists && e.Status == executions.Running {
				return Answer{}, &fault.Refused{ImportID: imp.ImportID, Reason: RefusedRunning}
			}
			return r.continueAnew(ctx, imp, asked, notRedrivable(e, exists))
		}
		// Somebody else redrove it first, which is what was asked for.
	}
	if at.IsZero() {
		at = asOf
	}
	now, _, err := r.observe(ctx, imp, registry.Observation{
		ExecutionARN: imp.ExecutionARN, Redrives: redrives, Status: etl.StatusRunning, At: at,
	})
	return answer(now, etl.KindResume, textResumed(imp.ImportID, imp.Step)), err
}

// notRedrivable returns the reason, for people, why an execution cannot be redriven.
func notRedrivable(e executions.Execution, exists bool) string {
	if !exists {
		return ContinuedAsForgotten
	}
	return textNotRedrivable(e.FixedReason)
}

// continueAnew continues the same generation in a new execution, which runs the
// machine's newest definition; the ledger skips work already done. why is the reason
// shown to people. A redrive that somebody else requests meanwhile is stopped; what
// its functions still persist counts, since it belongs to the same generation.
func (r runner) continueAnew(ctx context.Context, imp registry.Import, asked registry.Pending, why string) (Answer, error) {
	asked.Kind, asked.Redrives = etl.KindContinue, 0
	claimed, err := r.claim(ctx, imp, asked)
	if err != nil {
		return Answer{}, err
	}
	if err := r.stop(ctx, imp); err != nil {
		return Answer{}, r.giveUp(ctx, claimed, err)
	}
	begun, err := r.begin(ctx, claimed, claimed.Generation)
	if err != nil {
		return Answer{}, err
	}
	return answer(begun, etl.KindContinue, textContinued(imp.ImportID, executions.Name(begun.ExecutionARN), why)), nil
}
