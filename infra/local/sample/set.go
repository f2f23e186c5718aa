package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Keys are laid out so that sets of different days never meet: an initial set
// numbers its clients and sales from 1, each later day starts at a multiple of
// keysADay, and the records planted on a day have the last ten million of that.
const (
	keysADay     = 100_000_000
	reservedKeys = 90_000_000
)

// set is the ten files being made.
type set struct {
	options
	day  int64 // number of the files' date
	base int64 // before the first new key of this day

	// How many there are of the small files, whose keys run from 1.
	suppliers, categories, products, stores, employees int64

	rejected map[string][]string // keys of planted records, by file type
	ledger   *ledger
	lines    map[string]lineCount // by file
	words    vocabulary
}

// vocabulary holds the lists of words, so that they are built once.
type vocabulary struct {
	first, last                          []word
	places                               []place
	streets, goods, looks, aisles, firms []string
	hosts, lexicalTrue, lexicalFalse     []string
}

func newSet(o options) *set {
	s := &set{options: o, day: dayNumber(o.date), rejected: map[string][]string{}, lines: map[string]lineCount{}}
	s.words = vocabulary{
		first: firstNames(), last: lastNames(), places: places(), streets: streets(), goods: goods(), looks: looks(),
		aisles: aisles(), firms: firms(), hosts: mailHosts(),
		lexicalTrue: []string{"true", "true", "1", "True", "TRUE"}, lexicalFalse: []string{"false", "false", "0", "False", "FALSE"},
	}
	size := o.rows
	if o.mode == modeDaily {
		s.base = s.day * keysADay
		size = max(o.history, o.rows)
	}
	root := int64(math.Sqrt(float64(size)))
	age := max(0, s.day-dayNumber(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))) / 10
	s.suppliers = 8 + root/2 + age/8
	s.categories = 12 + root/2 + age/8
	s.products = 40 + 4*root + age
	s.stores = 12 + root/5 + age/16
	s.employees = 6 * s.stores
	if o.even {
		s.suppliers, s.categories, s.products, s.stores, s.employees = o.rows, o.rows, o.rows, o.rows, o.rows
	}
	return s
}

// reservedID returns the key of the n-th planted record.
func (s *set) reservedID(n int64) int64 { return s.day*keysADay + reservedKeys + n }

// dice returns the dice of one thing of this set.
func (s *set) dice(t topic, id int64) dice { return newDice(s.seed, t, id) }

// work is one file to make.
type work struct {
	table *table
	count int64 // ordinals to visit
	// each makes the records of an ordinal, none to two, and hands them to emit.
	each  func(ordinal int64, r *row, emit func())
	spare func(r *row, id int64)
	extra []fault // beyond those that follow from the table
}

// generate makes the files, parents first, and returns the number of records of each.
func (s *set) generate() (string, error) {
	var err error
	if s.ledger, err = openLedger(s.folder); err != nil {
		return "", err
	}
	var counts []string
	for place, w := range []work{
		s.supplierFile(), s.categoryFile(), s.productFile(), s.storeFile(), s.clientFile(),
		s.saleFile(), s.stockFile(), s.paymentFile(), s.returnFile(), s.employeeFile(),
	} {
		if s.only != "" && s.only != w.table.name {
			continue
		}
		records, err := s.makeFile(w, s.dice(topicFault, s.day<<8|int64(place)))
		if err != nil {
			return "", errors.Join(err, s.ledger.finish())
		}
		counts = append(counts, fmt.Sprintf("%s %d", w.table.name, records))
	}
	if counts == nil {
		return "", errors.Join(fmt.Errorf("-only %q: there is no such file", s.only), s.ledger.finish())
	}
	return fmt.Sprintf("%s; planted %d", strings.Join(counts, ", "), s.ledger.count), errors.Join(s.ledger.finish(), s.writeLines())
}

// makeFile makes one file and returns how many records it has.
func (s *set) makeFile(w work, d dice) (int64, error) {
	for _, name := range s.empty {
		if name == w.table.name {
			w.count = 0
		}
	}
	out, err := openSheet(s.folder, s.date.Format("20060102"), s.format, w.table)
	if err != nil {
		return 0, err
	}
	g := &garden{sheet: out, set: s, ledger: s.ledger, spareOf: w.spare, dice: d}
	p := newPlanter(g, append(tableFaults(w.table, out.look), w.extra...), w.count, s.faults)
	var r row
	written := int64(0)
	emit := func() {
		out.write(&r)
		if written%61 == 0 {
			g.earlier.copyFrom(&r)
		}
		written++
	}
	for ordinal := range w.count {
		r.reset()
		w.each(ordinal, &r, emit)
		if written > 0 {
			p.after(ordinal)
		}
		if out.err != nil {
			break
		}
	}
	p.end()
	s.lines[out.file] = out.lines
	return out.records, out.finish(g.open)
}
