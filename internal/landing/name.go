// Package landing handles the landing bucket: the names of its files, and their
// arrival.
//
// A file is `initial/<type>_<AAAAMMJJ>.<ext>` or `daily/<type>_<AAAAMMJJ>.<ext>`;
// beside the ten of a date there may be its control totals (package totals),
// `control_<AAAAMMJJ>.json`.
// Notifications are hints only: for each one, and for every object that the sweep
// finds, the bucket is asked which version is current, and that is recorded in
// the registry. Replayed, reordered and lost notifications therefore all end in
// the same arrivals. The content of an object is never read here.
//
// Looking at the bucket takes a bounded time, whatever it holds. Before a date starts,
// [Recorder.Look] lists only the names that its files can have. The sweep walks through
// the whole bucket with [Recorder.Walk], a part each time, and records in the registry
// where it stopped. Badly named objects are logged when they arrive; the walk announces
// all that it found in one alert.
package landing

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/totals"
)

// FileType is a kind of file that a date must have.
type FileType struct {
	Resource string // target name, such as "clients"
	Prefix   string // of the file's name, such as "client_data"
	Alias    string // accepted instead of the prefix, such as "clients"
}

// Control is the resource under which the control totals of a date are recorded. It is
// not a resource of the contract.
const Control = totals.Prefix

// Names parses the names of files. It is safe for concurrent use.
type Names struct {
	types    []FileType
	resource map[string]string // by prefix and alias
	required bool              // control totals are, as the types are
}

// NewNames returns the names of the given types, which are kept in the order
// given. It fails if two types share a prefix or alias, or one has that of the
// control totals. Those may be missing, see [Names.Requiring].
func NewNames(types []FileType) (*Names, error) {
	n := &Names{types: types, resource: map[string]string{Control: Control}}
	for _, t := range types {
		for _, prefix := range []string{t.Prefix, t.Alias} {
			if prefix == "" || (prefix == t.Alias && t.Alias == t.Prefix && n.resource[prefix] == t.Resource) {
				continue
			}
			if other, ok := n.resource[prefix]; ok {
				return nil, fmt.Errorf("landing: file type %q stands for %s and for %s", prefix, other, t.Resource)
			}
			n.resource[prefix] = t.Resource
		}
	}
	return n, nil
}

// Resources returns the resources of the types, in order.
func (n *Names) Resources() []string {
	resources := make([]string, len(n.types))
	for i, t := range n.types {
		resources[i] = t.Resource
	}
	return resources
}

// Requiring returns the same names with control totals that are mandatory like
// the types, if control is set, or may be missing.
func (n *Names) Requiring(control bool) *Names {
	other := *n
	other.required = control
	return &other
}

// File is the information in the name of an object.
type File struct {
	Mode     etl.Mode
	Date     string // YYYY-MM-DD
	Resource string // of the contract, or Control
	Format   string // "csv", "json" or "jsonl"
}

// NameError reports a name that breaks the rules.
type NameError struct {
	Reason string // in French, for people
}

// Error implements error.
func (e *NameError) Error() string { return e.Reason }

// Parse reads the key of an object; it fails with *NameError.
func (n *Names) Parse(key string) (File, error) {
	folder, name, found := strings.Cut(key, "/")
	mode := etl.Mode(folder)
	if !found || (mode != etl.ModeInitial && mode != etl.ModeDaily) {
		return File{}, &NameError{Reason: BadFolder}
	}
	base, format, found := strings.Cut(name, ".")
	cut := strings.LastIndexByte(base, '_')
	if !found || cut <= 0 || !digits(base[cut+1:]) || strings.Contains(name, "/") {
		return File{}, &NameError{Reason: BadForm}
	}
	resource, known := n.resource[base[:cut]]
	if !known {
		return File{}, &NameError{Reason: BadType}
	}
	date, err := time.Parse("20060102", base[cut+1:])
	if err != nil || date.Year() == 0 {
		return File{}, &NameError{Reason: BadDate}
	}
	if resource == Control && format != totals.Format {
		return File{}, &NameError{Reason: BadControlExtension}
	}
	switch format {
	case "csv", "json", "jsonl":
		return File{Mode: mode, Date: date.Format(time.DateOnly), Resource: resource, Format: format}, nil
	default:
		return File{}, &NameError{Reason: BadExtension}
	}
}

// prefixes returns the prefixes of file names, including control totals.
func (n *Names) prefixes() []string { return slices.Sorted(maps.Keys(n.resource)) }

// digits reports whether s is a date's eight digits.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 8
}

// Missing returns the file types that have not arrived, in the order of the
// types, and last the control totals if they are required; nil if all are there.
func (n *Names) Missing(there map[string]registry.Arrival) []string {
	var missing []string
	for _, t := range n.types {
		if _, ok := there[t.Resource]; !ok {
			missing = append(missing, t.Prefix)
		}
	}
	if _, ok := there[Control]; n.required && !ok {
		missing = append(missing, Control)
	}
	return missing
}

// fileName is the object's key without its folder.
func fileName(key string) string { return path.Base(key) }
