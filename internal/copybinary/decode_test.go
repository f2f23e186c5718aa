package copybinary

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// The decoders of this file are the counterparts of the Writer's methods that the
// product does not need. Tests read with them what the Writer, or PostgreSQL, wrote.

// decodeBool decodes a boolean.
func decodeBool(value []byte) (bool, error) {
	if len(value) != 1 {
		return false, badValue("boolean", len(value))
	}
	return value[0] != 0, nil
}

// decodeInt4 decodes an integer.
func decodeInt4(value []byte) (int32, error) {
	if len(value) != 4 {
		return 0, badValue("integer", len(value))
	}
	return int32(binary.BigEndian.Uint32(value)), nil //nolint:gosec // two's complement
}

// decodeDate decodes a date as its midnight in UTC. The infinite dates are a
// *FormatError.
func decodeDate(value []byte) (time.Time, error) {
	days, err := decodeInt4(value)
	if err != nil || days == math.MinInt32 || days == math.MaxInt32 {
		return time.Time{}, badValue("date", len(value))
	}
	return time.Unix((int64(days)+unixToPostgresDays)*24*3600, 0).UTC(), nil
}

// decodeTimestamptz decodes an instant, in UTC. The infinite instants are a
// *FormatError.
func decodeTimestamptz(value []byte) (time.Time, error) {
	micros, err := DecodeInt8(value)
	if err != nil || micros == math.MinInt64 || micros == math.MaxInt64 {
		return time.Time{}, badValue("timestamp", len(value))
	}
	return time.UnixMicro(micros).Add(unixToPostgresSeconds * time.Second).UTC(), nil
}

// appendNumeric appends the decimal text of a numeric in its binary form to
// dst, written as PostgreSQL writes it. It fails with a *FormatError for bytes
// that are no numeric, and for NaN and the infinities.
func appendNumeric(dst, value []byte) ([]byte, error) {
	if len(value) < 8 {
		return dst, badValue("numeric", len(value))
	}
	groups := int(binary.BigEndian.Uint16(value))
	weight := int(int16(binary.BigEndian.Uint16(value[2:]))) //nolint:gosec // two's complement
	sign, scale := binary.BigEndian.Uint16(value[4:]), int(binary.BigEndian.Uint16(value[6:]))
	if len(value) != 8+2*groups || (sign != numericPositive && sign != numericNegative) ||
		weight > MaxNumericDigits/4 || weight < -MaxNumericDigits/4-1 || scale > MaxNumericDigits {
		return dst, badValue("numeric", len(value))
	}
	group := func(weightOf int) uint64 { // the group of base 10,000 at a power of it
		if i := weight - weightOf; i >= 0 && i < groups {
			return uint64(binary.BigEndian.Uint16(value[8+2*i:]))
		}
		return 0
	}
	for i := range groups {
		if group(weight-i) > 9999 {
			return dst, badValue("numeric", len(value))
		}
	}
	if sign == numericNegative {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, group(max(weight, 0)), 10)
	for w := max(weight, 0) - 1; w >= 0; w-- {
		dst = appendGroup(dst, group(w), 4)
	}
	if scale == 0 {
		return dst, nil
	}
	dst = append(dst, '.')
	for w := -1; scale > 0; w-- {
		dst = appendGroup(dst, group(w), min(scale, 4))
		scale -= 4
	}
	return dst, nil
}

// appendGroup appends the first n of a group's four digits.
func appendGroup(dst []byte, group uint64, n int) []byte {
	const digits = "0123456789"
	four := [4]byte{digits[group/1000], digits[group/100%10], digits[group/10%10], digits[group%10]}
	return append(dst, four[:n]...)
}
