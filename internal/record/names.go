package record

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A file without a header, with a lost line end or with lines of key and value has
// values in the place of names. So a name that the contract does not know is shown
// only if it cannot be a value:
//
//   - It differs from a column of the contract by case, white space, invisible
//     characters, accents or one edit, and the line is a header: at least half of
//     the contract's columns are in it, exactly or nearly, or all required ones.
//     An edit that adds a digit does not count, as it may be the first of the next
//     line.
//   - It is an identifier, and all required columns are there.
//
// Of a line in which some name looks like a value, or that is long enough for a header
// and a record, neither identifiers nor edits are shown: values may stand beside it.
// The names that are not shown are counted, with their positions.

// stranger is a column or member that the contract does not know, or that comes
// twice.
type stranger struct {
	name     string
	position int // from 1
	twice    bool
}

// longestName is the length of the longest identifier that is shown, in bytes: the
// limit of a column name in PostgreSQL.
const longestName = 63

// foreign returns the FileError of a file whose columns differ from the contract;
// present lists the contract's columns that it has.
func (l Layout) foreign(reason Reason, missing []string, present []bool, strangers []stranger) *FileError {
	fault := &FileError{Reason: reason, Missing: missing}
	plain := folded(l.Columns)
	near := nearestOf(strangers, plain)
	header := l.isHeader(present, near)
	values := l.mayHoldValues(fault, present, near, strangers)
	identifiers := header && l.complete(present) && !values
	for i, s := range strangers {
		similar := header && near[i] >= 0 && (!values || fold(s.name) == plain[near[i]])
		switch {
		case s.twice, similar, identifiers && isIdentifier(s.name):
			fault.Extra = append(fault.Extra, s.name)
		case strings.TrimSpace(s.name) == "":
			fault.Unnamed = append(fault.Unnamed, s.position)
		default:
			fault.Hidden = append(fault.Hidden, s.position)
		}
	}
	return fault
}

// mayHoldValues reports whether there may be values among the foreign names. In a CSV
// header that has lost its line end a record follows, and its first value may be glued
// to the last name.
func (l Layout) mayHoldValues(fault *FileError, present []bool, near []int, strangers []stranger) bool {
	twoLines := 2 * len(l.Columns)
	names := len(strangers)
	for _, is := range present {
		if is {
			names++
		}
	}
	csv := fault.Reason == ReasonHeader
	if csv && names >= twoLines {
		return true
	}
	glued := csv && names == twoLines-1
	for i, s := range strangers {
		if (near[i] < 0 || glued) && looksLikeValue(s.name, fault.Missing) {
			return true
		}
	}
	return false
}

// nearestOf returns the position of the most similar column for each stranger, or -1;
// plain holds the folded columns.
func nearestOf(strangers []stranger, plain []string) []int {
	columns := make([]int, len(strangers))
	for i, s := range strangers {
		columns[i] = nearest(s.name, plain)
	}
	return columns
}

func folded(columns []string) []string {
	plain := make([]string, len(columns))
	for i, column := range columns {
		plain[i] = fold(column)
	}
	return plain
}

// nearest returns the position of the column that a name resembles, or -1; plain
// holds the folded columns.
func nearest(name string, plain []string) int {
	if len(name) > 4*longestName {
		return -1
	}
	name = fold(name)
	return slices.IndexFunc(plain, func(column string) bool { return oneEdit(name, column) && digitsIn(name) == digitsIn(column) })
}

// isHeader reports whether at least half of the contract's columns, or all required
// ones, are present exactly or nearly.
func (l Layout) isHeader(present []bool, near []int) bool {
	n := 0
	for i := range l.Columns {
		if present[i] || slices.Contains(near, i) {
			n++
		}
	}
	return 2*n >= len(l.Columns) || l.complete(present)
}

// complete reports whether there are required columns, and all are present.
func (l Layout) complete(present []bool) bool {
	some := false
	for i := range l.Columns {
		if !l.requires(i) {
			continue
		}
		if !present[i] {
			return false
		}
		some = true
	}
	return some
}

// looksLikeValue reports whether a foreign name may be a value, or the last name
// of a header whose line end is lost, with a value behind it.
func looksLikeValue(name string, missing []string) bool {
	if !isIdentifier(name) && strings.ContainsFunc(name, func(r rune) bool { return r == '@' || unicode.IsDigit(r) }) {
		return true
	}
	return slices.ContainsFunc(missing, func(column string) bool { return strings.HasPrefix(fold(name), fold(column)) })
}

// isIdentifier reports whether a name is one of [A-Za-z_]\w{0,62}.
func isIdentifier(name string) bool {
	if name == "" || len(name) > longestName || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for _, c := range []byte(name) {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// fold returns a name in lower case without accents, white space and invisible
// characters.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Mn, unicode.C) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
}

func digitsIn(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name)
}

// oneEdit reports whether two names are equal, or become so if one character is
// added, removed or replaced, or two neighbours are swapped.
func oneEdit(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	swapped := len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
	return len(x) <= 1 && len(y) <= 1 || swapped
}
