// Package totals reads and writes control totals: the figures that a sender declares
// for the files of a date, so that the receiver notices a file that was cut off or
// changed on the way.
//
// They arrive in a separate file, `control_<AAAAMMJJ>.json`, beside the ten
// files of the date:
//
//	{"files": {"client_data_20241008.csv": {"records": 3, "bytes": 412, "sha256": "…"}}}
//
// docs/control-schema.json describes it. [Parse] is strict, because a total that is
// misread protects nothing: an unknown, missing or repeated member makes the whole
// file invalid. Members may be added to the format later, never renamed.
//
// A total counts records like the reader (package record): with malformed ones, and
// without the header.
package totals

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Prefix begins the name of a control file.
const Prefix = "control"

// Format is the extension of a control file.
const Format = "json"

// Name returns the name of the control file of a date.
func Name(date time.Time) string { return Prefix + "_" + date.Format("20060102") + "." + Format }

// Total is what was declared, or found, for one file.
type Total struct {
	Records int64             // with malformed ones, without the header
	Bytes   int64             // size
	SHA256  [sha256.Size]byte // of all bytes
}

// Totals are the totals of the files of a date. The zero value is empty.
type Totals struct{ files map[string]Total }

// New returns totals by file name. It fails with *[Error] for a name that is no
// plain file name, a negative number, or an empty list.
func New(files map[string]Total) (Totals, error) {
	if len(files) == 0 {
		return Totals{}, &Error{Reason: NoFile}
	}
	for name, t := range files {
		if !plain(name) {
			return Totals{}, &Error{Reason: BadName}
		}
		if t.Records < 0 || t.Bytes < 0 {
			return Totals{}, &Error{Reason: BadNumber}
		}
	}
	return Totals{files: maps.Clone(files)}, nil
}

// File returns the total of a file, and whether the control file names it. The
// name is that of the object without its folder.
func (t Totals) File(name string) (Total, bool) {
	total, ok := t.files[name]
	return total, ok
}

// Names returns the names of the files, sorted.
func (t Totals) Names() []string { return slices.Sorted(maps.Keys(t.files)) }

// maxName bounds a file name, in bytes: what file systems allow.
const maxName = 255

// plain reports whether name is a file name without a folder: letters, digits,
// `_`, `-` and `.` of ASCII, beginning with a letter or a digit.
func plain(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("_-.", rune(c))) {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}

// Member is one figure of a total.
type Member string

// The members of a total.
const (
	Records Member = "records"
	Bytes   Member = "bytes"
	SHA256  Member = "sha256"
)

// Difference is one figure of a file that differs from the declared one.
type Difference struct {
	Member   Member
	Declared int64 // 0 for SHA256
	Found    int64 // 0 for SHA256
}

// String describes the difference in French, for a fault or an alert.
func (d Difference) String() string {
	switch d.Member {
	case Records:
		return RecordsDiffer(d.Declared, d.Found)
	case Bytes:
		return BytesDiffer(d.Declared, d.Found)
	default:
		return ContentDiffers
	}
}

// Differences compares the declared figures of a file with those found; it returns nil
// if all agree.
func (t Total) Differences(found Total) []Difference {
	var all []Difference
	if t.Records != found.Records {
		all = append(all, Difference{Records, t.Records, found.Records})
	}
	if t.Bytes != found.Bytes {
		all = append(all, Difference{Bytes, t.Bytes, found.Bytes})
	}
	if t.SHA256 != found.SHA256 {
		all = append(all, Difference{Member: SHA256})
	}
	return all
}

// Error reports a control file that cannot be used. Its text is French and shows
// nothing of the content.
type Error struct {
	Reason string // one of the Control texts of package message
	Offset int64  // bytes read when it was noticed; 0 for totals that were not read
}

// Error implements error.
func (e *Error) Error() string {
	if e.Offset == 0 {
		return e.Reason
	}
	return FaultText(e.Reason, e.Offset)
}

// hexadecimal returns the written form of a hash: 64 lower-case digits.
func hexadecimal(sum [sha256.Size]byte) string { return fmt.Sprintf("%x", sum) }
