package registry

import "etl-dataloader/internal/etl"

// controlTotals is the resource under which the control totals of a date arrive.
const controlTotals = "control"

// Corrected reports whether each refused file of the generation's list has a newer
// version among the arrivals of its date; for one that only differs from its control
// totals, newer totals do as well. It is false if no file is refused.
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

// replaced reports whether a newer object than f has arrived in its place. An
// older one, which is the newest again because f was removed, is no correction.
func (f SealedFile) replaced(arrivals map[string]Arrival) bool {
	a, ok := arrivals[f.Resource]
	same := a.Key == f.Key && a.VersionID == f.VersionID && a.ETag == f.ETag
	return ok && !same && !a.LastModified.Before(f.LastModified)
}
