package contract

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// MayHoldLineEnd reports whether a valid value of the field can hold a line end.
// Only a string can, if no format, pattern or enumeration excludes it. In a CSV file
// a line end in a quoted value of another field is a slip, most often an unclosed
// quote.
func (f *Field) MayHoldLineEnd() bool {
	switch {
	case f.Type != TypeString || f.Format != "":
		return false
	case f.Enum != nil:
		return slices.ContainsFunc(f.Enum, func(value string) bool { return strings.Contains(value, "\n") })
	case f.Pattern != nil:
		re, err := syntax.Parse(f.Pattern.String(), syntax.Perl)
		return err != nil || matchesLineFeed(re)
	default:
		return true
	}
}

// matchesLineFeed reports whether some part of an expression matches a line feed.
func matchesLineFeed(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar:
		return true
	case syntax.OpLiteral:
		return slices.Contains(re.Rune, '\n')
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i] <= '\n' && '\n' <= re.Rune[i+1] {
				return true
			}
		}
	}
	return slices.ContainsFunc(re.Sub, matchesLineFeed)
}
