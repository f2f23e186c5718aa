package record

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charset is a single-byte encoding that extends ASCII. The nil charset is UTF-8.
type charset struct {
	runes [256]rune // utf8.RuneError where the encoding has no character
}

// charsetOf returns the charset of that name. An unknown name is an error.
func charsetOf(name string) (*charset, error) {
	var table *charmap.Charmap
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8":
		return nil, nil
	case "iso-8859-1", "latin1":
		table = charmap.ISO8859_1
	case "iso-8859-15":
		table = charmap.ISO8859_15
	case "windows-1252":
		table = charmap.Windows1252
	default:
		return nil, fmt.Errorf("record: the encoding %q is not known", name)
	}
	c := &charset{}
	for b := range c.runes {
		c.runes[b] = table.DecodeByte(byte(b))
	}
	return c, nil
}

// valid reports whether every byte of b stands for a character.
func (c *charset) valid(b []byte) bool {
	if c == nil {
		return utf8.Valid(b)
	}
	for _, x := range b {
		if c.runes[x] == utf8.RuneError {
			return false
		}
	}
	return true
}
