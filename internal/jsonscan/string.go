package jsonscan

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a JSON string and returns its value: a part of the parser's bytes if
// nothing is escaped, else of its scratch buffer.
func (p *Parser) text() ([]byte, bool) {
	if p.i == len(p.b) || p.b[p.i] != '"' {
		return nil, false
	}
	from := p.i + 1
	for i := from; i < len(p.b); i++ {
		switch c := p.b[i]; {
		case c == '"':
			p.i = i + 1
			return p.b[from:i:i], true
		case c == '\\':
			return p.unescape(from, i)
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// unescape continues at the first backslash of a string that starts at from.
func (p *Parser) unescape(from, i int) ([]byte, bool) {
	start := len(p.scratch)
	p.scratch = append(p.scratch, p.b[from:i]...)
	for i < len(p.b) {
		switch c := p.b[i]; {
		case c == '"':
			p.i = i + 1
			return p.scratch[start:len(p.scratch):len(p.scratch)], true
		case c < ' ':
			return nil, false
		case c != '\\':
			p.scratch = append(p.scratch, c)
			i++
		default:
			n := p.escape(p.b[i+1:])
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
func (p *Parser) escape(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"', '\\', '/':
		p.scratch = append(p.scratch, b[0])
	case 'b':
		p.scratch = append(p.scratch, '\b')
	case 'f':
		p.scratch = append(p.scratch, '\f')
	case 'n':
		p.scratch = append(p.scratch, '\n')
	case 'r':
		p.scratch = append(p.scratch, '\r')
	case 't':
		p.scratch = append(p.scratch, '\t')
	case 'u':
		return p.escapeUnicode(b[1:])
	default:
		return 0
	}
	return 1
}

// escapeUnicode appends the character of four hexadecimal digits, or of two
// escapes that are a surrogate pair, and returns the length from the u on.
func (p *Parser) escapeUnicode(b []byte) int {
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
			p.Lone = true
		} else {
			n = 11
		}
	}
	p.NUL = p.NUL || r == 0
	p.scratch = utf8.AppendRune(p.scratch, r)
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
