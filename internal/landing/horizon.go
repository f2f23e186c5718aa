package landing

import (
	"time"
)

// Horizon limits the dates of files. One far in the future would make every day until
// then older than what is published.
type Horizon struct {
	Now  func() time.Time
	Zone *time.Location // in which a day begins; nil: UTC
	Days int            // after today that a date may lie
}

// Latest returns the latest date that is accepted now, YYYY-MM-DD.
func (h Horizon) Latest() string {
	zone := h.Zone
	if zone == nil {
		zone = time.UTC
	}
	year, month, day := h.Now().In(zone).Date()
	return time.Date(year, month, day+h.Days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// Check fails with *NameError if a date (YYYY-MM-DD) is beyond the horizon. The object
// is examined again when its date has come into range.
func (h Horizon) Check(date string) error {
	if date <= h.Latest() {
		return nil
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return &NameError{Reason: BadDate}
	}
	return &NameError{Reason: BadFuture(day.AddDate(0, 0, -h.Days).Format(time.DateOnly))}
}
