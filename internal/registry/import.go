package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// TakenError means that another import holds the slot: only one runs at a time.
type TakenError struct {
	Holder string // import_id that holds the slot
}

// Error implements error.
func (e *TakenError) Error() string { return "the slot is held by import " + e.Holder }

// PendingError means that another re-execution of the import was requested shortly
// before.
type PendingError struct {
	Kind etl.Kind // the kind that was requested first
}

// Error implements error.
func (e *PendingError) Error() string {
	return "a " + string(e.Kind) + " of this import is already under way"
}

// ChangedError means that the import has changed since the caller decided.
type ChangedError struct {
	Import Import // as it is now
}

// Error implements error.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("import %s is now %s, generation %d", e.Import.ImportID, e.Import.Status, e.Import.Generation)
}

// PendingFor is how long a requested re-execution keeps a different one out: the
// longest time that a function may run (AWS Lambda quota: 15 minutes).
const PendingFor = 15 * time.Minute

// Import returns an import. It fails with [ErrNotFound] if there is none of that
// name.
func (r *Registry) Import(ctx context.Context, importID string) (Import, error) {
	var imp Import
	found, err := r.get(ctx, metaKey(importID), &imp)
	if err == nil && !found {
		err = fmt.Errorf("registry: import %s: %w", importID, ErrNotFound)
	}
	return imp, err
}

// dateImport is the item that allots an import_id to a date, once and for all.
type dateImport struct {
	key
	ImportID string `dynamodbav:"import_id"`
}

// ImportOf returns the import_id of a date, and reports whether it has one.
func (r *Registry) ImportOf(ctx context.Context, mode etl.Mode, date string) (string, bool, error) {
	var d dateImport
	found, err := r.get(ctx, dateImportKey(mode, date), &d)
	return d.ImportID, found, err
}

// slot is the item that holds the import that may run.
type slot struct {
	key
	ImportID string `dynamodbav:"import_id"`
}

// Slot returns the import that may run, or the empty string.
func (r *Registry) Slot(ctx context.Context) (string, error) {
	var s slot
	_, err := r.get(ctx, slotKey(), &s)
	return s.ImportID, err
}

// takeSlot returns the write that takes the slot, or keeps it.
func takeSlot(importID string) write {
	return write{
		item:      slot{key: slotKey(), ImportID: importID},
		condition: "attribute_not_exists(pk) OR import_id = :import",
		values:    importValue(importID),
	}
}

// freeSlot returns the write that releases the slot, or none if the import does not
// hold it.
func (r *Registry) freeSlot(ctx context.Context, importID string) ([]write, error) {
	holder, err := r.Slot(ctx)
	if err != nil || holder != importID {
		return nil, err
	}
	return []write{{key: slotKey(), condition: "import_id = :import", values: importValue(importID)}}, nil
}

// TakeSlot takes the slot for an import, or keeps it, if check allows it, and returns
// the import as it was at that moment. The import is checked and the slot taken in
// one transaction, so nobody can abandon the import in between. check may be called
// several times. Open calls TakeSlot because a redrive in the console bypasses every
// other place that takes the slot.
//
// It fails with the error of check, with [ErrNotFound], or with *TakenError if
// another import holds the slot.
func (r *Registry) TakeSlot(ctx context.Context, importID string, check func(Import) error) (Import, error) {
	for range tries {
		imp, err := r.Import(ctx, importID)
		if err == nil {
			err = check(imp)
		}
		if err != nil {
			return imp, err
		}
		failed, err := r.transact(ctx, takeSlot(importID), imp.unchanged())
		if err != nil || len(failed) == 0 {
			return imp, err
		}
		if err := r.takenByOther(importID)(ctx); err != nil {
			return imp, err
		}
	}
	return Import{}, overtaken("take the slot for " + importID)
}

// unchanged returns the check that an import is still as it was read.
func (i *Import) unchanged() write {
	return write{key: metaKey(i.ImportID), check: true, condition: revisionIs, values: revisionValue(i.Revision)}
}

// FreeSlot releases the slot if the import that holds it is unknown, or is finished
// and no re-execution of it is pending and no replay of it runs. freed is false if the import may keep the
// slot or no longer holds it.
func (r *Registry) FreeSlot(ctx context.Context, importID string) (freed bool, err error) {
	free := write{key: slotKey(), condition: "import_id = :import", values: importValue(importID)}
	imp, err := r.Import(ctx, importID)
	still := imp.unchanged()
	switch {
	case errors.Is(err, ErrNotFound):
		still = write{key: metaKey(importID), check: true, condition: absent}
	case err != nil:
		return false, err
	case !imp.finished() || imp.Replay.Active() || (imp.Pending.Kind != "" && r.now().Sub(imp.Pending.At) < PendingFor):
		return false, nil
	}
	failed, err := r.transact(ctx, free, still)
	return err == nil && len(failed) == 0, err
}

func (r *Registry) taken(ctx context.Context) error {
	holder, err := r.Slot(ctx)
	if err != nil {
		return err
	}
	return &TakenError{Holder: holder}
}

// Allot gives a date in the queue its import_id, marks the import «en cours», takes
// the slot and records the first attempt, all in one transaction. arn returns the ARN
// of an execution from its name. The caller starts that execution; if it dies first,
// the sweep finds an import whose execution does not exist.
//
// ok is false if the date already has an import, is not in the queue, or the slot is
// taken: somebody else got there first.
func (r *Registry) Allot(ctx context.Context, e Entry, trigger etl.Trigger, arn func(name string) string) (imp Import, ok bool, err error) {
	const (
		meta = iota
		date
		running
		queue
	)
	for seq := 1; seq <= 999; {
		at := r.now().UTC()
		id := fmt.Sprintf("IMPORT_%s_%03d", at.Format("20060102_150405"), seq)
		imp = Import{
			key: metaKey(id), ImportID: id, Mode: e.Mode, FileDate: e.FileDate,
			Status: etl.StatusRunning, Generation: 1, ExecutionARN: arn(id), Executions: 1,
			CreatedAt: at, UpdatedAt: at, StartedAt: at,
		}
		attempt := imp.attempt(Pending{Kind: etl.KindStart, Trigger: trigger}, at)
		entry := e
		entry.key, entry.ImportID = queueKey(e.Mode, e.FileDate), id
		failed, err := r.transact(ctx,
			write{item: imp, condition: absent},
			write{item: dateImport{key: dateImportKey(e.Mode, e.FileDate), ImportID: id}, condition: absent},
			write{item: slot{key: slotKey(), ImportID: id}, condition: absent},
			write{item: entry, condition: "import_id = :import", values: importValue("")},
			write{item: attempt},
		)
		switch {
		case err != nil:
			return Import{}, false, fmt.Errorf("registry: allot %s %s: %w", e.Mode, e.FileDate, err)
		case len(failed) == 0:
			return imp, true, nil
		case failed[date] || failed[running] || failed[queue]:
			return Import{}, false, nil
		case failed[meta]:
			seq++
		}
	}
	return Import{}, false, overtaken("allot an import_id")
}

// attempt counts a new attempt and returns its item.
func (i *Import) attempt(asked Pending, at time.Time) Attempt {
	i.Attempts++
	return Attempt{
		key: attemptKey(i.ImportID, i.Attempts), Number: i.Attempts, Kind: asked.Kind, Trigger: asked.Trigger, By: asked.By, At: at,
		Generation: i.Generation, ExecutionARN: i.ExecutionARN,
		FailedStep: message.Text(i.Step), FailedReason: message.Text(i.Reason), Accepted: i.Accepted,
	}
}

// errUnchanged ends a change that has nothing to do.
var errUnchanged = errors.New("nothing to change")

// change applies a change to an import. It is the only function that writes a META
// item after its creation. apply modifies the current state and returns the further
// writes that go with it, or errUnchanged. It may be called several times.
//
// If the condition of a further write fails, change returns the error of refused, or
// tries again if refused is nil or returns nil.
func (r *Registry) change(ctx context.Context, importID string,
	apply func(*Import) ([]write, error), refused func(context.Context) error,
) (imp Import, changed bool, err error) {
	for range tries {
		imp, err = r.Import(ctx, importID)
		if err != nil {
			return imp, false, err
		}
		before, revision := imp, imp.Revision
		further, err := apply(&imp)
		imp.Step, imp.Fault, imp.Reason = message.Text(imp.Step), message.Text(imp.Fault), message.Text(imp.Reason)
		if errors.Is(err, errUnchanged) {
			return before, false, nil
		}
		if err != nil {
			return before, false, err
		}
		imp.Revision, imp.UpdatedAt = revision+1, r.now().UTC()
		writes := append([]write{{item: imp, condition: revisionIs, values: revisionValue(revision)}}, further...)
		failed, err := r.transact(ctx, writes...)
		if err != nil {
			return before, false, fmt.Errorf("registry: change import %s: %w", importID, err)
		}
		if len(failed) == 0 {
			return imp, true, nil
		}
		if !failed[0] && refused != nil {
			if err := refused(ctx); err != nil {
				return before, false, err
			}
		}
	}
	return imp, false, overtaken("change import " + importID)
}

// Seal stores the list of object versions that the generation loads, and returns it.
// The first list of a generation stands: every later call returns it, whatever list
// it is given. After a restart, the new generation seals its own list. Seal fails
// with *ChangedError if the generation is no longer the current one.
func (r *Registry) Seal(ctx context.Context, importID string, generation int, files []SealedFile) ([]SealedFile, error) {
	imp, _, err := r.change(ctx, importID, func(i *Import) ([]write, error) {
		if i.Generation != generation {
			return nil, &ChangedError{Import: *i}
		}
		if i.Sealed() {
			return nil, errUnchanged
		}
		i.SealedGeneration, i.Files = generation, files
		return nil, nil
	}, nil)
	return imp.Files, err
}

// Unused returns the arrivals whose version is not in the sealed list. Open calls it
// after Seal, with the arrivals read again, to find the files that came too late for
// this generation. Nothing else warns of them.
func (i Import) Unused(arrivals map[string]Arrival) []Arrival {
	var late []Arrival
	for _, a := range arrivals {
		if !i.Uses(a) {
			late = append(late, a)
		}
	}
	return late
}
