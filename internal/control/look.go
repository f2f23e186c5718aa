package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// horizon returns the bounds of the dates that files may have.
func (c *Control) horizon() landing.Horizon {
	return landing.Horizon{Now: c.Now, Zone: c.Zone, Days: c.MaxFutureDays}
}

// dayAfter returns the day after a date, or "" if there is no date.
func dayAfter(date string) string {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return ""
	}
	return day.AddDate(0, 0, 1).Format(time.DateOnly)
}

// lookFor looks in the landing bucket for the files of a date that is about to
// start, and of the dates that would go before it. last is the latest published date.
func (c *Control) lookFor(ctx context.Context, e registry.Entry, last string) error {
	first := dayAfter(last)
	if first > e.FileDate { // a late date: it holds up no other
		first = e.FileDate
	}
	_, err := c.Landing.Look(ctx, e.Mode, first, e.FileDate)
	return err
}

// lookAhead looks in the landing bucket for the files of all dates still to come:
// daily ones after the latest published date and, before anything is published,
// initial ones.
func (c *Control) lookAhead(ctx context.Context) (changed int, err error) {
	published, err := c.Registry.Published(ctx)
	if err != nil {
		return 0, err
	}
	latest := c.horizon().Latest()
	changed, err = c.Landing.Look(ctx, etl.ModeDaily, dayAfter(queue.Last(published)), latest)
	if len(published) > 0 {
		return changed, err
	}
	n, initialErr := c.Landing.Look(ctx, etl.ModeInitial, "", latest)
	return changed + n, errors.Join(err, initialErr)
}

// initialDeadline marks and returns the initial imports whose first file came at
// least InitialDeadline ago and which still lack others.
func (c *Control) initialDeadline(ctx context.Context) ([]day, error) {
	if c.InitialDeadline == 0 {
		return nil, nil
	}
	published, err := c.Registry.Published(ctx)
	if err != nil || len(published) > 0 {
		return nil, err
	}
	dates, err := c.Registry.Queue(ctx)
	if err != nil {
		return nil, err
	}
	var marked []day
	for _, e := range dates {
		if e.Mode != etl.ModeInitial {
			break // initial entries come first
		}
		if e.ImportID != "" || e.Due || c.Now().Sub(e.Since) < c.InitialDeadline {
			continue
		}
		late, err := c.Registry.MarkLate(ctx, e.Mode, e.FileDate)
		if err != nil {
			return marked, err
		}
		if late {
			marked = append(marked, day{e.Mode, e.FileDate})
		}
		if len(marked) == incompleteDates {
			break
		}
	}
	return marked, nil
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
func (c *Control) tellIncomplete(ctx context.Context) error {
	published, err := c.Registry.Published(ctx)
	if err != nil {
		return err
	}
	dates, err := c.Registry.Queue(ctx)
	if err != nil {
		return err
	}
	var texts []string
	var told []registry.Entry
	for _, e := range dates {
		if e.Mode != etl.ModeDaily || e.ImportID != "" || e.Told || e.FileDate >= queue.Last(published) || c.Now().Sub(e.Since) < incompleteAfter {
			continue
		}
		arrivals, err := c.Registry.Arrivals(ctx, e.Mode, e.FileDate)
		if err != nil {
			return err
		}
		if missing := c.Names.Missing(arrivals); len(missing) > 0 && len(arrivals) > 0 {
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
		c.Log.WarnContext(ctx, logIncomplete, centrallog.Step(etl.StepLoading), centrallog.Details(text))
	}
	if err := c.Alerts.Alert(ctx, alert.Incomplete(texts)); err != nil {
		return fmt.Errorf("control: alert incomplete dates: %w", err)
	}
	for _, e := range told {
		if err := c.Registry.MarkTold(ctx, e.Mode, e.FileDate); err != nil {
			return err
		}
	}
	return nil
}
