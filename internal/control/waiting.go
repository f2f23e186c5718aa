package control

import (
	"context"
	"fmt"
	"strings"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// tellWaiting logs the missing files of dates whose deadline has passed but whose
// import cannot start yet, and sends an alert. Otherwise nobody would hear of them
// before their turn.
func (s *Sweeper) tellWaiting(ctx context.Context, dates []day) error {
	for _, d := range dates {
		_, allotted, err := s.config.Registry.ImportOf(ctx, d.mode, d.date)
		if err != nil || allotted {
			if err != nil {
				return err
			}
			continue
		}
		// A notification may be late, and an alert cannot be taken back.
		if _, err := s.config.Landing.Look(ctx, d.mode, d.date, d.date); err != nil {
			return err
		}
		arrivals, err := s.config.Registry.Arrivals(ctx, d.mode, d.date)
		if err != nil {
			return err
		}
		missing := s.config.Names.Missing(arrivals)
		if len(missing) == 0 {
			continue
		}
		holder, err := s.config.Registry.Slot(ctx)
		if err != nil {
			return err
		}
		s.config.Log.ErrorContext(ctx, logMissingFiles, centrallog.Step(etl.StepLoading),
			centrallog.Details(d.date+" : "+strings.Join(missing, ", ")))
		if err := s.config.Alerts.Alert(ctx, alert.Deadline(d.date, missing, holder)); err != nil {
			return fmt.Errorf("control: alert the deadline of %s: %w", d.date, err)
		}
	}
	return nil
}

const (
	// incompleteAfter is how long the files of a date older than the published data
	// may take to arrive before the date counts as incomplete.
	incompleteAfter = 15 * time.Minute
	// incompleteDates is how many such dates one sweep reports.
	incompleteDates = 20
)

// tellIncomplete sends one alert about all dates that lack files although a later
// date is published; each date is reported once. They have no deadline and hold up
// no other date.
func (s *Sweeper) tellIncomplete(ctx context.Context) error {
	published, err := s.config.Registry.Published(ctx)
	if err != nil {
		return err
	}
	dates, err := s.config.Registry.Queue(ctx)
	if err != nil {
		return err
	}
	var texts []string
	var told []registry.Entry
	for _, e := range dates {
		if e.Mode != etl.ModeDaily || e.ImportID != "" || e.Told || e.FileDate >= queue.Last(published) || s.config.Now().Sub(e.Since) < incompleteAfter {
			continue
		}
		arrivals, err := s.config.Registry.Arrivals(ctx, e.Mode, e.FileDate)
		if err != nil {
			return err
		}
		if missing := s.config.Names.Missing(arrivals); len(missing) > 0 && len(arrivals) > 0 {
			texts = append(texts, dateMisses(e.FileDate, missing))
			told = append(told, e)
		}
		if len(told) == incompleteDates {
			break
		}
	}
	if len(told) == 0 {
		return nil
	}
	for _, text := range texts {
		s.config.Log.WarnContext(ctx, logIncomplete, centrallog.Step(etl.StepLoading), centrallog.Details(text))
	}
	if err := s.config.Alerts.Alert(ctx, alert.Incomplete(texts)); err != nil {
		return fmt.Errorf("control: alert incomplete dates: %w", err)
	}
	for _, e := range told {
		if err := s.config.Registry.MarkTold(ctx, e.Mode, e.FileDate); err != nil {
			return err
		}
	}
	return nil
}
