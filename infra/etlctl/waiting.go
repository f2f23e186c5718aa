package main

import (
	"cmp"
	"context"
	"slices"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// imports reads what is known of imports; *registry.Registry implements it. Reads are
// strongly consistent.
type imports interface {
	Import(ctx context.Context, importID string) (registry.Import, error)
	ImportOf(ctx context.Context, mode etl.Mode, date string) (importID string, found bool, err error)
	Status(ctx context.Context, importID string) (registry.Status, error)
}

// dates reads what is known of dates that have no import yet; *registry.Registry
// implements it. Reads are strongly consistent.
type dates interface {
	queue.Source
	Slot(ctx context.Context) (importID string, err error)
}

// wait is why a date without an import has to wait.
type wait struct {
	Reason  string
	Missing []string // missing file types of this date
	// Person means that nothing will happen until somebody acts.
	Person bool
	// Sure means that Person will not change in a moment: no function that is still at
	// work can change it.
	Sure bool
}

// waiting finds out why dates wait, from the decisions of package queue.
type waiting struct {
	imports   imports
	dates     dates
	names     *landing.Names
	noHistory bool // the stack's parameter NoHistory
}

func (w waiting) reader() queue.Reader {
	return queue.Reader{Source: w.dates, Missing: w.names.Missing}
}

// why returns what the import of a date is waiting for.
func (w waiting) why(ctx context.Context, mode etl.Mode, date string) (wait, error) {
	s, err := w.reader().Snapshot(ctx)
	if err != nil {
		return wait{}, err
	}
	s.NoHistory = w.noHistory
	if s.Slot, err = w.dates.Slot(ctx); err != nil {
		return wait{}, err
	}
	missing, err := w.missing(ctx, mode, date)
	if err != nil {
		return wait{}, err
	}
	e := place(&s, mode, date)
	own, err := w.reader().Judge(ctx, s, e)
	if err != nil {
		return wait{}, err
	}
	switch {
	case own.Reason == queue.TooLate:
		return wait{Reason: textInitialTooLate, Missing: missing, Person: true, Sure: true}, nil
	case len(missing) > 0 && (!e.Due || own.Action == queue.Leave):
		return wait{Reason: textWaitsForFiles(missing), Missing: missing, Person: true, Sure: true}, nil
	}
	blocked, err := w.blocked(ctx, s, e)
	blocked.Missing = missing
	return blocked, err
}

// place cuts the queue after a date. It inserts the date if necessary: its files may be
// there before their notifications.
func place(s *queue.Snapshot, mode etl.Mode, date string) registry.Entry {
	e := registry.Entry{Mode: mode, FileDate: date}
	n, found := slices.BinarySearchFunc(s.Dates, e, func(a, b registry.Entry) int { return cmp.Compare(a.Order(), b.Order()) })
	if found {
		e = s.Dates[n]
	}
	s.Dates = append(slices.Clip(s.Dates[:n]), e)
	return e
}

func (w waiting) missing(ctx context.Context, mode etl.Mode, date string) ([]string, error) {
	arrivals, err := w.dates.Arrivals(ctx, mode, date)
	if err != nil {
		return nil, err
	}
	return w.names.Missing(arrivals), nil
}

// blocked returns which other import or date keeps the last date of s from starting.
func (w waiting) blocked(ctx context.Context, s queue.Snapshot, e registry.Entry) (wait, error) {
	v, err := w.reader().Decide(ctx, s)
	for err == nil && v.Action == queue.Leave {
		s = s.Without(v.Date)
		v, err = w.reader().Decide(ctx, s)
	}
	switch {
	case err != nil:
		return wait{}, err
	case v.Reason == queue.Taken:
		return w.behind(ctx, s.Slot)
	case v.Action == queue.StartOver:
		return wait{Reason: textWaitsForRunning(v.Import.ImportID, v.Import.Mode, v.Import.FileDate)}, nil
	case v.Reason == queue.Open:
		return w.behind(ctx, v.Import.ImportID)
	case v.Reason == queue.NoInitial && s.Slot != "":
		return w.behind(ctx, s.Slot)
	case v.Reason == queue.NoInitial:
		return wait{Reason: textWaitsForInitial, Person: true}, nil
	case v.Reason == queue.MissingFiles && v.Date.Order() != e.Order():
		return wait{Reason: textWaitsForDate(v.Date.FileDate, v.Missing), Person: true}, nil
	default:
		return wait{Reason: textWaitsForNothing}, nil
	}
}

// behind returns why a date waits for an import that goes before it.
func (w waiting) behind(ctx context.Context, importID string) (wait, error) {
	imp, err := w.imports.Import(ctx, importID)
	if err != nil {
		return wait{}, err
	}
	if imp.Status == etl.StatusFailed {
		return wait{Reason: textWaitsForFailed(imp.ImportID, imp.Mode, imp.FileDate, imp.Status), Person: true}, nil
	}
	return wait{Reason: textWaitsForRunning(imp.ImportID, imp.Mode, imp.FileDate)}, nil
}
