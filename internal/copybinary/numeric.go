package copybinary

import (
	"encoding/binary"
	"errors"
)

// ErrNumeric is returned for a text that is not a decimal number, or that has more
// than [MaxNumericDigits] digits before or after the point. It does not quote
// the text.
var ErrNumeric = errors.New("copybinary: not a decimal number within range")

// maxExponent bounds the exponent of a decimal text, before the digits are
// counted.
const maxExponent = 100_000

// Numeric writes a numeric given as decimal text: digits with an optional sign,
// point and exponent, such as "-12.30" or "1e-10". The number of digits after
// the point is kept, as in PostgreSQL. If it returns [ErrNumeric], nothing has been
// written, and the caller can write another value for the field.
func (w *Writer) Numeric(decimal []byte) error {
	d, err := parseDecimal(decimal, w.digits[:0])
	w.digits = d.digits[:0]
	if err != nil {
		return err
	}
	groups := 0
	if len(d.digits) > 0 {
		groups = d.group(0) - d.group(len(d.digits)-1) + 1
	}
	if !w.field(8 + 2*groups) {
		return nil // the stream has failed; Close says how
	}
	sign, weight := uint16(numericPositive), 0
	if groups > 0 {
		weight = d.group(0)
		if d.negative {
			sign = numericNegative
		}
	}
	for _, n := range [...]uint16{uint16(groups), uint16(weight), sign, uint16(d.scale)} { //nolint:gosec // bounded by MaxNumericDigits; weight is two's complement
		w.buf = binary.BigEndian.AppendUint16(w.buf, n)
	}
	powers := [4]uint16{1, 10, 100, 1000} // of the places within a group of base 10,000
	at := len(w.buf)
	w.buf = append(w.buf, make([]byte, 2*groups)...) // the compiler extends in place
	for i, digit := range d.digits {
		place := d.place(i)
		group := w.buf[at+2*(weight-floorDiv4(place)):]
		value := binary.BigEndian.Uint16(group) + uint16(digit)*powers[place-4*floorDiv4(place)]
		binary.BigEndian.PutUint16(group, value)
	}
	return nil
}

// decimal is a parsed decimal text.
type decimal struct {
	negative bool
	digits   []byte // values 0 to 9, without zeros at either end; none is zero
	first    int    // power of ten of the first digit
	scale    int    // digits after the point that are shown
}

// place returns the power of ten of digit i, group the power of 10,000.
func (d *decimal) place(i int) int { return d.first - i }
func (d *decimal) group(i int) int { return floorDiv4(d.place(i)) }

func floorDiv4(n int) int { return n >> 2 }

// parseDecimal parses text; digits is scratch to append to.
func parseDecimal(text, digits []byte) (decimal, error) {
	d := decimal{digits: digits}
	i := 0
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		d.negative = text[i] == '-'
		i++
	}
	fraction, seen, point := 0, false, false // digits after the point; any digit; the point
scan:
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '.' && !point:
			point = true
		case c >= '0' && c <= '9':
			seen = true
			if point {
				fraction++
			}
			if len(d.digits) > 0 || c != '0' {
				d.digits = append(d.digits, c-'0')
			}
		default:
			break scan
		}
	}
	exponent, ok := parseExponent(text[i:])
	if !seen || !ok {
		return d, ErrNumeric
	}
	d.scale = max(0, fraction-exponent)
	// The last digit read stands at 10^(exponent-fraction).
	d.first = exponent - fraction + len(d.digits) - 1
	for n := len(d.digits); n > 0 && d.digits[n-1] == 0; n-- {
		d.digits = d.digits[:n-1]
	}
	if d.scale > MaxNumericDigits || (len(d.digits) > 0 && d.first >= MaxNumericDigits) {
		return d, ErrNumeric
	}
	return d, nil
}

// parseExponent parses what follows the digits: nothing, or "e", an optional
// sign and digits.
func parseExponent(text []byte) (int, bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}
	text = text[1:]
	negative := false
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		negative = text[0] == '-'
		text = text[1:]
	}
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = 10*n + int(c-'0'); n > maxExponent {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, len(text) > 0
}
