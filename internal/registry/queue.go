package registry

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"etl-dataloader/internal/etl"
)

// Queue returns the dates that are not finished, in the order in which they may
// run: initial ones first, then file dates ascending.
func (r *Registry) Queue(ctx context.Context) ([]Entry, error) {
	return query[Entry](ctx, r, "QUEUE", "")
}

// MarkDue puts a date into the queue and records that its deadline has passed: it
// starts even without any file. If the date already has an import, due is false and
// nothing changes.
func (r *Registry) MarkDue(ctx context.Context, mode etl.Mode, date string) (due bool, err error) {
	for range tries {
		if err := r.openDate(ctx, mode, date); err != nil {
			return false, err
		}
		found, err := r.changeEntry(ctx, mode, date, func(e *Entry) bool {
			changed := !e.Due || !e.Expected
			e.Due, e.Expected = true, true
			return changed
		})
		if err != nil || found {
			return found, err
		}
		if _, allotted, err := r.ImportOf(ctx, mode, date); err != nil || allotted {
			return false, err
		}
	}
	return false, overtaken("mark " + string(mode) + " " + date + " due")
}

// MarkLate records that the deadline of a date in the queue has passed. Unlike a date
// marked by [Registry.MarkDue], it leaves the queue when its last file is removed.
// late is false if the date is not in the queue or already has an import.
func (r *Registry) MarkLate(ctx context.Context, mode etl.Mode, date string) (late bool, err error) {
	return r.changeEntry(ctx, mode, date, func(e *Entry) bool {
		changed := !e.Due
		e.Due = true
		return changed
	})
}

// MarkReady records that all files of a date were seen. Whoever starts the date looks
// again; without the mark, a date among very many might never be looked at.
func (r *Registry) MarkReady(ctx context.Context, mode etl.Mode, date string) error {
	_, err := r.changeEntry(ctx, mode, date, func(e *Entry) bool {
		changed := !e.Ready
		e.Ready = true
		return changed
	})
	return err
}

// MarkTold records that operators were told of a date that lacks files.
func (r *Registry) MarkTold(ctx context.Context, mode etl.Mode, date string) error {
	_, err := r.changeEntry(ctx, mode, date, func(e *Entry) bool {
		changed := !e.Told
		e.Told = true
		return changed
	})
	return err
}

// entryIs is the condition for every rewrite of a waiting date. Entries written by
// earlier versions have no revision.
const entryIs = "import_id = :import AND (attribute_not_exists(revision) OR revision = :revision)"

func entryValues(revision int) map[string]types.AttributeValue {
	values := revisionValue(revision)
	maps.Copy(values, importValue(""))
	return values
}

// changeEntry changes a date in the queue that has no import yet; found is false if
// there is no such date. apply reports whether it changed anything.
func (r *Registry) changeEntry(ctx context.Context, mode etl.Mode, date string, apply func(*Entry) bool) (found bool, err error) {
	for range tries {
		var e Entry
		found, err := r.get(ctx, queueKey(mode, date), &e)
		if err != nil || !found || e.ImportID != "" {
			return false, err
		}
		revision := e.Revision
		if !apply(&e) {
			return true, nil
		}
		e.Revision++
		failed, err := r.transact(ctx, write{item: e, condition: entryIs, values: entryValues(revision)})
		if err != nil {
			return false, fmt.Errorf("registry: change %s %s in the queue: %w", mode, date, err)
		}
		if len(failed) == 0 {
			return true, nil
		}
	}
	return false, overtaken("change " + string(mode) + " " + date + " in the queue")
}

// LeaveEmpty removes a date without an import from the queue if it no longer has any
// file, and reports whether it did. A date whose deadline has passed by
// [Registry.MarkDue] stays: its import fails with the names of the missing files.
func (r *Registry) LeaveEmpty(ctx context.Context, mode etl.Mode, date string) (left bool, err error) {
	var e Entry
	found, err := r.get(ctx, queueKey(mode, date), &e)
	if err != nil || !found || e.ImportID != "" || e.Expected {
		return false, err
	}
	if objects, err := r.Objects(ctx, mode, date); err != nil || len(objects) > 0 {
		return false, err
	}
	failed, err := r.transact(ctx, write{key: queueKey(mode, date), condition: entryIs, values: entryValues(e.Revision)})
	if err != nil || len(failed) > 0 {
		return false, err
	}
	// A file recorded meanwhile may still have found the entry. Either it is seen
	// here, or its writer finds no entry and opens the date (RecordArrival).
	objects, err := r.Objects(ctx, mode, date)
	if err != nil || len(objects) == 0 {
		return err == nil, err
	}
	return false, r.openDate(ctx, mode, date)
}

// Published is a date that succeeded.
type Published struct {
	key
	Mode     etl.Mode  `dynamodbav:"mode"`
	FileDate string    `dynamodbav:"file_date"` // YYYY-MM-DD
	ImportID string    `dynamodbav:"import_id"`
	At       time.Time `dynamodbav:"at"`
}

func published(i Import, at time.Time) Published {
	return Published{
		key:  key{PK: "PUBLISHED", SK: order(i.Mode, i.FileDate)},
		Mode: i.Mode, FileDate: i.FileDate, ImportID: i.ImportID, At: at,
	}
}

// Published returns the dates that succeeded, initial ones first, then file dates
// ascending.
func (r *Registry) Published(ctx context.Context) ([]Published, error) {
	return query[Published](ctx, r, "PUBLISHED", "")
}

// Abandoned is a date whose import was abandoned and not restarted since.
type Abandoned struct {
	key
	Mode     etl.Mode  `dynamodbav:"mode"`
	FileDate string    `dynamodbav:"file_date"` // YYYY-MM-DD
	ImportID string    `dynamodbav:"import_id"`
	At       time.Time `dynamodbav:"at"`
}

func abandonedKey(mode etl.Mode, date string) key { return key{PK: "ABANDONED", SK: order(mode, date)} }

// Abandoned returns the dates whose import was abandoned, initial ones first, then
// file dates ascending.
func (r *Registry) Abandoned(ctx context.Context) ([]Abandoned, error) {
	return query[Abandoned](ctx, r, "ABANDONED", "")
}

// executionName returns the name of the nth execution of an import: the import_id for
// the first, `<import_id>-<n>` for the others.
func executionName(importID string, n int) string {
	if n <= 1 {
		return importID
	}
	return fmt.Sprintf("%s-%d", importID, n)
}
