package registry

import (
	"context"
	"fmt"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// FileStatus is what an import has established about a sealed file as a whole.
type FileStatus struct {
	// Status is empty until it is known.
	Status etl.FileStatus `dynamodbav:"file_status,omitempty" json:"status,omitempty"`
	// Reason says in French why the file is refused; empty unless it is. It names
	// columns, lines and figures, never what a cell holds, and is a [message.Text].
	Reason string `dynamodbav:"file_reason,omitempty" json:"reason,omitempty"`
	// ByControl reports whether the file is refused because it differs from the
	// date's control file.
	ByControl bool `dynamodbav:"by_control,omitempty" json:"by_control,omitempty"`
}

// RecordFileStatuses stores the status of sealed files by resource. A file that is
// not in statuses keeps its status. It is idempotent. A reason is stored as a
// [message.Text].
//
// It fails with *[ChangedError] if the generation is not the current one or has not
// sealed a list, and with another error if a resource is not in the list.
func (r *Registry) RecordFileStatuses(ctx context.Context, importID string, generation int, statuses map[string]FileStatus) error {
	_, _, err := r.change(ctx, importID, func(i *Import) ([]write, error) {
		if i.Generation != generation || !i.Sealed() {
			return nil, &ChangedError{Import: *i}
		}
		changed, found := false, 0
		for n := range i.Files {
			status, named := statuses[i.Files[n].Resource]
			if !named {
				continue
			}
			found++
			status.Reason = message.Text(status.Reason)
			changed = changed || status != i.Files[n].FileStatus
			i.Files[n].FileStatus = status
		}
		switch {
		case found < len(statuses):
			return nil, fmt.Errorf("registry: file statuses of import %s: %d of %d files are not in its list", importID, len(statuses)-found, len(statuses))
		case !changed:
			return nil, errUnchanged
		}
		return nil, nil
	}, nil)
	return err
}
