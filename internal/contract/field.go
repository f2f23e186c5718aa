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

// Sensitivity is how a field is protected before anything is persisted.
type Sensitivity int

// The sensitivities.
const (
	Public Sensitivity = iota // stored as it is
	Cipher                    // "C": ciphertext only
	Token                     // "T": ciphertext, and a token that can be joined and compared
)

// FormatEmail is the only format of strings beside the default.
const FormatEmail = "email"

// Bounds of dates and times, in UTC, unless a field sets others. What is outside is
// nearly always a placeholder for "unknown" or a typing error.
const (
	DefaultEarliest = "1900-01-01"
	DefaultLatest   = "2100-01-01"
)

// Bound is a bound of a date or datetime.
type Bound struct {
	Time time.Time // the first or last instant that is allowed, in UTC
	Text string    // as the contract writes it
}

// Constraints are what a value must meet beyond its type. The zero value of each means
// none.
type Constraints struct {
	MinLength int            // in characters, as [Length] counts them
	MaxLength int            // in characters; 0 is no limit
	Pattern   *regexp.Regexp // must match the whole value
	// Bounds of an integer or number; nil is none. Those of an integer fit 64 bits.
	Minimum, Maximum, ExclusiveMinimum, ExclusiveMaximum *apd.Decimal
	Enum                                                 []string // of a string; nil is none
	// Inclusive bounds of a date or datetime. Every such field has them:
	// [DefaultEarliest] and [DefaultLatest] unless the contract sets others.
	Earliest, Latest Bound
}

// Field is one field of a resource.
type Field struct {
	Name   string // in the file
	Target string // column in the target table; Name unless the contract renames it
	Title  string // French, for documents
	Type   Type
	Format string // "" or [FormatEmail]
	Index  int    // position in Resource.Fields

	Required bool
	Constraints
	Expected string // describes in French what Pattern or Enum requires, "exactement 10 chiffres"; may be empty

	Sensitivity Sensitivity
	Domain      string // of a Token: values of the same domain are comparable: "client_id"

	decimalMark byte
}

// Sensitive reports whether the field is protected.
func (f *Field) Sensitive() bool { return f.Sensitivity != Public }

// DecimalMark returns the mark between the whole part and the fraction of a number,
// '.' or ','.
func (f *Field) DecimalMark() byte {
	if f.decimalMark == 0 {
		return '.'
	}
	return f.decimalMark
}

// Canonical returns the text from which keys and tokens are made: an integer of any
// length without plus sign or leading zeros (7, +7 and 007 are one key, and -0 is
// 0), a string as it is, a date or boolean in its one plain form. It returns false
// for a text that is not of the field's type, for the empty text (which is missing),
// and for types that cannot be keys (number, datetime).
func (f *Field) Canonical(lexical []byte) (string, bool) {
	canonical, ok := f.AppendCanonical(nil, lexical)
	return string(canonical), ok
}

// AppendCanonical appends the canonical form to dst; see [Field.Canonical]. Without
// one it returns dst unchanged.
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

// ParseDecimal is parseDecimal with the field's decimal mark.
func (f *Field) ParseDecimal(lexical []byte) (apd.Decimal, bool) {
	if f.DecimalMark() == '.' {
		return parseDecimal(lexical)
	}
	plain, ok := replaceMark(lexical, f.decimalMark)
	if !ok {
		return apd.Decimal{}, false
	}
	return parseDecimal(plain)
}

// DecimalText is decimalText with the field's decimal mark.
func (f *Field) DecimalText(lexical []byte) ([]byte, bool) {
	if f.DecimalMark() == '.' {
		return decimalText(lexical)
	}
	plain, ok := replaceMark(lexical, f.decimalMark)
	if !ok {
		return nil, false
	}
	return decimalText(plain)
}
