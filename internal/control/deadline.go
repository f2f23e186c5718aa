package control

import (
	"context"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// due returns the file date whose deadline is at a time. It counts calendar days:
// a day in the zone may have 23 or 25 hours, and a local time may not exist.
func (s *Sweeper) due(at time.Time) string {
	year, month, day := at.In(s.config.Zone).Date()
	return time.Date(year, month, day-s.config.DaysBack, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// deadline marks the dates that are due if the event is a deadline, and returns them.
func (s *Sweeper) deadline(ctx context.Context, event SweepEvent, swept *Swept) ([]day, error) {
	if !event.Deadline {
		return nil, nil
	}
	at := event.Time
	if at.IsZero() {
		at = s.config.Now()
	}
	swept.Due = s.due(at)
	return s.markDue(ctx, swept.Due)
}

// lateDates is how many earlier dates one deadline marks: a month of them, and no
// more than it has time to report.
const lateDates = 31

// day is a file date in one mode.
type day struct {
	mode etl.Mode
	date string
}

// markDue marks the date that is due, and every earlier date that still lacks files
// and holds up others, and returns them. Nothing is due before the initial import
// has succeeded (unless NoHistory), and no date that the history covers is ever due.
func (s *Sweeper) markDue(ctx context.Context, date string) ([]day, error) {
	published, err := s.config.Registry.Published(ctx)
	if err != nil || (len(published) == 0 && !s.config.NoHistory) {
		return nil, err
	}
	covered := ""
	for _, p := range published {
		if p.Mode == etl.ModeInitial {
			covered = max(covered, p.FileDate)
		}
	}
	dates, err := s.config.Registry.Queue(ctx)
	if err != nil {
		return nil, err
	}
	var late []registry.Entry
	for _, e := range dates {
		switch {
		case e.Mode == etl.ModeInitial && len(published) > 0 && e.ImportID == "":
			s.config.Log.WarnContext(ctx, logSecondInitial, centrallog.Details(e.FileDate), centrallog.Step(etl.StepLoading))
		case e.Mode == etl.ModeDaily && e.ImportID == "" && e.FileDate < date && e.FileDate > queue.Last(published):
			late = append(late, e)
		}
	}
	marked, err := s.markLate(ctx, late, lateDates)
	if err != nil {
		return marked, err
	}
	if date <= covered {
		return marked, nil
	}
	due, err := s.config.Registry.MarkDue(ctx, etl.ModeDaily, date)
	if err == nil && due {
		marked = append(marked, day{etl.ModeDaily, date})
	}
	return marked, err
}

// initialDeadline marks and returns the initial imports whose first file came at
// least InitialDeadline ago and which still lack others.
func (s *Sweeper) initialDeadline(ctx context.Context) ([]day, error) {
	if s.config.InitialDeadline == 0 {
		return nil, nil
	}
	published, err := s.config.Registry.Published(ctx)
	if err != nil || len(published) > 0 {
		return nil, err
	}
	dates, err := s.config.Registry.Queue(ctx)
	if err != nil {
		return nil, err
	}
	var late []registry.Entry
	for _, e := range dates {
		if e.Mode == etl.ModeInitial && e.ImportID == "" && !e.Due && s.config.Now().Sub(e.Since) >= s.config.InitialDeadline {
			late = append(late, e)
		}
	}
	return s.markLate(ctx, late, incompleteDates)
}

// markLate marks dates as late, in their order, until it has marked most of them, and
// returns those that it marked.
func (s *Sweeper) markLate(ctx context.Context, dates []registry.Entry, most int) ([]day, error) {
	var marked []day
	for _, e := range dates {
		late, err := s.config.Registry.MarkLate(ctx, e.Mode, e.FileDate)
		if err != nil {
			return marked, err
		}
		if late {
			marked = append(marked, day{e.Mode, e.FileDate})
		}
		if len(marked) == most {
			break
		}
	}
	return marked, nil
}
