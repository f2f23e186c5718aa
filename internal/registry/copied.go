package registry

import (
	"context"

	"etl-dataloader/internal/etl"
)

// copied numbers the states of an import that the database has a copy of: twice the
// attempt, plus one if it failed. It only grows.
func (i Import) copied() int {
	if i.Status == etl.StatusFailed {
		return 2*i.Attempts + 1
	}
	return 2 * i.Attempts
}

// Unrecorded reports whether the copy that SQL users see is to be brought up to
// date: the import failed and the copy does not say so, or it runs and the copy
// says that it failed. What Open, Publish and the giving up of an import write by
// themselves is no matter of the copy.
func (i Import) Unrecorded() bool {
	switch i.Status {
	case etl.StatusFailed:
		return i.Recorded < i.copied()
	case etl.StatusRunning:
		return i.Recorded%2 == 1 && i.Recorded < i.copied()
	default:
		return false
	}
}

// MarkRecorded notes that the copy shows imp, or something later.
func (r *Registry) MarkRecorded(ctx context.Context, imp Import) error {
	_, _, err := r.change(ctx, imp.ImportID, func(i *Import) ([]write, error) {
		if i.Recorded >= imp.copied() {
			return nil, errUnchanged
		}
		i.Recorded = imp.copied()
		return nil, nil
	}, nil)
	return err
}
