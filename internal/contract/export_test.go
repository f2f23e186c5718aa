package contract

import "github.com/cockroachdb/apd/v3"

// ParseDecimal reads a number with a decimal point.
func ParseDecimal(b []byte) (apd.Decimal, bool) { return parseDecimal(b) }

// DecimalText returns such a number as PostgreSQL writes it.
func DecimalText(b []byte) ([]byte, bool) { return decimalText(b) }

// IsBlank reports whether a text shows nothing.
func IsBlank(text []byte) bool { return isBlank(text) }

// IsIBAN reports whether s has the electronic form of an IBAN.
func IsIBAN(s string) bool { return isIBAN(s) }

// RoundHalfUp rounds to a number of digits after the point.
func RoundHalfUp(d *apd.Decimal, digits int32) (*apd.Decimal, error) { return roundHalfUp(d, digits) }
