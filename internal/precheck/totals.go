package precheck

import (
	"errors"
	"io"
	"maps"
	"slices"

	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/totals"
)

// declare reads the control totals among the files, if they were given, and returns
// what becomes of them. A file that they name and that was not given may come from
// elsewhere; one that was given and that they do not name refuses them.
func (c *Checker) declare(named map[string]namedFile) ([]Result, error) {
	f, given := named[landing.Control]
	if !given {
		return nil, nil
	}
	result := Result{File: f.Name, Resource: landing.Control}
	declared, err := totals.Parse(io.NewSectionReader(f.Content, 0, f.Size))
	if faulty, ok := errors.AsType[*totals.Error](err); ok {
		result.Fault = faulty.Error()
		return []Result{result}, nil
	}
	if err != nil {
		return nil, err
	}
	c.declared = declared
	var unnamed []string
	for _, resource := range slices.Sorted(maps.Keys(named)) {
		if _, ok := declared.File(named[resource].Name); !ok && resource != landing.Control {
			unnamed = append(unnamed, named[resource].Name)
		}
	}
	if unnamed != nil {
		result.Fault = totals.OtherFiles(unnamed, nil, 0)
	}
	return []Result{result}, nil
}

// differs says how a file differs from its control totals; empty if it does not,
// or has none.
func (c *Checker) differs(file string, found totals.Total) string {
	declared, ok := c.declared.File(file)
	if !ok {
		return ""
	}
	var texts []string
	for _, d := range declared.Differences(found) {
		texts = append(texts, d.String())
	}
	if texts == nil {
		return ""
	}
	return totals.Differs(texts)
}
