package precheck

import (
	"slices"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/setrule"
	"etl-dataloader/internal/validation"
)

// heldRow is a record of a resource with relations to itself.
type heldRow struct {
	line    int64
	key     string
	keyed   bool
	parents []string // by tree; "" for none
	kept    []bigint // what children ask for
	errors  []Error
}

// hold keeps the keys and the errors of the current record until all records
// are read. A record that could not be read has errors alone.
func (j *judge) hold(line int64, readable bool) {
	row := heldRow{line: line, parents: make([]string, len(j.trees)), errors: slices.Clone(j.errors)}
	if readable {
		row.key, row.keyed = keyText(j.resource.KeyFields(), j.values)
		for i, tree := range j.trees {
			row.parents[i], _ = keyText(tree.fields, j.values)
		}
		if j.parent != nil {
			row.kept = j.parent.keep(j.values)
		}
	}
	j.held = append(j.held, row)
}

// settle judges the relations of a resource to itself: orphans until nothing
// changes, then the members of cycles, then what hangs below them.
func (j *judge) settle() error {
	for i, tree := range j.trees {
		j.cascade(i)
		if tree.Acyclic {
			j.cycles(i)
			j.cascade(i)
		}
	}
	for i := range j.held {
		row := &j.held[i]
		if len(row.errors) > 0 {
			if err := j.reject(row.errors); err != nil {
				return err
			}
			continue
		}
		j.result.Valid++
		if j.parent != nil && row.keyed {
			j.parent.rows[row.key] = row.kept
		}
	}
	return nil
}

// alive returns the valid records by key. A key stands once: later records of
// the same key are rejected.
func (j *judge) alive() map[string]*heldRow {
	rows := make(map[string]*heldRow, len(j.held))
	for i := range j.held {
		if row := &j.held[i]; len(row.errors) == 0 && row.keyed {
			rows[row.key] = row
		}
	}
	return rows
}

// cascade rejects what has no valid parent, and all below it. Each record is
// looked at once, and once more when its parent is rejected.
func (j *judge) cascade(tree int) {
	alive := j.alive()
	// The children of each record as a list: its first child, then the next one of
	// the same parent, by their places; -1 ends it.
	first, next := make(map[*heldRow]int), make([]int, len(j.held))
	var open []int // places of records without a valid parent
	for i := range j.held {
		key := j.held[i].parents[tree]
		parent := alive[key]
		switch {
		case key == "":
		case parent == nil:
			open = append(open, i)
		default:
			next[i] = -1
			if child, more := first[parent]; more {
				next[i] = child
			}
			first[parent] = i
		}
	}
	for len(open) > 0 {
		i := open[len(open)-1]
		open = open[:len(open)-1]
		row := &j.held[i]
		if j.explained(tree, row) {
			continue
		}
		j.add(row, j.trees[tree].orphan())
		child, more := first[row]
		for ; more && child >= 0; child = next[child] {
			open = append(open, child)
		}
	}
}

// explained reports whether the relation has rejected the record.
func (j *judge) explained(tree int, row *heldRow) bool {
	field := strings.Join(j.trees[tree].Fields, ", ")
	return slices.ContainsFunc(row.errors, func(e Error) bool {
		return e.Field == field && (e.Rule == contract.RuleForeignKey || e.Rule == contract.RuleCycle)
	})
}

// cycles rejects the valid records from which following the parents leads back.
func (j *judge) cycles(tree int) {
	alive := j.alive()
	done := map[string]bool{}
	for start := range alive {
		path := map[string]int{}
		var order []string
		key := start
		for key != "" && !done[key] {
			if place, again := path[key]; again {
				for _, member := range order[place:] {
					j.add(alive[member], validation.Violation{
						Field: strings.Join(j.trees[tree].Fields, ", "), Rule: contract.RuleCycle, Details: setrule.CycleText(j.trees[tree].Fields),
					})
				}
				break
			}
			path[key] = len(order)
			order = append(order, key)
			row := alive[key]
			if row == nil {
				break
			}
			key = row.parents[tree]
		}
		for _, key := range order {
			done[key] = true
		}
	}
}

func (j *judge) add(row *heldRow, v validation.Violation) {
	row.errors = append(row.errors, Error{
		File: j.file.Name, Resource: j.resource.Name, Line: row.line, Field: v.Field, Rule: v.Rule, Details: v.Details,
	})
}
