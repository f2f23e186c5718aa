package registry

import (
	"context"
	"errors"
	"time"

	"etl-dataloader/internal/etl"
)

// Observation is what Step Functions says about an execution at one moment.
type Observation struct {
	ExecutionARN string
	Redrives     int        // how often it was redriven
	RedrivenAt   time.Time  // when it was last redriven; zero if that is not known
	Status       etl.Status // running, succeeded or failed
	At           time.Time

	// Of a failed execution, see the fields of Import.
	State          etl.State
	Step           etl.Step
	Fault          etl.Fault
	Reason, Advice string

	// Of a redrive after a failure that nobody saw: where and why it had failed.
	FailedStep   etl.Step
	FailedReason string
}

// Moment is a point in the life of an execution, numbered in order: it runs (0), it
// ended (1), it runs again after its first redrive (2), it ended again (3), and so
// on. It never decreases.
type Moment int

// Redrives returns how many redrives came before the moment.
func (m Moment) Redrives() int { return int(m) / 2 }

// Next returns the moment after m.
func (m Moment) Next() Moment { return m + 1 }

// Moment returns the point in the life of its execution at which the observation was
// made. An observation is written only if its moment is later than the one recorded,
// so late and repeated ones change nothing.
func (o Observation) Moment() Moment {
	running := Moment(2 * o.Redrives)
	if o.Status == etl.StatusRunning {
		return running
	}
	return running.Next()
}

// Observe writes what was seen of the current execution of an import. changed is
// false if that was known, is older than what is known, or concerns an execution
// that is not the current one. A redrive not seen before is recorded as an attempt,
// with the trigger of whoever requested it, or the console's if nobody did.
//
// A success publishes the date and releases the slot. A failure caused by missing
// files releases it. A redrive takes it if it is free.
func (r *Registry) Observe(ctx context.Context, importID string, o Observation) (imp Import, changed bool, err error) {
	slotIsFree := true
	return r.change(ctx, importID, func(i *Import) ([]write, error) {
		if i.ExecutionARN != o.ExecutionARN || i.Status == etl.StatusAbandoned ||
			i.Status == etl.StatusSucceeded || o.Moment() <= i.Observed {
			return nil, errUnchanged
		}
		var writes []write
		if o.Redrives > i.Redrives() {
			redrive := i.redrive(o.Redrives)
			if i.Status == etl.StatusRunning { // nobody saw it fail
				i.Step, i.Reason = o.FailedStep, o.FailedReason
			}
			i.StartedAt = o.At
			if !o.RedrivenAt.IsZero() {
				i.StartedAt = o.RedrivenAt
			}
			i.Automatic.follow(redrive.Trigger)
			writes = append(writes, write{item: i.attempt(redrive, i.StartedAt)})
		}
		if i.Pending.Kind == etl.KindResume {
			i.Pending = Pending{}
		}
		i.Observed, i.Status = o.Moment(), o.Status
		i.State, i.Step, i.Fault, i.Reason, i.Advice = o.State, o.Step, o.Fault, o.Reason, o.Advice
		switch o.Status {
		case etl.StatusRunning:
			i.EndedAt = time.Time{}
			if slotIsFree {
				writes = append(writes, takeSlot(importID))
			}
			return writes, nil
		case etl.StatusSucceeded:
			writes = append(writes, write{item: published(*i, o.At)})
		}
		i.EndedAt = o.At
		if o.Status == etl.StatusFailed && o.Fault != etl.FaultMissingFiles {
			return writes, nil
		}
		free, err := r.freeSlot(ctx, importID)
		return append(writes, free...), err
	}, func(ctx context.Context) error {
		// Redriven in the console while another import runs: Open refuses it.
		holder, err := r.Slot(ctx)
		slotIsFree = holder == "" || holder == importID
		return err
	})
}

// redrive returns what is known of a redrive of the current execution: the pending
// request if there is one, else that a person asked for it in the console.
func (i *Import) redrive(redrives int) Pending {
	if i.Pending.Kind == etl.KindResume && i.Pending.Redrives == redrives {
		return i.Pending
	}
	return Pending{Kind: etl.KindResume, Trigger: etl.TriggerConsole, Redrives: redrives}
}

// Claim announces a re-execution of an import that is not running, and takes the
// slot. It keeps other re-executions out until the announced one is seen running, is
// withdrawn by [Registry.Withdraw], or [PendingFor] has passed. seen is the import
// that the caller decided on. Claiming the same resume again is allowed, because a
// redrive is idempotent.
//
// It fails with *ChangedError if the import is no longer what was seen, with
// *PendingError, or with *TakenError.
func (r *Registry) Claim(ctx context.Context, seen Import, p Pending) (Import, error) {
	imp, _, err := r.change(ctx, seen.ImportID, func(i *Import) ([]write, error) {
		if i.Status != seen.Status || i.Generation != seen.Generation || i.Observed != seen.Observed ||
			i.ExecutionARN != seen.ExecutionARN || i.Status == etl.StatusRunning {
			return nil, &ChangedError{Import: *i}
		}
		same := p.Kind == etl.KindResume && i.Pending.Kind == p.Kind && i.Pending.Redrives == p.Redrives
		if i.Pending.Kind != "" && !same && r.now().Sub(i.Pending.At) < PendingFor {
			return nil, &PendingError{Kind: i.Pending.Kind}
		}
		i.Pending = p
		i.Pending.At = r.now().UTC()
		i.accept(p.Accepted, i.Pending.At)
		switch {
		case p.Kind == etl.KindAbandon:
			return nil, nil
		case i.finished(): // so that the sweep sees it
			return []write{takeSlot(i.ImportID), {item: i.entry()}}, nil
		default:
			return []write{takeSlot(i.ImportID)}, nil
		}
	}, r.takenByOther(seen.ImportID))
	return imp, err
}

// takenByOther returns a function that returns why the slot could not be taken, or
// nil to try again.
func (r *Registry) takenByOther(importID string) func(context.Context) error {
	return func(ctx context.Context) error {
		err := r.taken(ctx)
		if t, ok := errors.AsType[*TakenError](err); ok && (t.Holder == "" || t.Holder == importID) {
			return nil
		}
		return err
	}
}

// Withdraw takes back a claim that came to nothing. claimed shows the claim, as
// returned by [Registry.Claim] or read later. A later claim stays.
func (r *Registry) Withdraw(ctx context.Context, claimed Import) error {
	_, _, err := r.change(ctx, claimed.ImportID, func(i *Import) ([]write, error) {
		if i.Pending.Kind == "" || !i.Pending.is(claimed.Pending) {
			return nil, errUnchanged
		}
		i.Pending = Pending{}
		if i.Status == etl.StatusFailed && i.Fault != etl.FaultMissingFiles {
			return nil, nil
		}
		var free []write
		var err error
		if !i.Replay.Active() { // the slot is the replay's as well
			free, err = r.freeSlot(ctx, claimed.ImportID)
		}
		if i.finished() && i.Settled() {
			free = append(free, write{key: queueKey(i.Mode, i.FileDate)})
		}
		return free, err
	}, nil)
	return err
}

// Begin moves a claimed import to a new execution: a continuation of its
// generation, or a restart in a newer one. claim is what [Registry.Claim] returned.
// As after [Registry.Allot], the caller starts the execution whose ARN is returned. A
// replay of the import is given up: what it appended falls with the generation.
// Begin fails with *ChangedError if the claim no longer stands.
func (r *Registry) Begin(ctx context.Context, claim Import, generation int, arn func(name string) string) (Import, error) {
	imp, _, err := r.change(ctx, claim.ImportID, func(i *Import) ([]write, error) {
		if !i.Pending.is(claim.Pending) || i.Generation != claim.Generation {
			return nil, &ChangedError{Import: *i}
		}
		at, abandoned := r.now().UTC(), i.Status == etl.StatusAbandoned
		i.Executions++
		i.ExecutionARN = arn(executionName(i.ImportID, i.Executions))
		i.Generation, i.Observed, i.Notified = generation, 0, 0
		if claim.Pending.Kind == etl.KindRestart {
			i.Accepted = nil
		}
		attempt := i.attempt(claim.Pending, at)
		i.Status, i.StartedAt, i.EndedAt, i.Pending = etl.StatusRunning, at, time.Time{}, Pending{}
		i.State, i.Step, i.Fault, i.Reason, i.Advice = "", "", "", "", ""
		if i.Automatic.follow(attempt.Trigger); attempt.Kind == etl.KindRestart {
			i.Automatic = Automatic{}
			if attempt.Trigger == etl.TriggerFile {
				i.FileRestarts++
			}
		}
		writes := []write{{item: attempt}, takeSlot(i.ImportID), {item: i.entry()}}
		if abandoned {
			writes = append(writes, write{key: abandonedKey(i.Mode, i.FileDate)})
		}
		if i.Replay.Open() {
			writes = append(writes, write{key: replayKey(i.ImportID)})
		}
		if i.Replay.Number > 0 && i.Replay.Status != etl.StatusSucceeded { // its execution is of the generation before
			i.Replay.Status, i.Replay.EndedAt, i.Replay.Told = etl.StatusAbandoned, at, true
		}
		return writes, nil
	}, r.takenByOther(claim.ImportID))
	return imp, err
}

// entry returns the entry in the queue of an import that is open again.
func (i *Import) entry() Entry {
	return Entry{
		key: queueKey(i.Mode, i.FileDate), Mode: i.Mode, FileDate: i.FileDate,
		ImportID: i.ImportID, Due: true, Since: i.CreatedAt,
	}
}

// Abandon marks a claimed import «abandonné», under the generation that fences off
// its twins, and releases the slot.
func (r *Registry) Abandon(ctx context.Context, claim Import, generation int) (Import, error) {
	imp, _, err := r.change(ctx, claim.ImportID, func(i *Import) ([]write, error) {
		if !i.Pending.is(claim.Pending) || i.Generation != claim.Generation {
			return nil, &ChangedError{Import: *i}
		}
		at := r.now().UTC()
		attempt := i.attempt(claim.Pending, at)
		i.Generation, i.Status, i.EndedAt, i.Pending = generation, etl.StatusAbandoned, at, Pending{}
		i.Automatic = Automatic{}
		free, err := r.freeSlot(ctx, i.ImportID)
		return append(free, write{item: attempt}, write{item: Abandoned{
			key: abandonedKey(i.Mode, i.FileDate), Mode: i.Mode, FileDate: i.FileDate, ImportID: i.ImportID, At: at,
		}}), err
	}, nil)
	return imp, err
}

// Settle records that the end of imp was reported and an alert sent, and removes a
// finished date from the queue.
func (r *Registry) Settle(ctx context.Context, imp Import) error {
	_, _, err := r.change(ctx, imp.ImportID, func(i *Import) ([]write, error) {
		if i.ExecutionARN != imp.ExecutionARN || i.Observed != imp.Observed || i.Status != imp.Status {
			return nil, errUnchanged
		}
		i.Notified = i.Observed.Next()
		if i.Status == etl.StatusFailed {
			return nil, nil
		}
		return []write{{key: queueKey(i.Mode, i.FileDate)}}, nil
	}, nil)
	return err
}

// Settled reports whether the end of the import was reported and an alert sent.
func (i Import) Settled() bool { return i.Notified == i.Observed.Next() }
