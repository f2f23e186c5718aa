package contract

import (
	"bytes"
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
	_, _, ok := scanInteger(b)
	return ok
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
	return year, month, day, ok1 && ok2 && ok3 && year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

// IsLexical reports whether a text is of the field's type, at a fraction of the cost
// of parsing its value. It checks neither constraints nor bounds.
func (f *Field) IsLexical(text []byte) bool {
	ok := true
	switch f.Type {
	case TypeInteger:
		ok = IsInteger(text)
	case TypeNumber:
		_, ok = f.DecimalText(text)
	case TypeBoolean:
		_, ok = ParseBoolean(text)
	case TypeDate:
		_, _, _, ok = dateParts(text)
	case TypeDateTime:
		_, ok = ParseDateTime(text)
	}
	return ok
}

// ParseDateTime reads an RFC 3339 date-time: a date, an upper-case T, a time
// with seconds (0 to 59) and an optional fraction, and a zone, Z or an offset
// from -23:59 to +23:59. A fraction is truncated to nanoseconds. The result
// is in UTC. A time outside the years 0001 to 9999 in UTC is invalid, even if only
// rounding to PostgreSQL's microseconds takes it there.
func ParseDateTime(b []byte) (time.Time, bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	date, ok := ParseDate(b[:10])
	hour, ok1 := number(b[11:13])
	minute, ok2 := number(b[14:16])
	second, ok3 := number(b[17:19])
	if !ok || !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos, rest, ok := fraction(b[19:])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := zone(rest)
	if !ok {
		return time.Time{}, false
	}
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	at := date.Add(clock + nanos - offset)
	if (date.Year() == maxYear && at.Round(time.Microsecond).Year() > maxYear) || at.Year() < 1 {
		return time.Time{}, false
	}
	return at, true
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

func trimZeros(b []byte) []byte { return bytes.TrimLeft(b, "0") }
