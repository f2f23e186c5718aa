package registry

import (
	"context"
	"fmt"
	"time"
)

// Queue returns the dates that are not finished, in the order in which they may
// run: the initial ones first, then file dates ascending.
func (r *Registry) Queue(ctx context.Context) ([]Entry, error) {
	return query[Entry](ctx, r, "QUEUE", "")
}

// MarkDue puts a date into the queue, if it has no import yet, and marks that
// its deadline has passed. due is false if the date has its import already.
func (r *Registry) MarkDue(ctx context.Context, mode, date string) (due bool, err error) {
	for range tries {
		if err := r.openDate(ctx, mode, date); err != nil {
			return false, err
		}
		var entry Entry
		found, err := r.get(ctx, queueKey(mode, date), &entry)
		if err != nil {
			return false, err
		}
		if !found || entry.ImportID != "" {
			return false, nil
		}
		if entry.Due {
			return true, nil
		}
		entry.Due = true
		failed, err := r.transact(ctx, write{item: entry, condition: "import_id = :import", values: importValue("")})
		if err != nil {
			return false, fmt.Errorf("registry: mark %s %s due: %w", mode, date, err)
		}
		if len(failed) == 0 {
			return true, nil
		}
	}
	return false, overtaken("mark " + mode + " " + date + " due")
}

// Published is a date that succeeded.
type Published struct {
	key
	Mode     string    `dynamodbav:"mode"`
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

// Published returns the dates that succeeded, the initial ones first, then file
// dates ascending.
func (r *Registry) Published(ctx context.Context) ([]Published, error) {
	return query[Published](ctx, r, "PUBLISHED", "")
}

// executionName is the name of the nth execution of an import: its import_id,
// then `<import_id>-<n>`.
func executionName(importID string, n int) string {
	if n <= 1 {
		return importID
	}
	return fmt.Sprintf("%s-%d", importID, n)
}
