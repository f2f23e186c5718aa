package registry

import (
	"context"

	"etl-dataloader/internal/etl"
)

// copied returns the number of an import's state among those that are copied to the
// database: twice the attempt, plus one if it failed. It only grows.
func (i Import) copied() int {
	if i.Status == etl.StatusFailed {
		return 2*i.Attempts + 1
	}
	return 2 * i.Attempts
}

// Unrecorded reports whether the copy that SQL users see is out of date: the import
// failed and the copy does not show it, or it runs and the copy shows a failure. The
// states that Open, Publish and Abandon write themselves are not copied.
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
