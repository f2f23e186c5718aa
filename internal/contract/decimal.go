package contract

import (
	"bytes"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// MaxDecimalDigits is how many digits a number may have on each side of its decimal
// point, written without exponent and insignificant zeros. Table Schema has no
// limit; PostgreSQL's numeric has 131,072 digits before and 16,383 after the point
// (manual, section 8.1), and an exponent of nine digits would fill a disk. 38 digits
// are what SQL databases agree on.
const MaxDecimalDigits = 38

// parseDecimal reads a Table Schema number with a decimal point: an optional
// sign, digits with an optional point (.5 and 5. are numbers), an optional
// exponent. It rejects INF and NaN, which the standard allows, and numbers beyond
// [MaxDecimalDigits]. The text may have any length: insignificant zeros are dropped
// before anything is computed, so neither the digits of the coefficient nor the
// exponent of the result exceed three times that limit.
func parseDecimal(b []byte) (apd.Decimal, bool) {
	n, ok := scanDecimal(b)
	if !ok {
		return apd.Decimal{}, false
	}
	var d apd.Decimal
	if len(n.whole)+len(n.fraction) <= 18 {
		var v int64
		for _, c := range n.whole {
			v = v*10 + int64(c-'0')
		}
		for _, c := range n.fraction {
			v = v*10 + int64(c-'0')
		}
		d.SetFinite(v, int32(n.exponent-len(n.fraction))) //nolint:gosec // scanDecimal bounds both
	} else {
		digits := string(n.whole) + string(n.fraction)
		if _, ok := d.Coeff.SetString(digits, 10); !ok {
			return apd.Decimal{}, false
		}
		d.Exponent = int32(n.exponent - len(n.fraction)) //nolint:gosec // scanDecimal bounds both
	}
	d.Negative = n.negative && !d.IsZero()
	return d, true
}

// decimalText returns the number that parseDecimal reads as PostgreSQL's
// numeric writes it: without plus sign, exponent or leading zeros. Zeros at the
// end of the fraction are kept up to [MaxDecimalDigits], so 12.30 stays 12.30.
// If b is already in that form, it is returned itself.
func decimalText(b []byte) ([]byte, bool) {
	if isPlain(b) {
		return b, true
	}
	n, ok := scanDecimal(b)
	if !ok {
		return nil, false
	}
	digits := string(n.whole) + string(n.fraction)
	point := len(n.whole) + n.exponent
	if point <= 0 {
		digits = strings.Repeat("0", 1-point) + digits
		point = 1
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	whole, fraction := strings.TrimLeft(digits[:point], "0"), digits[point:]
	if len(fraction) > MaxDecimalDigits {
		fraction = fraction[:MaxDecimalDigits]
	}
	if whole == "" {
		whole = "0"
	}
	text := whole
	if fraction != "" {
		text += "." + fraction
	}
	if n.negative && strings.Trim(text, "0.") != "" {
		text = "-" + text
	}
	return []byte(text), true
}

// isPlain reports whether a number is short and written as numeric writes it, as
// nearly all are: digits without leading zeros, then optionally a point and digits.
func isPlain(b []byte) bool {
	whole, rest := digitRun(b)
	if len(whole) == 0 || len(b) > MaxDecimalDigits || (whole[0] == '0' && len(whole) > 1) {
		return false
	}
	if len(rest) == 0 {
		return true
	}
	fraction, end := digitRun(rest[1:])
	return rest[0] == '.' && len(fraction) > 0 && len(end) == 0
}

// plainDecimal is a scanned number: whole.fraction × 10^exponent. Its digits
// alias the text.
type plainDecimal struct {
	negative        bool
	whole, fraction []byte
	exponent        int
}

// maxExponent is the value at which an exponent is capped: no record is long enough
// to bring a number with a larger one back within [MaxDecimalDigits].
const maxExponent = 1 << 24

func scanDecimal(b []byte) (plainDecimal, bool) {
	var n plainDecimal
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		n.negative = b[0] == '-'
		b = b[1:]
	}
	n.whole, b = digitRun(b)
	if len(b) > 0 && b[0] == '.' {
		n.fraction, b = digitRun(b[1:])
	}
	if len(n.whole)+len(n.fraction) == 0 {
		return n, false
	}
	if len(b) > 0 {
		exponent, ok := scanExponent(b)
		if !ok {
			return n, false
		}
		n.exponent = exponent
	}
	return bounded(n)
}

// bounded drops insignificant digits and checks the rest against the limit. It reads
// each byte a fixed number of times, and its result is short.
func bounded(n plainDecimal) (plainDecimal, bool) {
	n.whole = trimZeros(n.whole)
	significant := bytes.TrimRight(n.fraction, "0")
	if len(n.whole)+len(trimZeros(significant)) == 0 { // zero, whatever its exponent
		n.exponent = 0
		n.fraction = n.fraction[:min(len(n.fraction), MaxDecimalDigits)]
		return n, true
	}
	leading := len(n.whole)
	if leading == 0 {
		leading = len(trimZeros(significant)) - len(significant)
	}
	trailing := len(significant)
	if trailing == 0 {
		trailing = len(bytes.TrimRight(n.whole, "0")) - len(n.whole)
	}
	if leading+n.exponent > MaxDecimalDigits || trailing-n.exponent > MaxDecimalDigits {
		return n, false
	}
	return short(n, significant), true
}

// short moves long runs of zeros at either end of a number into its exponent.
// Between the first and the last digit other than zero are at most twice
// [MaxDecimalDigits]; otherwise the number would have been refused.
func short(n plainDecimal, significant []byte) plainDecimal {
	if len(n.fraction) > len(significant) { // zeros that are kept
		n.fraction = n.fraction[:max(len(significant), min(len(n.fraction), MaxDecimalDigits))]
	}
	switch {
	case len(n.whole)+len(n.fraction) <= 2*MaxDecimalDigits:
	case len(significant) == 0: // 1000…000e-999
		kept := min(len(n.whole), len(bytes.TrimRight(n.whole, "0"))+MaxDecimalDigits)
		n.exponent += len(n.whole) - kept
		n.whole, n.fraction = n.whole[:kept], nil
	case len(n.whole) == 0: // 0.000…001e999
		kept := trimZeros(n.fraction)
		n.exponent -= len(n.fraction) - len(kept)
		n.fraction = kept
	}
	return n
}

func digitRun(b []byte) (digits, rest []byte) {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:n], b[n:]
}

// scanExponent reads "e" and a signed integer to the end of b.
func scanExponent(b []byte) (int, bool) {
	if b[0] != 'e' && b[0] != 'E' {
		return 0, false
	}
	negative, digits, ok := scanInteger(b[1:])
	if !ok {
		return 0, false
	}
	exponent := maxExponent
	if len(digits) <= 7 {
		exponent, _ = number(digits)
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

// replaceMark replaces a number's decimal mark with a point. It returns false if the
// text already has a point, which is then a foreign character.
func replaceMark(b []byte, mark byte) ([]byte, bool) {
	if bytes.IndexByte(b, '.') >= 0 {
		return nil, false
	}
	return bytes.Replace(b, []byte{mark}, []byte{'.'}, 1), true
}
