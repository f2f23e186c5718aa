package record

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a JSON string and returns its value: a part of the parser's bytes if
// nothing is escaped, else of its scratch buffer.
func (o *objectParser) text() ([]byte, bool) {
	if o.i == len(o.b) || o.b[o.i] != '"' {
		return nil, false
	}
	from := o.i + 1
	for i := from; i < len(o.b); i++ {
		switch c := o.b[i]; {
		case c == '"':
			o.i = i + 1
			return o.b[from:i:i], true
		case c == '\\':
			return o.unescape(from, i)
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// unescape continues at the first backslash of a string that starts at from.
func (o *objectParser) unescape(from, i int) ([]byte, bool) {
	start := len(o.scratch)
	o.scratch = append(o.scratch, o.b[from:i]...)
	for i < len(o.b) {
		switch c := o.b[i]; {
		case c == '"':
			o.i = i + 1
			return o.scratch[start:len(o.scratch):len(o.scratch)], true
		case c < ' ':
			return nil, false
		case c != '\\':
			o.scratch = append(o.scratch, c)
			i++
		default:
			n := o.escape(o.b[i+1:])
			if n == 0 {
				return nil, false
			}
			i += 1 + n
		}
	}
	return nil, false
}

// escape appends the character of an escape sequence; b starts behind its
// backslash. It returns the length of the sequence, or 0 if it is invalid.
func (o *objectParser) escape(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"', '\\', '/':
		o.scratch = append(o.scratch, b[0])
	case 'b':
		o.scratch = append(o.scratch, '\b')
	case 'f':
		o.scratch = append(o.scratch, '\f')
	case 'n':
		o.scratch = append(o.scratch, '\n')
	case 'r':
		o.scratch = append(o.scratch, '\r')
	case 't':
		o.scratch = append(o.scratch, '\t')
	case 'u':
		return o.escapeUnicode(b[1:])
	default:
		return 0
	}
	return 1
}

// escapeUnicode appends the character of four hexadecimal digits, or of two
// escapes that are a surrogate pair, and returns the length from the u on.
func (o *objectParser) escapeUnicode(b []byte) int {
	r, ok := hexadecimal(b)
	if !ok {
		return 0
	}
	n := 5
	if utf16.IsSurrogate(r) {
		pair := utf8.RuneError
		if len(b) > 6 && b[4] == '\\' && b[5] == 'u' {
			if low, ok := hexadecimal(b[6:]); ok {
				pair = utf16.DecodeRune(r, low)
			}
		}
		r = pair
		if pair == utf8.RuneError {
			o.lone = true
		} else {
			n = 11
		}
	}
	o.nul = o.nul || r == 0
	o.scratch = utf8.AppendRune(o.scratch, r)
	return n
}

// hexadecimal reads the four digits at the start of b.
func hexadecimal(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(n), err == nil
}
