package contract

import (
	"regexp"
	"strconv"
	"time"

	"github.com/cockroachdb/apd/v3"
)

// Type is a field's Table Schema type.
type Type string

// The types that are supported.
const (
	TypeString   Type = "string"
	TypeInteger  Type = "integer"
	TypeNumber   Type = "number"
	TypeBoolean  Type = "boolean"
	TypeDate     Type = "date"
	TypeDateTime Type = "datetime"
)

// Sensitivity says how a field is protected before anything is persisted.
type Sensitivity int

// The sensitivities.
const (
	Public Sensitivity = iota // stored as it is
	Cipher                    // "C": ciphertext only
	Token                     // "T": ciphertext, and a token that can be joined and compared
)

// FormatEmail is the one format of strings beside the default.
const FormatEmail = "email"

// Where dates and times lie unless a field says more, in UTC. What lies outside is
// nearly always a stand-in for "unknown" or a slip of the pen.
const (
	DefaultEarliest = "1900-01-01"
	DefaultLatest   = "2100-01-01"
)

// Bound is a bound of a date or datetime.
type Bound struct {
	Time time.Time // the first or last instant that is allowed, in UTC
	Text string    // as the contract writes it
}

// Field is one field of a resource. Of the constraints, the zero value stands
// for none.
type Field struct {
	Name   string // in the file
	Target string // column in the target table; Name unless the contract renames it
	Title  string // French, for documents
	Type   Type
	Format string // "" or [FormatEmail]
	Index  int    // position in Resource.Fields

	Required  bool
	MinLength int // in characters, as [Length] counts them
	MaxLength int // in characters; 0 is no limit
	// Pattern must match the whole value. Expected says in French what it asks
	// for, "exactement 10 chiffres"; it serves Enum too and may be empty.
	Pattern  *regexp.Regexp
	Expected string
	// Bounds of an integer or number; nil is none. Those of an integer fit 64 bits.
	Minimum, Maximum, ExclusiveMinimum, ExclusiveMaximum *apd.Decimal
	Enum                                                 []string // of a string; nil is none
	// Bounds of a date or datetime, both allowed themselves. Every such field has
	// them: from [DefaultEarliest] to [DefaultLatest] unless the contract says more.
	Earliest, Latest Bound

	Sensitivity Sensitivity
	Domain      string // of a Token: the values of one domain are comparable: "client_id"

	decimalMark byte
}

// Sensitive reports whether the field is protected.
func (f *Field) Sensitive() bool { return f.Sensitivity != Public }

// DecimalMark is the mark between the whole part and the fraction in the text of
// a number, '.' or ','.
func (f *Field) DecimalMark() byte {
	if f.decimalMark == 0 {
		return '.'
	}
	return f.decimalMark
}

// Canonical returns the text that keys and tokens are made from: an integer of
// any length without plus sign or leading zeros (7, +7 and 007 are one key, and
// -0 is 0), a string as it is, a date and boolean in their one plain form.
// It is false for a text that is not of the field's type, for the empty text
// (which is missing), and for types that cannot be keys (number, datetime): those
// have no canonical form.
func (f *Field) Canonical(lexical []byte) (string, bool) {
	canonical, ok := f.AppendCanonical(nil, lexical)
	return string(canonical), ok
}

// AppendCanonical appends what [Field.Canonical] returns to dst, which stays as it
// is where there is none.
func (f *Field) AppendCanonical(dst, lexical []byte) ([]byte, bool) {
	if len(lexical) == 0 {
		return dst, false
	}
	switch f.Type {
	case TypeString:
		return append(dst, lexical...), true
	case TypeInteger:
		negative, digits, ok := scanInteger(lexical)
		if !ok {
			return dst, false
		}
		if negative {
			dst = append(dst, '-')
		}
		return append(dst, digits...), true
	case TypeBoolean:
		v, ok := ParseBoolean(lexical)
		if !ok {
			return dst, false
		}
		return strconv.AppendBool(dst, v), true
	case TypeDate:
		if _, ok := ParseDate(lexical); !ok {
			return dst, false
		}
		return append(dst, lexical...), true
	default:
		return dst, false
	}
}

// ParseDecimal is [ParseDecimal] with the field's decimal mark.
func (f *Field) ParseDecimal(lexical []byte) (apd.Decimal, bool) {
	if f.DecimalMark() == '.' {
		return ParseDecimal(lexical)
	}
	plain, ok := replaceMark(lexical, f.decimalMark)
	if !ok {
		return apd.Decimal{}, false
	}
	return ParseDecimal(plain)
}

// DecimalText is [DecimalText] with the field's decimal mark.
func (f *Field) DecimalText(lexical []byte) ([]byte, bool) {
	if f.DecimalMark() == '.' {
		return DecimalText(lexical)
	}
	plain, ok := replaceMark(lexical, f.decimalMark)
	if !ok {
		return nil, false
	}
	return DecimalText(plain)
}
