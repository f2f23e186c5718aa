package record

import (
	"crypto/sha256"
	"slices"
)

// mostStrangers is how many unknown members of one object are remembered. No
// contract has as many columns, and a file whose objects have more is faulty
// already because of those that are remembered.
const mostStrangers = 100

// drift is how all objects of a file differ from the contract. The whole file is
// faulty if all have a member that the contract does not know, or none has a
// required one. Its memory is bounded by [mostStrangers] and
// [longestName]; an object of the contract costs nothing once its required
// members were seen.
type drift struct {
	layout  Layout
	objects int64
	seen    []bool // columns that some object has had
	open    int    // required columns that no object has had yet
	common  []stranger
}

func newDrift(layout Layout) *drift {
	d := &drift{layout: layout, seen: make([]bool, len(layout.Columns))}
	for i := range layout.Columns {
		if layout.requires(i) {
			d.open++
		}
	}
	return d
}

// add records the members of one more object: its columns, and the others.
func (d *drift) add(seen []bool, strangers []stranger) {
	d.objects++
	if d.open > 0 || d.objects == 1 || len(d.common) > 0 {
		d.see(seen)
	}
	switch {
	case d.objects == 1:
		for _, s := range strangers {
			if !s.twice {
				d.common = append(d.common, s)
			}
		}
	case len(d.common) > 0:
		d.common = slices.DeleteFunc(d.common, func(known stranger) bool {
			return !slices.ContainsFunc(strangers, func(s stranger) bool { return !s.twice && s.name == known.name })
		})
	}
}

func (d *drift) see(seen []bool) {
	for i, has := range seen {
		if has && !d.seen[i] {
			d.seen[i] = true
			if d.layout.requires(i) {
				d.open--
			}
		}
	}
}

// remembered returns a name, or a substitute for one that is too long to be kept.
func remembered(name []byte) string {
	if len(name) <= 4*longestName {
		return string(name)
	}
	sum := sha256.Sum256(name)
	return string(sum[:])
}

// fault returns the fault of the file, or nil.
func (d *drift) fault() error {
	missing := d.layout.columnsWhere(func(i int) bool { return d.layout.requires(i) && !d.seen[i] })
	if d.objects == 0 || missing == nil && len(d.common) == 0 {
		return nil
	}
	return d.layout.foreign(ReasonMembers, missing, d.seen, d.common)
}

// detail implements decoder.
func (d *jsonDecoder) detail(*span) Detail {
	var out Detail
	plain := folded(d.layout.Columns)
	for _, s := range d.strangers {
		switch {
		case s.twice:
			if len(out.Repeated) < maxListed && !slices.Contains(out.Repeated, s.name) {
				out.Repeated = append(out.Repeated, s.name)
			}
		case isIdentifier(s.name) && nearest(s.name, plain) >= 0 && len(out.Near) < maxListed:
			out.Near = append(out.Near, s.name)
		default:
			out.Hidden++
			if len(out.Positions) < maxListed {
				out.Positions = append(out.Positions, s.position)
			}
		}
	}
	return out
}
