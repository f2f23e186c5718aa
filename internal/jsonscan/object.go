// Package jsonscan reads JSON text by the grammar of RFC 8259 without decoding it into
// Go values, and writes strings. It copies nothing but strings with escapes, so reading
// costs a fraction of what encoding/json takes, and every value can be wiped with the
// text that it is a part of.
//
// It reads whole texts. Finding where an element ends in a file that may be broken is a
// task of package record.
package jsonscan

import "encoding/json"

// Kind is the kind of a value; the zero kind is that of no value.
type Kind uint8

const (
	// Null is null.
	Null Kind = iota + 1
	// String is a string.
	String
	// Number is a number.
	Number
	// Boolean is true or false.
	Boolean
	// Object is an object.
	Object
	// Array is an array.
	Array
)

// Value is a value.
type Value struct {
	// Text is the value as it is written; of a string, its characters without quotes and
	// escapes. It is valid until the next text is parsed.
	Text []byte
	Kind Kind
}

// IsSpace reports whether c is white space (RFC 8259, section 2).
func IsSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// Parser parses JSON texts. The zero value is ready to use; a parser that is used again
// keeps its buffer.
type Parser struct {
	// NUL reports whether a string had an escaped NUL, which PostgreSQL cannot store.
	NUL bool
	// Lone reports whether a string had half of a surrogate pair, which stands for no
	// character. Its value has U+FFFD in its place.
	Lone bool

	b       []byte
	i       int
	scratch []byte // unescaped strings
	valid   bool   // b is a part of a text that was checked
}

// start begins a text, and ends the values of the last one.
func (p *Parser) start(text []byte) {
	p.b, p.i, p.valid = text, 0, false
	p.NUL, p.Lone, p.scratch = false, false, p.scratch[:0]
}

// Object calls visit for each member of an object and reports whether text, which must
// be valid UTF-8, is exactly one valid object. If it is not, visit may have been called
// for the members before.
func (p *Parser) Object(text []byte, visit func(name []byte, value Value)) bool {
	p.start(text)
	return p.members(visit)
}

// Parse returns the value of text, which must be valid UTF-8, and reports whether it is
// exactly one valid value.
func (p *Parser) Parse(text []byte) (Value, bool) {
	p.start(text)
	v, ok := p.value()
	return v, ok && p.atEnd()
}

// Members calls visit for each member of an object that the parser returned; not at all
// if the value is not an object. It may be called within a visit.
func (p *Parser) Members(object Value, visit func(name []byte, value Value)) {
	if object.Kind == Object {
		p.within(object, func() { p.members(visit) })
	}
}

// Elements calls visit for each element of an array that the parser returned; not at all
// if the value is not an array. It may be called within a visit.
func (p *Parser) Elements(array Value, visit func(element Value)) {
	if array.Kind == Array {
		p.within(array, func() { p.elements(visit) })
	}
}

// within parses a part of the text, and returns to where the parser was.
func (p *Parser) within(part Value, parse func()) {
	b, i, valid := p.b, p.i, p.valid
	p.b, p.i, p.valid = part.Text, 0, true
	parse()
	p.b, p.i, p.valid = b, i, valid
}

func (p *Parser) members(visit func(name []byte, value Value)) bool {
	if !p.take('{') {
		return false
	}
	if p.take('}') {
		return p.atEnd()
	}
	for {
		p.space()
		name, ok := p.text()
		if !ok || !p.take(':') {
			return false
		}
		value, ok := p.value()
		if !ok {
			return false
		}
		visit(name, value)
		if p.take(',') {
			continue
		}
		return p.take('}') && p.atEnd()
	}
}

func (p *Parser) elements(visit func(element Value)) bool {
	if !p.take('[') {
		return false
	}
	if p.take(']') {
		return p.atEnd()
	}
	for {
		value, ok := p.value()
		if !ok {
			return false
		}
		visit(value)
		if p.take(',') {
			continue
		}
		return p.take(']') && p.atEnd()
	}
}

func (p *Parser) space() {
	for p.i < len(p.b) && IsSpace(p.b[p.i]) {
		p.i++
	}
}

func (p *Parser) atEnd() bool {
	p.space()
	return p.i == len(p.b)
}

// take consumes whitespace and then c, if it is there.
func (p *Parser) take(c byte) bool {
	p.space()
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

// value reads a value.
func (p *Parser) value() (Value, bool) {
	p.space()
	if p.i == len(p.b) {
		return Value{}, false
	}
	switch p.b[p.i] {
	case '"':
		text, ok := p.text()
		return Value{Text: text, Kind: String}, ok
	case '{':
		text, ok := p.composite()
		return Value{Text: text, Kind: Object}, ok
	case '[':
		text, ok := p.composite()
		return Value{Text: text, Kind: Array}, ok
	default:
		return wordValue(p.word())
	}
}

// word consumes what may be a number or a literal.
func (p *Parser) word() []byte {
	from := p.i
	for p.i < len(p.b) {
		c := p.b[p.i]
		if c == ',' || c == '}' || c == ']' || IsSpace(c) {
			break
		}
		p.i++
	}
	return p.b[from:p.i:p.i]
}

func wordValue(word []byte) (Value, bool) {
	switch string(word) {
	case "null":
		return Value{Text: word, Kind: Null}, true
	case "true", "false":
		return Value{Text: word, Kind: Boolean}, true
	default:
		return Value{Text: word, Kind: Number}, isNumber(word)
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
// then checks its grammar, once.
func (p *Parser) composite() ([]byte, bool) {
	from := p.i
	depth := 0
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case '"':
			if !p.skipText() {
				return nil, false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		p.i++
		if depth == 0 {
			text := p.b[from:p.i:p.i]
			return text, p.valid || json.Valid(text)
		}
	}
	return nil, false
}

// skipText consumes a string without decoding it.
func (p *Parser) skipText() bool {
	for i := p.i + 1; i < len(p.b); i++ {
		switch p.b[i] {
		case '\\':
			i++
		case '"':
			p.i = i + 1
			return true
		}
	}
	return false
}
