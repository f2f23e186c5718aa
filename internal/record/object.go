package record

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// jsonDecoder judges and reads records that should be JSON objects: strictly, by
// the grammar of RFC 8259. Members may come in any order and be left out.
type jsonDecoder struct {
	layout    Layout
	index     map[string]int // of each column its position in the contract
	scratch   []byte         // unescaped strings
	seen      []bool         // columns of the contract in the object
	strangers []stranger     // members that the contract does not know, or that are repeated
	ignored   []Value        // where check puts the values
	drift     *drift         // of the objects so far; nil if it is not needed
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
	o := objectParser{b: sp.raw, scratch: d.scratch[:0]}
	ok := d.members(&o, values)
	d.scratch = o.scratch
	if ok && d.drift != nil {
		d.drift.add(d.seen, d.strangers)
	}
	switch {
	case !ok:
		return FaultJSON
	case o.nul:
		return FaultNUL
	case o.lone:
		return FaultEncoding
	case len(d.strangers) > 0:
		return FaultFields
	default:
		return ""
	}
}

// members reads an object into values, and reports whether it is a valid one.
func (d *jsonDecoder) members(o *objectParser, values []Value) bool {
	clear(d.seen)
	d.strangers = d.strangers[:0]
	for i := range values {
		values[i] = Value{Missing: true}
	}
	before, count := -1, 0
	return o.members(func(name []byte, value Value) {
		count++
		i := d.position(name, before+1)
		if i < 0 || d.seen[i] {
			if len(d.strangers) < mostStrangers {
				d.strangers = append(d.strangers, stranger{name: remembered(name), position: count, twice: i >= 0})
			}
			return
		}
		d.seen[i] = true
		values[i] = value
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

// objectParser reads one JSON object whose bytes are valid UTF-8.
type objectParser struct {
	b       []byte
	i       int
	scratch []byte
	nul     bool // a string holds an escaped NUL
	lone    bool // a string holds half of a surrogate pair
}

// members calls visit for each member and reports whether b is exactly one valid
// object. If it is not, visit may have been called for the members before.
func (o *objectParser) members(visit func(name []byte, value Value)) bool {
	if !o.take('{') {
		return false
	}
	if o.take('}') {
		return o.atEnd()
	}
	for {
		o.space()
		name, ok := o.text()
		if !ok || !o.take(':') {
			return false
		}
		value, ok := o.value()
		if !ok {
			return false
		}
		visit(name, value)
		if o.take(',') {
			continue
		}
		return o.take('}') && o.atEnd()
	}
}

func (o *objectParser) space() {
	for o.i < len(o.b) && isSpace(o.b[o.i]) {
		o.i++
	}
}

func (o *objectParser) atEnd() bool {
	o.space()
	return o.i == len(o.b)
}

// take consumes whitespace and then c, if it is there.
func (o *objectParser) take(c byte) bool {
	o.space()
	if o.i < len(o.b) && o.b[o.i] == c {
		o.i++
		return true
	}
	return false
}

// value reads the value of a member.
func (o *objectParser) value() (Value, bool) {
	o.space()
	if o.i == len(o.b) {
		return Value{}, false
	}
	switch o.b[o.i] {
	case '"':
		text, ok := o.text()
		if len(text) == 0 {
			return Value{Missing: true}, ok
		}
		return Value{Text: text, Kind: KindString}, ok
	case '{', '[':
		text, ok := o.composite()
		return Value{Text: text, Kind: KindComposite}, ok
	default:
		return wordValue(o.word())
	}
}

// word consumes what may be a number or a literal.
func (o *objectParser) word() []byte {
	from := o.i
	for o.i < len(o.b) {
		c := o.b[o.i]
		if c == ',' || c == '}' || isSpace(c) {
			break
		}
		o.i++
	}
	return o.b[from:o.i:o.i]
}

func wordValue(word []byte) (Value, bool) {
	switch string(word) {
	case "null":
		return Value{Missing: true}, true
	case "true", "false":
		return Value{Text: word, Kind: KindBoolean}, true
	default:
		return Value{Text: word, Kind: KindNumber}, isNumber(word)
	}
}

// isNumber reports whether b is a number of RFC 8259, section 6.
func isNumber(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	whole := digits(b)
	if whole == 0 || (whole > 1 && b[0] == '0') {
		return false
	}
	b = b[whole:]
	if len(b) > 0 && b[0] == '.' {
		fraction := digits(b[1:])
		if fraction == 0 {
			return false
		}
		b = b[1+fraction:]
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		exponent := digits(b)
		return exponent > 0 && exponent == len(b)
	}
	return len(b) == 0
}

// digits counts the decimal digits at the start of b.
func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// composite reads a nested object or array by its brackets; the standard library
// then checks its grammar.
func (o *objectParser) composite() ([]byte, bool) {
	from := o.i
	depth := 0
	for o.i < len(o.b) {
		switch o.b[o.i] {
		case '"':
			if !o.skipText() {
				return nil, false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		o.i++
		if depth == 0 {
			text := o.b[from:o.i:o.i]
			return text, json.Valid(text)
		}
	}
	return nil, false
}

// skipText consumes a string without decoding it.
func (o *objectParser) skipText() bool {
	for i := o.i + 1; i < len(o.b); i++ {
		switch o.b[i] {
		case '\\':
			i++
		case '"':
			o.i = i + 1
			return true
		}
	}
	return false
}
