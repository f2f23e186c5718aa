package contract

import (
	"math"
	"time"
)

// ParseInteger reads a Table Schema integer: ASCII digits with an optional sign, so
// not 3.0, 1e3 or 1_000. It also returns false for an integer that does not fit 64
// bits; [IsInteger] distinguishes the two.
func ParseInteger(b []byte) (int64, bool) {
	if len(b) > 0 && len(b) <= 18 && b[0] != '-' && b[0] != '+' { // as nearly all are
		n, ok := number(b)
		return int64(n), ok
	}
	negative, digits, ok := scanInteger(b)
	if !ok || len(digits) > 19 {
		return 0, false
	}
	var v uint64
	for _, d := range digits {
		v = v*10 + uint64(d-'0')
	}
	switch {
	case negative && v <= 1<<63:
		return -int64(v-1) - 1, true //nolint:gosec // v is at least 1 and at most 2^63
	case !negative && v <= math.MaxInt64:
		return int64(v), true
	default:
		return 0, false
	}
}

// IsInteger reports whether b is a Table Schema integer, of any size.
func IsInteger(b []byte) bool {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	return len(b) > 0 && allDigits(b)
}

// scanInteger returns the sign and the digits without leading zeros, which alias
// b; zero is one digit and never negative.
func scanInteger(b []byte) (negative bool, digits []byte, ok bool) {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 || !allDigits(b) {
		return false, nil, false
	}
	digits = trimZeros(b)
	if len(digits) == 0 {
		return false, b[len(b)-1:], true
	}
	return negative, digits, true
}

// ParseBoolean reads a Table Schema boolean: true, True, TRUE or 1; false,
// False, FALSE or 0.
func ParseBoolean(b []byte) (value, ok bool) {
	switch string(b) {
	case "true", "True", "TRUE", "1":
		return true, true
	case "false", "False", "FALSE", "0":
		return false, true
	default:
		return false, false
	}
}

// ParseDate reads an ISO 8601 date, YYYY-MM-DD, that exists in the calendar, in the
// years 0001 to 9999. The result is its midnight in UTC.
func ParseDate(b []byte) (time.Time, bool) {
	year, month, day, ok := dateParts(b)
	if !ok {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC), true
}

func dateParts(b []byte) (year, month, day int, ok bool) {
	if len(b) != 10 || b[4] != '-' || b[7] != '-' {
		return 0, 0, 0, false
	}
	year, ok1 := number(b[:4])
	month, ok2 := number(b[5:7])
	day, ok3 := number(b[8:])
	return year, month, day, ok1 && ok2 && ok3 && year >= 1 && month >= 1 && month <= 12 && day >= 1 && (day <= 28 || day <= daysIn(year, month))
}

// Lexical returns a function that reports whether a text is of the field's type, at
// a fraction of the cost of parsing its value. It checks neither constraints nor
// bounds. It is nil for a string: every text is one.
func (f *Field) Lexical() func(text []byte) bool {
	switch f.Type {
	case TypeInteger:
		return IsInteger
	case TypeNumber:
		return func(text []byte) bool { _, ok := f.DecimalText(text); return ok }
	case TypeBoolean:
		return func(text []byte) bool { _, ok := ParseBoolean(text); return ok }
	case TypeDate:
		return func(text []byte) bool { _, _, _, ok := dateParts(text); return ok }
	case TypeDateTime:
		return isDateTime
	default:
		return nil
	}
}

// ParseDateTime reads an RFC 3339 date-time: a date, an upper-case T, a time
// with seconds (0 to 59) and an optional fraction, and a zone, Z or an offset
// from -23:59 to +23:59. A fraction is truncated to nanoseconds. The result
// is in UTC. A time outside the years 0001 to 9999 in UTC is invalid, even if only
// rounding to PostgreSQL's microseconds takes it there.
func ParseDateTime(b []byte) (time.Time, bool) {
	year, month, day, clock, ok := dateTimeParts(b)
	if !ok {
		return time.Time{}, false
	}
	at := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Add(clock)
	if !withinYears(year, at) {
		return time.Time{}, false
	}
	return at, true
}

// isDateTime reports whether [ParseDateTime] reads b.
func isDateTime(b []byte) bool {
	year, _, _, _, ok := dateTimeParts(b)
	if ok && (year == 1 || year == maxYear) { // the time may lie in another year than its text
		_, ok = ParseDateTime(b)
	}
	return ok
}

// withinYears reports whether a time whose text is of the given year lies in one
// that four digits can write.
func withinYears(year int, at time.Time) bool {
	switch year {
	case 1:
		return at.Year() >= 1
	case maxYear:
		return at.Round(time.Microsecond).Year() <= maxYear
	default:
		return true
	}
}

// dateTimeParts reads the date of an RFC 3339 date-time, and how long after that
// date's midnight in UTC the time is; it is before it if that is negative.
func dateTimeParts(b []byte) (year, month, day int, clock time.Duration, ok bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, 0, 0, 0, false
	}
	year, month, day, ok = dateParts(b[:10])
	hour, ok1 := number(b[11:13])
	minute, ok2 := number(b[14:16])
	second, ok3 := number(b[17:19])
	if !ok || !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return 0, 0, 0, 0, false
	}
	nanos, rest, ok := fraction(b[19:])
	if !ok {
		return 0, 0, 0, 0, false
	}
	offset, ok := zone(rest)
	clock = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	return year, month, day, clock + nanos - offset, ok
}

// maxYear is the last year of four digits.
const maxYear = 9999

// fraction reads an optional fraction of a second and returns what follows it.
func fraction(b []byte) (time.Duration, []byte, bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	n := 1
	nanos, unit := time.Duration(0), 100*time.Millisecond
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		nanos += time.Duration(b[n]-'0') * unit
		unit /= 10
		n++
	}
	return nanos, b[n:], n > 1
}

// zone reads a time zone to the end of b.
func zone(b []byte) (time.Duration, bool) {
	if len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if len(b) != 6 || (b[0] != '+' && b[0] != '-') || b[3] != ':' {
		return 0, false
	}
	hours, ok1 := number(b[1:3])
	minutes, ok2 := number(b[4:])
	if !ok1 || !ok2 || hours > 23 || minutes > 59 {
		return 0, false
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if b[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// number reads at most 18 ASCII digits without sign.
func number(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[0] == '0' {
		b = b[1:]
	}
	return b
}
