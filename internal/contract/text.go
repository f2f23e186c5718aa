package contract

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// invisible holds the characters that print nothing and are not white space: Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt,
// the interlinear annotation marks, and the blank of Braille.
var invisible = &unicode.RangeTable{ //nolint:gochecknoglobals // a constant table
	R16: []unicode.Range16{
		{Lo: 0x00AD, Hi: 0x00AD, Stride: 1},
		{Lo: 0x034F, Hi: 0x034F, Stride: 1},
		{Lo: 0x061C, Hi: 0x061C, Stride: 1},
		{Lo: 0x115F, Hi: 0x1160, Stride: 1},
		{Lo: 0x17B4, Hi: 0x17B5, Stride: 1},
		{Lo: 0x180B, Hi: 0x180F, Stride: 1},
		{Lo: 0x200B, Hi: 0x200F, Stride: 1},
		{Lo: 0x202A, Hi: 0x202E, Stride: 1},
		{Lo: 0x2060, Hi: 0x206F, Stride: 1},
		{Lo: 0x2800, Hi: 0x2800, Stride: 1},
		{Lo: 0x3164, Hi: 0x3164, Stride: 1},
		{Lo: 0xFE00, Hi: 0xFE0F, Stride: 1},
		{Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1},
		{Lo: 0xFFA0, Hi: 0xFFA0, Stride: 1},
		{Lo: 0xFFF0, Hi: 0xFFFB, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1BCA0, Hi: 0x1BCA3, Stride: 1},
		{Lo: 0x1D173, Hi: 0x1D17A, Stride: 1},
		{Lo: 0xE0000, Hi: 0xE0FFF, Stride: 1},
	},
	LatinOffset: 1,
}

// isBlank reports whether a text shows nothing: it is empty, or consists of white
// space (Unicode's White_Space) and invisible characters.
func isBlank(text []byte) bool {
	for len(text) > 0 {
		if c := text[0]; c > ' ' && c < 0x7f { // as nearly all texts begin
			return false
		}
		r, size := utf8.DecodeRune(text)
		if !unicode.IsSpace(r) && !unicode.Is(invisible, r) {
			return false
		}
		text = text[size:]
	}
	return true
}

// IsBlank reports whether a value counts as missing: it is empty, or a text that
// shows nothing. Only a string can be blank; white space is not a value of another
// type.
func (f *Field) IsBlank(lexical []byte) bool {
	if len(lexical) > 0 && lexical[0] > ' ' && lexical[0] < 0x7f { // as nearly all values begin
		return false
	}
	return len(lexical) == 0 || (f.Type == TypeString && isBlank(lexical))
}

// Length returns the number of characters of a text in Unicode's normalization
// form C, in which a letter and its accent are one character if Unicode has one for
// them. It never exceeds len(text).
func Length(text []byte) int {
	span := norm.NFC.QuickSpan(text)
	count := utf8.RuneCount(text[:span])
	if span == len(text) {
		return count
	}
	// Package norm puts a joiner behind every thirty marks in a row, which is no
	// part of the form.
	normal := norm.NFC.Bytes(text[span:])
	return count + utf8.RuneCount(normal) - countJoiners(normal) + countJoiners(text[span:])
}

func countJoiners(text []byte) int {
	const joiner = "\u034f"
	n := 0
	for i := 0; i+len(joiner) <= len(text); i++ {
		if text[i] == joiner[0] && text[i+1] == joiner[1] {
			n++
		}
	}
	return n
}

// HasForbidden reports whether a text holds a character that no text may hold: a
// control character (Unicode's category Cc), or U+FFFD, which replaces what an
// earlier conversion lost. Free text may hold the four layout characters TAB, LF, CR
// and U+0085 (next line).
func HasForbidden(text []byte, free bool) bool {
	for i, c := range text {
		switch {
		case c >= ' ' && c < 0x7f:
		case c < ' ':
			if !free || (c != '\t' && c != '\n' && c != '\r') {
				return true
			}
		case c == 0x7f:
			return true
		case c == 0xc2: // U+0080 to U+00BF
			if next := at(text, i+1); next < 0xa0 && (!free || next != 0x85) {
				return true
			}
		case c == 0xef && at(text, i+1) == 0xbf && at(text, i+2) == 0xbd: // U+FFFD
			return true
		}
	}
	return false
}

// at returns a byte of a text, or 0xff after its end.
func at(text []byte, i int) byte {
	if i < len(text) {
		return text[i]
	}
	return 0xff
}

// IsFreeText reports whether the field holds free text: a string without pattern,
// format or list of values.
func (f *Field) IsFreeText() bool {
	return f.Type == TypeString && f.Pattern == nil && f.Format == "" && f.Enum == nil
}
