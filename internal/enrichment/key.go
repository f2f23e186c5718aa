package enrichment

import (
	"strings"
	"unicode/utf8"
)

// MaxKey is the length of the longest value of a key in characters, according to the
// contract of a source. A longer one would make the whole batch fail.
const MaxKey = 64

// A key of several fields is one text: each value behind a separator, in which
// separator and escape stand for themselves only after an escape. No valid record holds
// either of these control characters, so no value is taken for several.
const (
	keySeparator = "\x1f" // US, unit separator
	keyEscape    = "\x1b" // ESC
)

// JoinKey returns the key of a record whose key fields have these values: a single value
// itself, and several as one text that differs for all different values. [SplitKey] is
// its inverse.
func JoinKey(values ...string) string {
	if len(values) == 1 {
		return values[0]
	}
	var key strings.Builder
	for _, value := range values {
		key.WriteString(keySeparator)
		if strings.ContainsAny(value, keySeparator+keyEscape) {
			value = strings.NewReplacer(keyEscape, keyEscape+"0", keySeparator, keyEscape+"1").Replace(value)
		}
		key.WriteString(value)
	}
	return key.String()
}

// SplitKey returns the values that [JoinKey] made a key of.
func SplitKey(key string) []string {
	joined, several := strings.CutPrefix(key, keySeparator)
	if !several {
		return []string{key}
	}
	values := strings.Split(joined, keySeparator)
	for i, value := range values {
		if strings.Contains(value, keyEscape) {
			values[i] = strings.NewReplacer(keyEscape+"0", keyEscape, keyEscape+"1", keySeparator).Replace(value)
		}
	}
	return values
}

// usable reports whether a source may be asked for a key.
func usable(key string) bool {
	for _, value := range SplitKey(key) {
		if value == "" || utf8.RuneCountInString(value) > MaxKey || !utf8.ValidString(value) {
			return false
		}
	}
	return true
}
