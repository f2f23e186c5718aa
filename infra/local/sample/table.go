package main

import "strings"

// kind is the type of a column, which decides how JSON writes it and which texts
// are no value of it.
type kind int

const (
	text kind = iota
	integer
	number
	boolean
	date
	moment
)

// column is one field of a file.
type column struct {
	name      string
	kind      kind
	required  bool
	unlimited bool     // integer: not bounded by 64 bits
	longest   int      // text: code points, 0 if unlimited
	words     []string // text: the enumeration
	earliest  string   // date: a day that is too early, if the bound is not the usual one
}

// table is the shape of one file.
type table struct {
	name    string // the file's type
	keys    []string
	columns []column
}

// index returns the position of a column, which must exist.
func (t *table) index(name string) int {
	for i := range t.columns {
		if t.columns[i].name == name {
			return i
		}
	}
	panic("no column " + name + " in " + t.name)
}

// key returns the names of the key's columns.
func (t *table) key() string { return strings.Join(t.keys, ",") }

// mostColumns is the width of the widest file.
const mostColumns = 11

// row is one record being made.
type row struct {
	fields  [mostColumns][]byte
	literal [mostColumns]bool // write the text as it is into JSON, whatever the column's kind
}

func (r *row) reset() {
	for i := range r.fields {
		r.fields[i] = r.fields[i][:0]
		r.literal[i] = false
	}
}

func (r *row) set(i int, text string) { r.fields[i] = append(r.fields[i][:0], text...) }

// copyFrom makes r the same as other, without sharing memory.
func (r *row) copyFrom(other *row) {
	for i := range r.fields {
		r.fields[i] = append(r.fields[i][:0], other.fields[i]...)
	}
	r.literal = other.literal
}

// flatten replaces what would need quotes in CSV.
func (r *row) flatten() {
	for _, field := range r.fields {
		for i, c := range field {
			if c == ',' || c == '"' || c == '\n' || c == '\r' {
				field[i] = ' '
			}
		}
	}
}
