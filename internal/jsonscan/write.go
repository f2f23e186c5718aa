package jsonscan

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// AppendString appends text, which must be valid UTF-8, as a JSON string.
func AppendString(out, text []byte) []byte {
	if isPlain(text) {
		out = append(out, '"')
		out = append(out, text...)
		return append(out, '"')
	}
	var escaped bytes.Buffer
	encoder := json.NewEncoder(&escaped)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(string(text)) // a string always encodes
	return append(out, bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))...)
}

// AppendName appends the name of a member and its colon.
func AppendName(out []byte, name string) []byte { return append(AppendString(out, []byte(name)), ':') }

// isPlain reports whether a JSON string may hold the text as it is.
func isPlain(text []byte) bool {
	for i, c := range text {
		if c >= utf8.RuneSelf {
			return bytes.IndexFunc(text[i:], quoted) < 0
		}
		if quoted(rune(c)) {
			return false
		}
	}
	return true
}

// quoted reports whether a text with the character is left to package json.
func quoted(r rune) bool { return r < 0x20 || r == '"' || r == '\\' || r == utf8.RuneError }
