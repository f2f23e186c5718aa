package precheck

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/setrule"
	"etl-dataloader/internal/totals"
	"etl-dataloader/internal/validation"
)

// judge judges the records of one file.
type judge struct {
	checker   *Checker
	resource  *contract.Resource
	file      namedFile
	layout    record.Layout
	rules     *validation.Checker
	unique    []*uniqueKey
	relations []*relation // to other resources
	trees     []*relation // to the resource itself
	parent    *parent     // what children will ask for; nil if no resource refers to this one
	held      []heldRow   // records of a resource with trees, judged when all are read

	values []validation.Value
	errors []Error // of the current record
	result Result
}

func newJudge(c *Checker, r *contract.Resource, f namedFile) (*judge, error) {
	date, err := time.Parse(time.DateOnly, f.name.Date)
	if err != nil {
		return nil, err
	}
	rules, err := validation.NewChecker(r, date)
	if err != nil {
		return nil, err
	}
	j := &judge{
		checker: c, resource: r, file: f, rules: rules,
		layout: validation.Layout(r, f.name.Format),
		values: make([]validation.Value, len(r.Fields)),
		result: Result{File: f.Name, Resource: r.Name},
	}
	j.unique = append(j.unique, newUniqueKey(r, contract.RulePrimaryKey, r.Key))
	for _, key := range r.Unique {
		j.unique = append(j.unique, newUniqueKey(r, contract.RuleUnique, key))
	}
	for i, rel := range r.Relations {
		one := newRelation(c, r, i)
		if rel.Resource == r.Name {
			j.trees = append(j.trees, one)
		} else {
			j.relations = append(j.relations, one)
		}
	}
	j.parent = newParent(c.pkg, r)
	return j, nil
}

// run reads the file as the import does: first as a whole, then chunk by chunk.
func (j *judge) run() error {
	var chunks []record.Chunk
	meter := totals.NewMeter(io.NewSectionReader(j.file.Content, 0, j.file.Size))
	scan, err := record.Cut(meter, j.layout, record.Limits{}, func(c record.Chunk) error {
		chunks = append(chunks, c)
		return nil
	})
	var faulty *record.FileError
	switch {
	case errors.As(err, &faulty):
		j.result.Fault = validation.FileReason(j.resource.Encoding, faulty)
		return nil
	case err != nil:
		return err
	case scan.Records == 0 && !j.resource.EmptyAllowed:
		j.result.Fault = validation.FileNoRecord
		return nil
	}
	if j.result.Fault = j.checker.differs(j.file.Name, meter.Total(scan.Records)); j.result.Fault != "" {
		return nil
	}
	if scan.Header != nil && !slices.Equal(scan.Header, j.layout.Columns) {
		j.result.Reordered = scan.Header
	}
	j.result.Unterminated = scan.Unterminated
	for _, c := range chunks {
		if err := j.chunk(c, scan.Header); err != nil {
			return err
		}
	}
	if err := j.settle(); err != nil {
		return err
	}
	for _, rel := range j.relations {
		if rel.open > 0 {
			j.result.Open = append(j.result.Open, OpenRelation{
				Field: strings.Join(rel.Fields, ", "), Parent: rel.Resource, Records: rel.open, Absent: rel.parent == nil,
			})
		}
	}
	if j.parent != nil {
		j.checker.parents[j.resource.Name] = j.parent
	}
	if j.resource.Load == contract.LoadReload && j.result.Read > 0 && j.result.Valid == 0 {
		j.result.Fault = validation.FileNoValidRecord(j.result.Rejected)
	}
	return nil
}

func (j *judge) chunk(c record.Chunk, header []string) error {
	content := io.NewSectionReader(j.file.Content, c.Start, c.End-c.Start)
	records := record.NewReader(content, c, j.layout, header)
	for {
		rec, err := records.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		j.record(rec)
		if len(j.trees) > 0 {
			j.hold(rec.Line, rec.Fault == "")
			continue
		}
		if err := j.conclude(); err != nil {
			return err
		}
	}
}

// record finds all that is wrong with a record but what depends on records of
// the same file that are still to come.
func (j *judge) record(rec *record.Record) {
	j.errors = j.errors[:0]
	j.result.Read++
	report := func(v validation.Violation) { j.violation(rec.Line, v) }
	if rec.Fault != "" {
		report(j.rules.Malformed(rec.Code()))
		return
	}
	validation.Values(j.values, j.resource.Fields, rec.Values)
	j.rules.Check(j.values, report)
	for _, key := range j.unique {
		if first, twice := key.seen(j.values, rec.Line); twice {
			report(validation.Violation{Field: strings.Join(key.names, ", "), Rule: key.rule, Details: setrule.DuplicateText(key.names, first)})
		}
	}
	for _, rel := range j.relations {
		rel.check(j.checker.daily, j.values, report)
	}
	for _, rel := range j.relations {
		if len(j.errors) == 0 {
			rel.sums(j.values, report)
		}
	}
}

func (j *judge) violation(line int64, v validation.Violation) {
	j.errors = append(j.errors, Error{
		File: j.file.Name, Resource: j.resource.Name, Line: line, Field: v.Field, Rule: v.Rule, Details: v.Details,
	})
}

// conclude reports the errors of the current record, or keeps its key for its
// children.
func (j *judge) conclude() error {
	if len(j.errors) > 0 {
		return j.reject(j.errors)
	}
	j.result.Valid++
	if j.parent != nil {
		j.parent.add(j.values)
	}
	return nil
}

func (j *judge) reject(found []Error) error {
	j.result.Rejected++
	j.result.Errors += int64(len(found))
	for _, e := range found {
		if err := j.checker.report(e); err != nil {
			return err
		}
	}
	return nil
}
