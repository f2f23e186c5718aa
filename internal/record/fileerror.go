package record

import (
	"fmt"
	"strings"
)

// Reason is why a whole file can't be read.
type Reason string

const (
	// ReasonEmpty is a file of no bytes, or of a byte order mark and blank lines only.
	ReasonEmpty Reason = "empty"
	// ReasonCompressed is a compressed file: gzip, zip (so a workbook too), bzip2,
	// xz, zstd or 7z.
	ReasonCompressed Reason = "compressed"
	// ReasonEncoding is a file in UTF-16 or UTF-32, or a header that is not in
	// the encoding of the contract.
	ReasonEncoding Reason = "encoding"
	// ReasonHeader is a CSV header that differs from the contract's.
	ReasonHeader Reason = "header"
	// ReasonLineEnds is a CSV header with a CR that no LF follows: the file's
	// lines end with CR, or with two CR and LF.
	ReasonLineEnds Reason = "line_ends"
	// ReasonCRLines is a CSV or JSON Lines file whose records are all faulty, and
	// each is several lines that a CR alone parts.
	ReasonCRLines Reason = "cr_lines"
	// ReasonHeaderLength is a CSV header longer than any header can be: the first
	// line is no header, or its line end is lost.
	ReasonHeaderLength Reason = "header_length"
	// ReasonFormat is a JSON file that is no array, or a CSV header with broken
	// quotes or with a line end in quotes.
	ReasonFormat Reason = "format"
	// ReasonArray is a JSON Lines file that is an array.
	ReasonArray Reason = "array"
	// ReasonPretty is a JSON Lines file whose first object spans several lines.
	ReasonPretty Reason = "pretty"
	// ReasonMembers is a JSON or JSON Lines file all of whose objects have a
	// member that the contract lacks, or lack a required one.
	ReasonMembers Reason = "members"
	// ReasonCutOff is a JSON array without its closing bracket.
	ReasonCutOff Reason = "cut_off"
	// ReasonBehind is a JSON array with something but white space behind it.
	ReasonBehind Reason = "behind"
	// ReasonTokens is a JSON array whose tokens can't be trusted from some element
	// on: a quote or a bracket is missing, or there is one too many.
	ReasonTokens Reason = "tokens"
)

// FileError reports that a whole file is faulty, so that none of its records
// can be trusted. It contains no value of the file.
type FileError struct {
	Reason Reason
	// Missing are the columns that the header lacks, or the required members that
	// no object has, in the order of the contract.
	Missing []string
	// Extra are the names of the file that the contract lacks and that can be
	// shown, and columns of the contract that come twice, in the order of the file.
	Extra []string
	// Unnamed are the positions, from 1, of columns with an empty name.
	Unnamed []int
	// Hidden are the positions, from 1, of the columns that the contract lacks and
	// whose names are not shown, as they may be values.
	Hidden []int
	// Element is the ordinal of the element of the array at which reading ended,
	// from 1; 0 unless the reason is ReasonCutOff, ReasonBehind or ReasonTokens.
	Element int64
	// Offset is where reading ended, in bytes from the start of the file; set
	// with Element.
	Offset int64
}

// Error implements error.
func (e *FileError) Error() string {
	switch e.Reason {
	case ReasonEmpty:
		return "the file is empty"
	case ReasonCompressed:
		return "the file is compressed"
	case ReasonEncoding:
		return "the file is not in the encoding of the contract"
	case ReasonHeader, ReasonMembers:
		return fmt.Sprintf("the columns differ from the contract: missing [%s], extra [%s], %d unnamed, %d not shown",
			strings.Join(e.Missing, ", "), strings.Join(e.Extra, ", "), len(e.Unnamed), len(e.Hidden))
	case ReasonLineEnds:
		return "the header holds a CR that no LF follows"
	case ReasonCRLines:
		return "CRs alone stand between the records"
	case ReasonHeaderLength:
		return "the first line is too long for a header"
	case ReasonFormat, ReasonArray, ReasonPretty:
		return "the file is not of the form that its name says"
	case ReasonCutOff, ReasonBehind, ReasonTokens:
		return fmt.Sprintf("the array can't be read: %s at element %d, offset %d", e.Reason, e.Element, e.Offset)
	default:
		return "the file can't be read: " + string(e.Reason)
	}
}
