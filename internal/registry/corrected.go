package registry

import "etl-dataloader/internal/etl"

// controlTotals is the resource under which the control totals of a date arrive.
const controlTotals = "control"

// Corrected reports whether every refused file in the generation's list has a newer
// version among the arrivals of its date. If a file only differs from its control
// totals, newer totals are enough. It is false if no file is refused.
func (i Import) Corrected(arrivals map[string]Arrival) bool {
	if !i.Sealed() {
		return false
	}
	control := SealedFile{Resource: controlTotals}
	for _, f := range i.Files {
		if f.Resource == controlTotals {
			control = f
		}
	}
	refused := 0
	for _, f := range i.Files {
		if f.Status != etl.FileRejected {
			continue
		}
		refused++
		corrected := f.replaced(arrivals) || (f.ByControl && control.replaced(arrivals))
		if !corrected {
			return false
		}
	}
	return refused > 0
}

// replaced reports whether a newer object than f has arrived in its place. An older
// one, which became the newest again when f was removed, is not a correction.
func (f SealedFile) replaced(arrivals map[string]Arrival) bool {
	a, ok := arrivals[f.Resource]
	same := a.Key == f.Key && a.VersionID == f.VersionID && a.ETag == f.ETag
	return ok && !same && !a.LastModified.Before(f.LastModified)
}
