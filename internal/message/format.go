package message

import (
	"fmt"
	"strings"
	"time"
)

// Count formats a number with a no-break space every three digits.
func Count(n int64) string {
	digits := fmt.Sprint(n)
	var grouped strings.Builder
	for i, digit := range digits {
		if i > 0 && digits[i-1] != '-' && (len(digits)-i)%3 == 0 {
			grouped.WriteRune('\u00a0')
		}
		grouped.WriteRune(digit)
	}
	return grouped.String()
}

// Seconds formats a duration for people: 0,4 s; 12 s; 3 min 05 s; 2 h 07 min.
func Seconds(s float64) string {
	d := time.Duration(s * float64(time.Second)).Round(time.Second)
	switch {
	case s < 9.95:
		return decimal(s) + " s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

// Bytes formats a size in powers of a thousand: 512 o, 1,4 Mo.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d o", n)
	}
	size, unit := float64(n), 0
	for size >= 999.95 && unit < 4 {
		size, unit = size/1000, unit+1
	}
	return decimal(size) + " " + [...]string{"o", "ko", "Mo", "Go", "To"}[unit]
}

// decimal formats a number with one digit after a decimal comma.
func decimal(n float64) string { return strings.Replace(fmt.Sprintf("%.1f", n), ".", ",", 1) }

// Share formats a part of a whole for people: 0 %; < 0,1 %; 31,2 %; 100 %. It is
// truncated, not rounded, so that only the whole is 100 %.
func Share(part, whole int64) string {
	const thousandths = 1000
	switch {
	case part == 0 || whole == 0:
		return "0\u00a0%"
	case part*thousandths < whole:
		return "<\u00a00,1\u00a0%"
	default:
		return Percent(part * thousandths / whole * thousandths)
	}
}

// Percent formats millionths as a percentage.
func Percent(millionths int64) string {
	text := fmt.Sprintf("%d,%04d", millionths/10_000, millionths%10_000)
	return strings.TrimRight(strings.TrimRight(text, "0"), ",") + "\u00a0%"
}
