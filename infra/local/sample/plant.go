package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// plantedFile is the list of planted faults, beside the ten files.
const plantedFile = "planted.json"

// linesFile describes the purpose of the lines of each file, beside the ten files.
const linesFile = "lines.json"

// writeLines writes the counts of the lines of all files but arrays.
func (s *set) writeLines() error {
	counts := maps.Clone(s.lines)
	maps.DeleteFunc(counts, func(file string, _ lineCount) bool { return strings.HasSuffix(file, ".json") })
	text, err := json.MarshalIndent(counts, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.folder, linesFile), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", linesFile, err)
	}
	return nil
}

// planted is one broken rule of one record. A record that breaks several has
// several entries with the same line.
type planted struct {
	File  string `json:"file"`
	Line  int64  `json:"line"`  // as the contracts count lines
	Field string `json:"field"` // of a key its columns, comma-separated; "" for a malformed record
	Rule  string `json:"rule"`
	Kind  string `json:"kind"` // field, record, duplicate, orphan, cascade, cycle or malformed
}

// ledger writes the list of planted faults, entry by entry.
type ledger struct {
	out   *bufio.Writer
	close func() error
	count int64
	err   error
}

func openLedger(folder string) (*ledger, error) {
	file, err := os.Create(filepath.Join(folder, plantedFile)) //nolint:gosec // the user names the folder
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", plantedFile, err)
	}
	l := &ledger{out: bufio.NewWriter(file), close: file.Close}
	_, l.err = l.out.WriteString("[")
	return l, nil
}

func (l *ledger) add(p planted) {
	entry, err := json.Marshal(p)
	if l.err == nil {
		l.err = err
	}
	separator := ",\n"
	if l.count == 0 {
		separator = "\n"
	}
	if l.err == nil {
		_, l.err = l.out.WriteString(separator + string(entry))
	}
	l.count++
}

func (l *ledger) finish() error {
	if l.err == nil {
		_, l.err = l.out.WriteString("\n]\n")
	}
	if l.err == nil {
		l.err = l.out.Flush()
	}
	if err := l.close(); l.err == nil {
		l.err = err
	}
	if l.err != nil {
		return fmt.Errorf("write %s: %w", plantedFile, l.err)
	}
	return nil
}

// fault is one way to break a rule.
type fault struct {
	once  bool // planted once a file only, as it is large
	last  bool // planted at the end of the file, as it would take sound records with it
	plant func(g *garden)
}

// mostRejected bounds how many keys of rejected records a file remembers for the
// cascades of its children.
const mostRejected = 1000

// garden is where faults are planted: the file being written, and what a fault
// needs to know of it.
type garden struct {
	*sheet
	set     *set
	ledger  *ledger
	dice    dice
	spares  int64 // sound records made for spoiling so far
	spareOf func(r *row, id int64)
	earlier row  // a sound record written before, for duplicates
	row     row  // the record being spoiled
	open    bool // whether the last line is to stay without an end
}

// column returns a column's position.
func (g *garden) column(name string) int { return g.table.index(name) }

// spare sets g.row to a sound record with a key of its own.
func (g *garden) spare() *row {
	g.spares++
	g.row.reset()
	g.spareOf(&g.row, g.set.reservedID(g.spares))
	return &g.row
}

// note lists a broken rule of the record on a line.
func (g *garden) note(line int64, field, rule, kind string) {
	g.ledger.add(planted{File: g.file, Line: line, Field: field, Rule: rule, Kind: kind})
}

// remember keeps the key of the record being spoiled: whoever refers to it will
// be rejected too.
func (g *garden) remember() {
	keys := g.set.rejected[g.table.name]
	if len(g.table.keys) == 1 && len(keys) < mostRejected {
		g.set.rejected[g.table.name] = append(keys, string(g.row.fields[g.column(g.table.keys[0])]))
	}
}

// spoil writes the record being spoiled and lists the rule that it breaks.
func (g *garden) spoil(field, rule, kind string) {
	line := g.write(&g.row)
	g.note(line, field, rule, kind)
	for _, key := range g.table.keys {
		if key == field {
			return // nobody can refer to a key that is none
		}
	}
	g.remember()
}

// planter spreads faults over the records of a file.
type planter struct {
	garden *garden
	forced []fault // each planted at least once
	random []fault
	last   []fault
	next   int   // of forced
	count  int64 // sound records that are expected
	share  int64 // of random faults, in millionths of the sound records
}

func newPlanter(g *garden, faults []fault, count int64, share float64) *planter {
	p := &planter{garden: g, count: max(count, 1)}
	if share <= 0 || count == 0 {
		return p
	}
	for _, f := range faults {
		switch {
		case f.last:
			p.last = append(p.last, f)
			continue
		case !f.once:
			p.random = append(p.random, f)
		}
		p.forced = append(p.forced, f)
	}
	p.share = max(0, int64(share*1e6)-int64(len(p.forced))*1_000_000/p.count)
	return p
}

// after plants the faults that are due after the sound record with this ordinal, from 0.
func (p *planter) after(ordinal int64) {
	forced := int64(len(p.forced))
	for int64(p.next) < forced && int64(p.next)*p.count <= ordinal*forced {
		p.forced[p.next].plant(p.garden)
		p.next++
	}
	if p.share > 0 && p.garden.dice.below(1_000_000) < p.share {
		anyOf(&p.garden.dice, p.random).plant(p.garden)
	}
}

// end plants the faults at the end of the file.
func (p *planter) end() {
	for ; p.next < len(p.forced); p.next++ {
		p.forced[p.next].plant(p.garden)
	}
	for _, f := range p.last {
		f.plant(p.garden)
	}
}
