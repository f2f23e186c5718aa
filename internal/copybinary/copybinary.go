// Package copybinary writes and reads PostgreSQL's COPY binary format, the form
// of every work object: a step that computes writes a stream with a [Writer],
// and the step that persists pipes its bytes unread into COPY … FROM STDIN
// (FORMAT binary). Where a later step needs the rows again it reads the same
// stream with a [Reader].
//
// A stream is a signature, rows and a trailer; a row is its number of fields
// and, for each, a length and the value in the binary form of the column's
// type. It names neither columns nor types; writer, reader and table must agree on
// them. Values are never converted (a bytea is its bytes), so a field can be copied as
// it was read.
//
// The format and the binary forms are those of the PostgreSQL manual (COPY,
// "Binary Format") and of the types' receive functions; all numbers are
// big-endian. Neither Writer nor Reader allocates per row.
package copybinary

import "time"

const (
	// MaxFields is how many fields a row has at most, PostgreSQL's limit of
	// columns in a table (manual, appendix K).
	MaxFields = 1600

	// MaxField is the longest field in bytes that a Reader accepts: 16 MiB, above
	// anything that a record of 1 MiB becomes when sealed and encoded.
	MaxField = 16 << 20

	// MaxRow is the longest row in bytes that a Reader accepts: 32 MiB.
	MaxRow = 32 << 20

	// MaxNumericDigits is how many digits a numeric has at most on each side of
	// its point: 1000, PostgreSQL's limit of a declared precision.
	MaxNumericDigits = 1000

	// signature opens every stream, followed by 4 bytes of flags and the length of
	// a header extension (4 bytes), both zero here.
	signature = "PGCOPY\n\xff\r\n\x00"

	// criticalFlags are the bits that a reader must not ignore.
	criticalFlags = 0xffff0000

	flushSize = 64 << 10

	unixToPostgresDays    = 10957             // 1970-01-01 to 2000-01-01
	unixToPostgresSeconds = 10957 * 24 * 3600 // the same

	// The range of PostgreSQL's date and timestamptz (src/include/datatype/timestamp.h):
	// from 4713-11-24 BC, inclusive, to 5874898-01-01 and 294277-01-01, exclusive.
	minDate      = -2451545
	endDate      = 2145031949
	minTimestamp = -211813488000000000
	endTimestamp = 9223371331200000000
)

// The signs of a numeric in its binary form (src/backend/utils/adt/numeric.c).
const (
	numericPositive = 0x0000
	numericNegative = 0x4000
)

// civilDays returns the days from 2000-01-01 to t's calendar date in its own
// location.
func civilDays(t time.Time) int64 {
	_, offset := t.Zone()
	seconds := t.Unix() + int64(offset)
	days := seconds / (24 * 3600)
	if seconds%(24*3600) < 0 {
		days-- // towards the past, not towards 1970
	}
	return days - unixToPostgresDays
}
