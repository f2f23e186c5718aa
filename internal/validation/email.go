package validation

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The longest e-mail address, and the longest part of one before the "@", in
// characters (RFC 5321, section 4.5.3.1, and its erratum 1690, which count octets:
// there were no others).
const (
	maxEmail     = 254
	maxLocalPart = 64
)

// maxLabel is the longest label of a domain (RFC 1034, section 3.1), in characters.
const maxLabel = 63

// isEmail reports whether b has the form of an e-mail address: a valid e-mail
// address of the HTML standard (section 4.10.5.1.5) whose domain has at least two
// labels, as an address on the internet does, and whose parts may hold letters
// outside ASCII, with their marks, as internationalized addresses do (RFC 6531).
// Quoted local parts and comments are not accepted. Characters are counted in
// normalization form C.
func isEmail(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return isAddress(norm.NFC.Bytes(b))
		}
	}
	return isAddress(b)
}

// isAddress is isEmail of a normalized text.
func isAddress(b []byte) bool {
	at := bytes.IndexByte(b, '@')
	if at < 1 || longer(b, maxEmail) || longer(b[:at], maxLocalPart) || !only(b[:at], localMarks) {
		return false
	}
	labels := 0
	for domain := b[at+1:]; ; labels++ {
		label, rest, more := bytes.Cut(domain, []byte{'.'})
		if !isLabel(label) {
			return false
		}
		if !more {
			return labels > 0
		}
		domain = rest
	}
}

// longer reports whether a text has more than limit characters.
func longer(b []byte, limit int) bool { return len(b) > limit && utf8.RuneCount(b) > limit }

// ASCII characters that a part may hold beside letters and digits.
const (
	localMarks = ".!#$%&'*+/=?^_`{|}~-"
	labelMarks = "-"
)

// isLabel reports whether b is a label of a domain: 1 to 63 letters, digits and
// hyphens (RFC 1034, section 3.5, as RFC 1123 relaxes it), no hyphen at an end.
func isLabel(b []byte) bool {
	return len(b) > 0 && !longer(b, maxLabel) && b[0] != '-' && b[len(b)-1] != '-' && only(b, labelMarks)
}

// only reports whether each character is a letter or digit of ASCII, one of the
// marks, a letter outside ASCII, or the combining mark of a letter.
func only(b []byte, marks string) bool {
	lettered := false // the character before is a letter, or the combining mark of one
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[i:])
			if !unicode.IsLetter(r) && (!lettered || !unicode.IsMark(r)) {
				return false
			}
			lettered = true
			i += size - 1
		case letterOrDigit(c):
			lettered = c > '9'
		case strings.IndexByte(marks, c) >= 0:
			lettered = false
		default:
			return false
		}
	}
	return true
}

func letterOrDigit(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
}
