package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// horizon bounds the dates of files.
func (c *Control) horizon() landing.Horizon {
	return landing.Horizon{Now: c.Now, Zone: c.Zone, Days: c.MaxFutureDays}
}

// dayAfter is the day after a date; empty for none.
func dayAfter(date string) string {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return ""
	}
	return day.AddDate(0, 0, 1).Format(time.DateOnly)
}

// lookFor asks the landing bucket for the files of a date that is about to start,
// and of those that would go before it. last is the latest date that is published.
func (c *Control) lookFor(ctx context.Context, e registry.Entry, last string) error {
	first := dayAfter(last)
	if first > e.FileDate { // it is made up for, and holds up nobody
		first = e.FileDate
	}
	_, err := c.Landing.Look(ctx, e.Mode, first, e.FileDate)
	return err
}

// lookAhead asks the landing bucket for the files of all dates that are to come:
// the daily ones after the last that is published, and the initial ones before
// anything is.
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

// initialDeadline marks initial imports whose first file came InitialDeadline ago
// and which still miss others, and returns those it marked.
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
			break // the initial ones come first
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
	// incompleteAfter is how long the files of a date that is older than the data
	// may take to come before it is called incomplete.
	incompleteAfter = 15 * time.Minute
	// incompleteDates is how many such dates one sweep tells.
	incompleteDates = 20
)

// tellIncomplete alerts the dates that miss files although a later one is
// published, once each, all in one message. No deadline asks for them, and they
// hold up nobody.
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
			texts = append(texts, message.DateMisses(e.FileDate, missing))
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
		c.Log.WarnContext(ctx, message.LogIncomplete, centrallog.Step(etl.StepLoading), centrallog.Details(text))
	}
	if err := c.Alerts.Alert(ctx, message.AlertIncomplete(texts)); err != nil {
		return fmt.Errorf("control: alert incomplete dates: %w", err)
	}
	for _, e := range told {
		if err := c.Registry.MarkTold(ctx, e.Mode, e.FileDate); err != nil {
			return err
		}
	}
	return nil
}
