package main

import "time"

// Years in which files may be dated, so that everything in them, birth dates
// and mistaken dates too, has a year of four digits.
const (
	firstYear = 1990
	lastYear  = 2200
)

const secondsADay = 24 * 60 * 60

// dayNumber counts the days since 1970-01-01.
func dayNumber(date time.Time) int64 { return date.Unix() / secondsADay }

// appendDate appends the date of a day number, YYYY-MM-DD.
func appendDate(b []byte, day int64) []byte {
	return time.Unix(day*secondsADay, 0).UTC().AppendFormat(b, time.DateOnly)
}

// appendMoment appends an RFC 3339 time of a day: mostly in UTC, sometimes with
// an offset, sometimes with a fraction of a second.
func appendMoment(b []byte, d *dice, day int64) []byte {
	second := 7*3600 + d.low(6*3600) + d.low(8*3600)
	at := time.Unix(day*secondsADay+second, 0).UTC()
	layout := "2006-01-02T15:04:05"
	switch d.below(8) {
	case 0:
		layout += ".000"
		at = at.Add(time.Duration(d.below(1000)) * time.Millisecond)
	case 1:
		layout += ".000000"
		at = at.Add(time.Duration(d.below(1_000_000)) * time.Microsecond)
	}
	b = at.AppendFormat(b, layout)
	switch d.below(6) {
	case 0:
		return append(b, "+02:00"...)
	case 1:
		return append(b, "-04:30"...)
	default:
		return append(b, 'Z')
	}
}
