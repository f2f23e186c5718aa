// Package contract describes the files that the system imports: their names, fields,
// types, constraints, keys and relations, which fields are sensitive, and where each
// file goes.
//
// Everything is read from one descriptor, datapackage.json, a Data Package
// (datapackage.org, version 2) with Table Schema fields and constraints, so that the
// standard's own tools can read the same file. What the standard lacks is in
// properties whose names begin with "etl:", and rules over the fields of one record
// are CEL expressions. docs/contracts.md explains how to add a file.
//
// [Load] compiles the embedded descriptor once, when a program starts, and checks it
// strictly: an unknown property, a relation to an unknown resource or a rule that
// does not compile is a *DescriptorError. The result must not be changed and may be
// used by several goroutines at once.
//
// The lexical parsers ([ParseInteger], [ParseDate]…) alone define the valid texts of
// each type: reading, validation and the conversion to target types all use them.
// Property names, resource names and [Package.Hash] are stored with each import and
// must stay compatible.
//
// # Limits
//
// A relation refers to a primary key, and two resources cannot be each other's
// parents. A number has at most [MaxDecimalDigits] digits on each side of its point.
// A public integer needs bounds within 64 bits. An IBAN is checked for its form and
// check digits, not for the length in its country.
package contract

import (
	_ "embed"
	"slices"

	"cel.dev/cel-go/cel"
)

//go:embed datapackage.json
var embedded []byte

// Load compiles the descriptor that is built into the program. It fails with a
// *DescriptorError only if that descriptor is wrong, which the tests rule out.
func Load() (*Package, error) { return Parse(embedded) }

// Package is a compiled descriptor.
type Package struct {
	Name      string      // the package's own name
	Resources []*Resource // in the order of the descriptor
	Hash      string      // hex SHA-256 of the descriptor's bytes
}

// Resource returns the resource by its target name, such as "clients"; nil if
// there is none.
func (p *Package) Resource(name string) *Resource {
	for _, r := range p.Resources {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Sources returns the names of the sources of enrichment, each once, in order.
func (p *Package) Sources() []string {
	var names []string
	for _, r := range p.Resources {
		if r.Enrichment != nil {
			names = append(names, r.Enrichment.Source)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// InDependencyOrder returns the resources so that every parent comes before its
// children, and otherwise in the order of the descriptor.
func (p *Package) InDependencyOrder() []*Resource {
	ordered := make([]*Resource, 0, len(p.Resources))
	var visit func(r *Resource)
	visit = func(r *Resource) {
		if r == nil || slices.Contains(ordered, r) {
			return
		}
		for _, rel := range r.Relations {
			if rel.Resource != r.Name {
				visit(p.Resource(rel.Resource))
			}
		}
		ordered = append(ordered, r)
	}
	for _, r := range p.Resources {
		visit(r)
	}
	return ordered
}

// LoadMode is how the records of a resource reach its target table.
type LoadMode string

// The load modes.
const (
	LoadReload LoadMode = "reload" // the table is emptied and filled again
	LoadUpsert LoadMode = "upsert" // records are inserted, or update those of the same key
)

// Resource is one kind of file and its target table.
type Resource struct {
	Name         string     // name of the target table and of the resource everywhere: "clients"
	Title        string     // French, for documents: "Clients"
	FileType     string     // prefix of the files' names: "client_data"
	Alias        string     // second accepted prefix: "clients"
	Fields       []*Field   // in contract order
	LineEnds     []bool     // by field index: what [Field.MayHoldLineEnd] says
	Key          []string   // primary key, names of source fields
	Unique       [][]string // further unique keys, each the names of its source fields
	Relations    []Relation // in the order of the descriptor
	Load         LoadMode
	EventType    string // type of the events made from valid records: "client.upserted"
	EmptyAllowed bool   // a file with only a header is accepted
	Budget       Budget // rejects past which the import stops; [DefaultBudget] if the descriptor sets none

	Delimiter   byte   // CSV: between fields, ASCII
	Quote       byte   // CSV: around a field, doubled to stand for itself; ASCII
	DecimalMark byte   // of every number field's text, '.' or ','
	Encoding    string // "utf-8", "windows-1252", "iso-8859-1" or "iso-8859-15"

	Rules      []Rule      // over the fields of one record
	ChildRules []ChildRule // over a record and its parent
	Enrichment *Enrichment // nil if the records are not enriched

	staged []*Field // what StagedKeys returns
}

// Field returns the field by its source name; nil if there is none.
func (r *Resource) Field(name string) *Field {
	for _, f := range r.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// KeyFields returns the fields of the primary key, in the key's order.
func (r *Resource) KeyFields() []*Field {
	fields := make([]*Field, len(r.Key))
	for i, name := range r.Key {
		fields[i] = r.Field(name)
	}
	return fields
}

// Columns returns the names of the fields in contract order. The header of a file
// must have them in any order.
func (r *Resource) Columns() []string {
	names := make([]string, len(r.Fields))
	for i, f := range r.Fields {
		names[i] = f.Name
	}
	return names
}

// StagedKeys returns the public integer fields that set rules compare: part of
// a key, of a unique key, of a relation (on either side) or of a child rule (on
// either side). They are also staged as bigint, in the column "<name>_key". The order is
// that of the contract.
func (r *Resource) StagedKeys() []*Field { return r.staged }

// Relation states that Fields, if none of them is missing, hold the primary key of a
// record of another resource, or of this one.
type Relation struct {
	Fields       []string // names of source fields, in the order of ParentFields
	Resource     string   // the parent's name, the resource's own for a tree
	ParentFields []string // the parent's primary key
	Acyclic      bool     // following the relation never leads back to the record; only within one resource
}

// Rule is a CEL expression over the fields of one record, true for a valid one.
//
// A variable is a field's name: int for integer, string, bool, decimal for
// number, timestamp for date (its midnight, UTC) and datetime. file_date is the
// date in the file's name, as a timestamp, and next_day_end the midnight that ends
// the following day; present.<field> is a bool, true if the field has a value. The
// functions are those of CEL, roundHalfUp(decimal, digits), decimal(int) and
// isIBAN(string); decimals have *, + and - (with an int or a decimal on the right) and
// all comparisons.
//
// A rule is evaluated only if every field whose value it mentions is present and
// of the right type: what is missing or mistyped is reported by the rules
// "required" and "type" alone. A field mentioned only in present.<field> may be
// missing.
type Rule struct {
	Name       string   // rule name of the violation, unique in the resource
	Field      string   // field on which the violation is reported
	Expression string   // CEL
	Message    string   // French, holds no value
	Fields     []string // fields whose value the expression mentions, contract order
	Presence   []string // fields it mentions in present.<field>, contract order
	Program    cel.Program
	// Times is set if the expression only compares two times, as most rules do. It is
	// equivalent to Program and can be evaluated faster.
	Times *TimeComparison
}

// TimeComparison compares two variables that are timestamps: fields of type date
// or datetime, [VariableFileDate] or [VariableNextDayEnd].
type TimeComparison struct {
	Left, Operator, Right string // the operator is <, <=, > or >=
}

// ChildRule compares a field of a record with a field of its parent. The rule is
// broken if the comparison is false. Both fields are public integers.
type ChildRule struct {
	Name        string // rule name of the violation, unique in the resource
	Field       string // source field of this resource
	Relation    int    // index in Relations
	Comparison  string // SQL operator between Field and ParentField: <=, <, =, >=, >
	ParentField string // source field of the parent
	// Sum applies the comparison also to the records of one parent together. In order
	// of line, a record that passes every other rule is rejected if the sum of its
	// value, those of the valid records before it and those of published rows breaks
	// the comparison. A row that a valid record replaces counts with its new value.
	Sum     bool
	Message string // French, holds no value
}
