// Package precheck checks files before they are deposited: on a laptop, without
// AWS and without a database.
//
// It is the engine of the import in another order. The same reader cuts the
// files (package record), the same checker looks at each record (package
// validation), and the texts are those of the import (packages validation and setrule). What the
// import does in SQL over all records, uniqueness and relations, is done here
// with maps: the keys of the given files are held in memory, about 100 bytes
// each, values never. Parents are read before their children, so that a rejected
// parent rejects its children.
//
// What the given files cannot tell stays open and is counted in
// [Result.Open]: a relation to a file that was not given, and, in daily mode, a
// parent that is not in the file but may be in its table since an earlier day.
//
// Details of errors hold no value, as in an import, so that they can be shown.
package precheck

import (
	"fmt"
	"io"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/totals"
)

// File is a file to check.
type File struct {
	Name    string // without folder: <type>_<AAAAMMJJ>.<csv|json|jsonl>
	Content io.ReaderAt
	Size    int64 // bytes
}

// Error is one reason for which a record would be rejected. Its members are
// named as the columns of etl.errors.
type Error struct {
	File     string `json:"file"`
	Resource string `json:"resource"`
	Line     int64  `json:"line_number"`
	Field    string `json:"field,omitempty"` // "" for a record that could not be read
	Rule     string `json:"rule"`
	Details  string `json:"error_details"` // French
}

// Result says what would become of a file.
type Result struct {
	File      string   `json:"file"`
	Resource  string   `json:"resource,omitempty"`  // "" if the name says none
	Fault     string   `json:"fault,omitempty"`     // French; "" unless the whole file is faulty
	Reordered []string `json:"reordered,omitempty"` // the columns of a header in another order than the contract's, which is accepted
	// Unterminated reports whether the last line has no line end, which is accepted.
	Unterminated bool           `json:"unterminated,omitempty"`
	Read         int64          `json:"read"` // malformed records included
	Valid        int64          `json:"valid"`
	Rejected     int64          `json:"rejected"`
	Errors       int64          `json:"errors"` // a record can have several
	Open         []OpenRelation `json:"open,omitempty"`
}

// OpenRelation is a relation that the given files do not decide.
type OpenRelation struct {
	Field   string `json:"field"`
	Parent  string `json:"parent"`
	Records int64  `json:"records"` // that depend on it; they count as valid for it
	Absent  bool   `json:"absent"`  // the parent's file was not given, or is faulty
}

// SetError reports files that cannot be checked together.
type SetError struct{ Reason string }

// Error implements error; the text is French.
func (e *SetError) Error() string { return e.Reason }

// Checker checks the files of one date.
type Checker struct {
	pkg      *contract.Package
	daily    bool
	names    *landing.Names
	horizon  landing.Horizon // no horizon without its clock
	declared totals.Totals   // of the control file, if it was given
	report   func(Error) error
	parents  map[string]*parent // of the resources whose file was read and that are referred to
}

// New returns a checker of files of a mode, etl.ModeInitial or ModeDaily.
// report is called for each error, file by file in the order of dependency and
// in ascending order of lines.
func New(pkg *contract.Package, mode etl.Mode, report func(Error) error) (*Checker, error) {
	names, err := landing.FromContract(pkg)
	if err != nil {
		return nil, err
	}
	return &Checker{pkg: pkg, daily: mode == etl.ModeDaily, names: names, report: report, parents: map[string]*parent{}}, nil
}

// Until makes the checker refuse files whose date lies behind the horizon, as an
// import does.
func (c *Checker) Until(horizon landing.Horizon) { c.horizon = horizon }

// parse reads the name of a file.
func (c *Checker) parse(file string) (landing.File, error) {
	name, err := c.names.Parse(string(etl.ModeDaily) + "/" + file)
	if err == nil && c.horizon.Now != nil {
		err = c.horizon.Check(name.Date)
	}
	return name, err
}

// Check checks the files and returns a result for each, in the order of
// dependency, files with a bad name first. It fails with a *SetError if two of
// them are of one type or if their dates differ; other errors are those of the
// files' content and of report.
func (c *Checker) Check(files []File) ([]Result, error) {
	named, results, err := c.named(files)
	if err != nil {
		return nil, err
	}
	control, err := c.declare(named)
	if err != nil {
		return nil, fmt.Errorf("precheck: %s: %w", landing.Control, err)
	}
	results = append(results, control...)
	for _, r := range c.pkg.InDependencyOrder() {
		f, ok := named[r.Name]
		if !ok {
			continue
		}
		j, err := newJudge(c, r, f)
		if err == nil {
			err = j.run()
		}
		if err != nil {
			return results, fmt.Errorf("precheck: %s: %w", f.Name, err)
		}
		results = append(results, j.result)
	}
	return results, nil
}

// namedFile is a file and what its name says.
type namedFile struct {
	File
	name landing.File
}

// named reads the names of the files and returns them by resource; those whose
// name breaks the rule are results already.
func (c *Checker) named(files []File) (map[string]namedFile, []Result, error) {
	found := map[string]namedFile{}
	var bad []Result
	var first namedFile
	for _, f := range files {
		name, err := c.parse(f.Name)
		if err != nil {
			bad = append(bad, Result{File: f.Name, Fault: err.Error()})
			continue
		}
		n := namedFile{f, name}
		if first.Name == "" {
			first = n
		}
		if name.Date != first.name.Date {
			return nil, nil, &SetError{TwoDates(first.Name, f.Name)}
		}
		if other, twice := found[name.Resource]; twice {
			return nil, nil, &SetError{TwoFiles(other.Name, f.Name)}
		}
		found[name.Resource] = n
	}
	return found, bad, nil
}
