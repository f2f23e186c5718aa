package record

import (
	"bytes"
	"unicode/utf8"

	"etl-dataloader/internal/jsonscan"
)

// jsonDecoder judges and reads records that should be JSON objects: strictly, by
// the grammar of RFC 8259. Members may come in any order and be left out.
type jsonDecoder struct {
	layout    Layout
	index     map[string]int // of each column its position in the contract
	parser    jsonscan.Parser
	seen      []bool     // columns of the contract in the object
	strangers []stranger // members that the contract does not know, or that are repeated
	ignored   []Value    // where check puts the values
	drift     *drift     // of the objects so far; nil if it is not needed
}

func newJSONDecoder(layout Layout) *jsonDecoder {
	d := &jsonDecoder{
		layout:  layout,
		index:   make(map[string]int, len(layout.Columns)),
		seen:    make([]bool, len(layout.Columns)),
		ignored: make([]Value, len(layout.Columns)),
	}
	for i, name := range layout.Columns {
		d.index[name] = i
	}
	return d
}

// check implements decoder.
func (d *jsonDecoder) check(sp *span) Fault { return d.decode(sp, d.ignored) }

// decode implements decoder.
func (d *jsonDecoder) decode(sp *span, values []Value) Fault {
	switch {
	case sp.fault != "":
		return sp.fault
	case bytes.IndexByte(sp.raw, 0) >= 0:
		return FaultNUL
	case !utf8.Valid(sp.raw):
		return FaultEncoding
	}
	ok := d.members(sp.raw, values)
	if ok && d.drift != nil {
		d.drift.add(d.seen, d.strangers)
	}
	switch {
	case !ok:
		return FaultJSON
	case d.parser.NUL:
		return FaultNUL
	case d.parser.Lone:
		return FaultEncoding
	case len(d.strangers) > 0:
		return FaultFields
	default:
		return ""
	}
}

// members reads an object into values, and reports whether it is a valid one.
func (d *jsonDecoder) members(object []byte, values []Value) bool {
	clear(d.seen)
	d.strangers = d.strangers[:0]
	for i := range values {
		values[i] = Value{Missing: true}
	}
	before, count := -1, 0
	return d.parser.Object(object, func(name []byte, value jsonscan.Value) {
		count++
		i := d.position(name, before+1)
		if i < 0 || d.seen[i] {
			if len(d.strangers) < mostStrangers {
				d.strangers = append(d.strangers, stranger{name: remembered(name), position: count, twice: i >= 0})
			}
			return
		}
		d.seen[i] = true
		values[i] = field(value)
		before = i
	})
}

// position returns the position of a column, or -1. Most members come in the
// order of the contract, so guess is tried first.
func (d *jsonDecoder) position(name []byte, guess int) int {
	if guess < len(d.layout.Columns) && d.layout.Columns[guess] == string(name) {
		return guess
	}
	if i, known := d.index[string(name)]; known {
		return i
	}
	return -1
}

// field returns the value of a member as that of a field.
func field(v jsonscan.Value) Value {
	switch {
	case v.Kind == jsonscan.Null, v.Kind == jsonscan.String && len(v.Text) == 0:
		return Value{Missing: true}
	case v.Kind == jsonscan.String:
		return Value{Text: v.Text, Kind: KindString}
	case v.Kind == jsonscan.Number:
		return Value{Text: v.Text, Kind: KindNumber}
	case v.Kind == jsonscan.Boolean:
		return Value{Text: v.Text, Kind: KindBoolean}
	default:
		return Value{Text: v.Text, Kind: KindComposite}
	}
}
