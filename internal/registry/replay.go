package registry

import (
	"context"
	"fmt"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// Replay asks the sources of a published import again for the records that stayed
// unenriched. It has an execution of its own, on a state machine of its own, and holds the
// slot of its import while it works.
type Replay struct {
	Number       int        `dynamodbav:"number"` // from 1; 0: the import was never replayed
	Source       string     `dynamodbav:"source"` // empty: all
	Status       etl.Status `dynamodbav:"status"` // running, succeeded, failed or, by a restart of the import, abandoned
	ExecutionARN string     `dynamodbav:"execution_arn"`
	Observed     Moment     `dynamodbav:"observed"` // latest moment seen of the execution
	Fault        etl.Fault  `dynamodbav:"fault"`    // why it failed
	Reason       string     `dynamodbav:"reason"`
	Told         bool       `dynamodbav:"told"` // operators were told of its end
	StartedAt    time.Time  `dynamodbav:"started_at"`
	EndedAt      time.Time  `dynamodbav:"ended_at"`
}

// Active reports whether the replay runs.
func (r Replay) Active() bool { return r.Status == etl.StatusRunning }

// Open reports whether the replay runs, or nobody was told of its end yet.
func (r Replay) Open() bool { return r.Number > 0 && !r.Told }

// replayItem is the item by which the sweep finds an open replay.
type replayItem struct {
	key
	ImportID string `dynamodbav:"import_id"`
}

func replayKey(importID string) key { return key{PK: "REPLAYS", SK: importID} }

func (i *Import) replayItem() write {
	return write{item: replayItem{key: replayKey(i.ImportID), ImportID: i.ImportID}}
}

// Replays returns the imports with an open replay.
func (r *Registry) Replays(ctx context.Context) ([]string, error) {
	items, err := query[replayItem](ctx, r, "REPLAYS", "")
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(items))
	for n, item := range items {
		ids[n] = item.ImportID
	}
	return ids, nil
}

// BeginReplay records that a replay of a published import begins, as another attempt. The
// caller starts its execution, whose ARN arn returns from its name; if it dies first, the
// sweep does. begun is false if a replay runs already.
//
// It fails with *ChangedError if the import is not published or no longer what was seen,
// and with *PendingError if a re-execution of it was requested shortly before.
func (r *Registry) BeginReplay(ctx context.Context, seen Import, source string, asked Pending, arn func(name string) string) (imp Import, begun bool, err error) {
	return r.change(ctx, seen.ImportID, func(i *Import) ([]write, error) {
		if i.Status != etl.StatusSucceeded || i.Generation != seen.Generation || i.ExecutionARN != seen.ExecutionARN {
			return nil, &ChangedError{Import: *i}
		}
		if i.Pending.Kind != "" && r.now().Sub(i.Pending.At) < PendingFor {
			return nil, &PendingError{Kind: i.Pending.Kind}
		}
		if i.Replay.Active() {
			return nil, errUnchanged
		}
		at, number := r.now().UTC(), i.Replay.Number+1
		i.Replay = Replay{
			Number: number, Source: source, Status: etl.StatusRunning, StartedAt: at,
			ExecutionARN: arn(fmt.Sprintf("%s-e%d", i.ImportID, number)),
		}
		return []write{{item: i.replayAttempt(asked, at)}, i.replayItem()}, nil
	}, nil)
}

// replayAttempt counts an attempt of the replay and returns its item.
func (i *Import) replayAttempt(asked Pending, at time.Time) Attempt {
	asked.Kind = etl.KindEnrich
	a := i.attempt(asked, at)
	a.ExecutionARN, a.FailedStep, a.FailedReason, a.Accepted = i.Replay.ExecutionARN, "", message.Text(i.Replay.Reason), nil
	if i.Replay.Reason != "" {
		a.FailedStep = etl.StepTransformation
	}
	return a
}

// ObserveReplay writes what was seen of the execution of an import's replay, like
// [Registry.Observe]. A redrive is recorded as an attempt; asked says who requested it, by
// default a person in the console. The end of a replay releases the slot.
func (r *Registry) ObserveReplay(ctx context.Context, importID string, o Observation, asked Pending) (imp Import, changed bool, err error) {
	return r.change(ctx, importID, func(i *Import) ([]write, error) {
		replay := &i.Replay
		if replay.ExecutionARN != o.ExecutionARN || replay.Status == etl.StatusAbandoned || replay.Status == etl.StatusSucceeded ||
			o.Moment() <= replay.Observed {
			return nil, errUnchanged
		}
		var writes []write
		if o.Redrives > replay.Observed.Redrives() {
			if asked.Trigger == "" {
				asked.Trigger = etl.TriggerConsole
			}
			writes = append(writes, write{item: i.replayAttempt(asked, o.At)})
			replay.StartedAt = o.At
		}
		replay.Observed, replay.Status, replay.Fault, replay.Reason = o.Moment(), o.Status, message.Text(o.Fault), message.Text(o.Reason)
		replay.Told, replay.EndedAt = false, o.At
		if o.Status == etl.StatusRunning {
			replay.EndedAt = time.Time{}
			return append(writes, i.replayItem()), nil
		}
		free, err := r.freeReplaySlot(ctx, i)
		return append(append(writes, i.replayItem()), free...), err
	}, nil)
}

// freeReplaySlot returns the write that releases the slot which a replay holds, or none.
func (r *Registry) freeReplaySlot(ctx context.Context, i *Import) ([]write, error) {
	if !i.finished() || i.Pending.Kind != "" {
		return nil, nil // it holds the slot for a re-execution
	}
	return r.freeSlot(ctx, i.ImportID)
}

// YieldSlot releases the slot if a replay of the import holds it.
func (r *Registry) YieldSlot(ctx context.Context, importID string) error {
	_, _, err := r.change(ctx, importID, func(i *Import) ([]write, error) {
		free, err := r.freeReplaySlot(ctx, i)
		if err == nil && len(free) == 0 {
			err = errUnchanged
		}
		return free, err
	}, nil)
	return err
}

// SettleReplay records that operators were told of the end of imp's replay.
func (r *Registry) SettleReplay(ctx context.Context, imp Import) error {
	_, _, err := r.change(ctx, imp.ImportID, func(i *Import) ([]write, error) {
		if i.Replay.ExecutionARN != imp.Replay.ExecutionARN || i.Replay.Observed != imp.Replay.Observed || i.Replay.Told {
			return nil, errUnchanged
		}
		i.Replay.Told = true
		return []write{{key: replayKey(i.ImportID)}}, nil
	}, nil)
	return err
}
