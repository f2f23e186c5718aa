package copybinary

import (
	"testing"
	"time"
)

// TestCivilDays: the days are those between two midnights in UTC of the calendar
// dates, whatever the time of the day and the zone.
func TestCivilDays(t *testing.T) {
	zones := []*time.Location{
		time.UTC, time.FixedZone("", 14*3600), time.FixedZone("", -12*3600), time.FixedZone("", 5*3600+1800),
	}
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, zone := range zones {
		for _, year := range []int{-4712, -1, 0, 1, 1600, 1900, 1969, 1970, 1999, 2000, 2024, 9999, 200_000} {
			for day := range 370 {
				for _, at := range []time.Duration{0, time.Second, 12 * time.Hour, 24*time.Hour - 1} {
					value := time.Date(year, 1, 1+day, 0, 0, 0, 0, zone).Add(at)
					y, month, d := value.Date()
					want := (time.Date(y, month, d, 0, 0, 0, 0, time.UTC).Unix() - epoch.Unix()) / (24 * 3600)
					if got := civilDays(value); got != want {
						t.Fatalf("%s: %d days, want %d", value, got, want)
					}
				}
			}
		}
	}
}
