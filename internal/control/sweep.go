package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// SweepEvent is the input of the sweep's schedules.
type SweepEvent struct {
	Deadline bool      `json:"deadline,omitempty"` // the deadline of a date has passed
	Time     time.Time `json:"time,omitzero"`      // scheduled time; zero: now
}

// Swept is what a sweep found.
type Swept struct {
	Arrivals int    `json:"arrivals"`      // differences between the bucket and the registry
	Open     int    `json:"open"`          // imports that were checked
	Due      string `json:"due,omitempty"` // the file date whose deadline passed
}

// Sweep makes up for every lost notification and every interrupted call. What must
// not be late comes first: deadlines, open imports, imports that may start, ends
// that could not be reported before. If event.Deadline is set it marks the date that
// is due, so that its import starts even if files are missing and fails with their
// names. The landing bucket comes last, in bounded time whatever it holds. A failure
// with one import, or in one of these duties, does not stop the others; the errors
// are joined.
func (c *Control) Sweep(ctx context.Context, event SweepEvent) (Swept, error) {
	var swept Swept
	if c.Landing == nil || c.Zone == nil {
		return swept, errors.New("control: the sweep needs the landing bucket and a time zone")
	}
	due, dueErr := c.deadline(ctx, event, &swept)
	initial, initialErr := c.initialDeadline(ctx)
	ended, followErr := c.followAll(ctx, &swept)
	return swept, errors.Join(dueErr, initialErr, followErr,
		c.freeSlot(ctx),
		c.Advance(ctx, etl.TriggerAutomatic),
		c.tellAll(ctx, ended),
		c.tellWaiting(ctx, append(initial, due...)),
		c.tellIncomplete(ctx),
		c.lookAround(ctx, &swept))
}

// followAll compares every open import with its execution, and returns those whose
// end is to be reported.
func (c *Control) followAll(ctx context.Context, swept *Swept) ([]registry.Import, error) {
	dates, err := c.Registry.Queue(ctx)
	if err != nil {
		return nil, err
	}
	var trouble []error
	var ended []registry.Import
	for _, e := range dates {
		if e.ImportID == "" {
			continue
		}
		swept.Open++
		imp, end, err := c.lookAt(ctx, e.ImportID)
		trouble = append(trouble, err)
		if end {
			ended = append(ended, imp)
		}
	}
	return ended, errors.Join(trouble...)
}

// lookAround records files whose notification was lost, and then starts whatever
// may start.
func (c *Control) lookAround(ctx context.Context, swept *Swept) error {
	ahead, aheadErr := c.lookAhead(ctx)
	walked, walkErr := c.Landing.Walk(ctx)
	var err error
	if swept.Arrivals = ahead + walked; swept.Arrivals > 0 {
		err = c.Advance(ctx, etl.TriggerAutomatic)
	}
	return errors.Join(aheadErr, walkErr, err)
}

// lookLimit bounds the time that a sweep spends on one import, so that a slow one
// leaves time for the others.
const lookLimit = 20 * time.Second

// lookAt follows an import and finishes what was begun with it and interrupted.
// ended reports whether its end is to be reported.
func (c *Control) lookAt(ctx context.Context, importID string) (imp registry.Import, ended bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	if imp, err = c.Registry.Import(ctx, importID); err != nil {
		return imp, false, err
	}
	if imp, ended, err = c.follow(ctx, imp); err != nil {
		return imp, ended, err
	}
	c.copyState(ctx, imp)
	return imp, ended, errors.Join(c.overdue(ctx, imp), c.unfinished(ctx, imp))
}

// tellLimits bounds the time that a sweep spends on reporting ends. The next sweep
// reports the rest.
const tellLimits = 90 * time.Second

// tellAll reports the ends of imports.
func (c *Control) tellAll(ctx context.Context, ended []registry.Import) error {
	ctx, cancel := context.WithTimeout(ctx, tellLimits)
	defer cancel()
	trouble := make([]error, 0, len(ended))
	for _, imp := range ended {
		trouble = append(trouble, c.tell(ctx, imp))
	}
	return errors.Join(trouble...)
}

// freeSlot releases the slot if its holder is finished or unknown to the registry.
// That happens when the withdrawal of a claim failed and its import was no longer in
// the queue.
func (c *Control) freeSlot(ctx context.Context) error {
	holder, err := c.Registry.Slot(ctx)
	if err != nil || holder == "" {
		return err
	}
	freed, err := c.Registry.FreeSlot(ctx, holder)
	if freed {
		c.Log.WarnContext(ctx, LogSlotFreed, centrallog.ImportID(holder), centrallog.Step(etl.StepRerun))
	}
	return err
}

// due returns the file date whose deadline is at a time. It counts calendar days:
// a day in the zone may have 23 or 25 hours, and a local time may not exist.
func (c *Control) due(at time.Time) string {
	year, month, day := at.In(c.Zone).Date()
	return time.Date(year, month, day-c.DaysBack, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// deadline marks the dates that are due if the event is a deadline, and returns them.
func (c *Control) deadline(ctx context.Context, event SweepEvent, swept *Swept) ([]day, error) {
	if !event.Deadline {
		return nil, nil
	}
	at := event.Time
	if at.IsZero() {
		at = c.Now()
	}
	swept.Due = c.due(at)
	return c.markDue(ctx, swept.Due)
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
func (c *Control) markDue(ctx context.Context, date string) ([]day, error) {
	published, err := c.Registry.Published(ctx)
	if err != nil || (len(published) == 0 && !c.NoHistory) {
		return nil, err
	}
	covered := ""
	for _, p := range published {
		if p.Mode == etl.ModeInitial {
			covered = max(covered, p.FileDate)
		}
	}
	dates, err := c.Registry.Queue(ctx)
	if err != nil {
		return nil, err
	}
	var marked []day
	for _, e := range dates {
		switch {
		case e.Mode == etl.ModeInitial && len(published) > 0 && e.ImportID == "":
			c.Log.WarnContext(ctx, logSecondInitial, centrallog.Details(e.FileDate), centrallog.Step(etl.StepLoading))
		case e.Mode == etl.ModeDaily && e.ImportID == "" && e.FileDate < date && e.FileDate > queue.Last(published):
			late, err := c.Registry.MarkLate(ctx, e.Mode, e.FileDate)
			if err != nil {
				return marked, err
			}
			if late {
				marked = append(marked, day{e.Mode, e.FileDate})
			}
		}
		if len(marked) == lateDates {
			break
		}
	}
	if date <= covered {
		return marked, nil
	}
	due, err := c.Registry.MarkDue(ctx, etl.ModeDaily, date)
	if err == nil && due {
		marked = append(marked, day{etl.ModeDaily, date})
	}
	return marked, err
}

// tellWaiting logs the missing files of dates whose deadline has passed but whose
// import cannot start yet, and sends an alert. Otherwise nobody would hear of them
// before their turn.
func (c *Control) tellWaiting(ctx context.Context, dates []day) error {
	for _, d := range dates {
		_, allotted, err := c.Registry.ImportOf(ctx, d.mode, d.date)
		if err != nil || allotted {
			if err != nil {
				return err
			}
			continue
		}
		// A notification may be late, and an alert cannot be taken back.
		if _, err := c.Landing.Look(ctx, d.mode, d.date, d.date); err != nil {
			return err
		}
		arrivals, err := c.Registry.Arrivals(ctx, d.mode, d.date)
		if err != nil {
			return err
		}
		missing := c.Names.Missing(arrivals)
		if len(missing) == 0 {
			continue
		}
		holder, err := c.Registry.Slot(ctx)
		if err != nil {
			return err
		}
		c.Log.ErrorContext(ctx, logMissingFiles, centrallog.Step(etl.StepLoading),
			centrallog.Details(d.date+" : "+strings.Join(missing, ", ")))
		if err := c.Alerts.Alert(ctx, alert.Deadline(d.date, missing, holder)); err != nil {
			return fmt.Errorf("control: alert the deadline of %s: %w", d.date, err)
		}
	}
	return nil
}
