package main

import (
	"context"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// imports reads what is known of imports; *registry.Registry is one. Reads are
// strongly consistent.
type imports interface {
	Import(ctx context.Context, importID string) (registry.Import, error)
	ImportOf(ctx context.Context, mode, date string) (importID string, found bool, err error)
	Status(ctx context.Context, importID string) (registry.Status, error)
}

// dates reads what is known of dates that have no import yet; *registry.Registry
// is one. Reads are strongly consistent.
type dates interface {
	Queue(ctx context.Context) ([]registry.Entry, error)
	Published(ctx context.Context) ([]registry.Published, error)
	Slot(ctx context.Context) (importID string, err error)
	Arrivals(ctx context.Context, mode, date string) (map[string]registry.Arrival, error)
}

// wait is why a date without an import has to wait.
type wait struct {
	Reason  string
	Missing []string // file types of this date that are not there
	// Person tells that nothing will move before somebody acts.
	Person bool
	// Sure tells that Person cannot be a matter of a moment: no function that is
	// still at work may change it.
	Sure bool
}

// waiting tells why dates wait. The rules are those by which package control
// decides whose turn it is; here they only explain.
type waiting struct {
	imports imports
	dates   dates
	names   *landing.Names
}

// why tells what the import of a date waits for.
func (w waiting) why(ctx context.Context, mode, date string) (wait, error) {
	queue, err := w.dates.Queue(ctx)
	if err != nil {
		return wait{}, err
	}
	published, err := w.dates.Published(ctx)
	if err != nil {
		return wait{}, err
	}
	missing, err := w.missing(ctx, mode, date)
	if err != nil {
		return wait{}, err
	}
	if mode == registry.ModeInitial && len(published) > 0 {
		return wait{Reason: message.CtlInitialTooLate, Missing: missing, Person: true, Sure: true}, nil
	}
	var due bool
	for _, e := range queue {
		due = due || (e.Mode == mode && e.FileDate == date && e.Due)
	}
	if len(missing) > 0 && !due {
		return wait{Reason: message.CtlWaitsForFiles(missing), Missing: missing, Person: true, Sure: true}, nil
	}
	blocked, err := w.blocked(ctx, mode, date, queue, published)
	blocked.Missing = missing
	return blocked, err
}

func (w waiting) missing(ctx context.Context, mode, date string) ([]string, error) {
	arrivals, err := w.dates.Arrivals(ctx, mode, date)
	if err != nil {
		return nil, err
	}
	return w.names.Missing(arrivals), nil
}

// blocked tells which other import or date keeps a complete one from starting.
func (w waiting) blocked(ctx context.Context, mode, date string, queue []registry.Entry, published []registry.Published) (wait, error) {
	holder, err := w.dates.Slot(ctx)
	if err != nil {
		return wait{}, err
	}
	if holder != "" {
		return w.behind(ctx, holder)
	}
	if mode == registry.ModeInitial {
		return wait{Reason: message.CtlWaitsForNothing}, nil
	}
	if len(published) == 0 {
		return wait{Reason: message.CtlWaitsForInitial, Person: true}, nil
	}
	for _, e := range queue {
		if e.Mode != registry.ModeDaily || e.FileDate >= date || e.FileDate <= latest(published) {
			continue
		}
		missing, err := w.missing(ctx, e.Mode, e.FileDate)
		if err != nil {
			return wait{}, err
		}
		if len(missing) > 0 {
			return wait{Reason: message.CtlWaitsForDate(e.FileDate, missing), Person: true}, nil
		}
		break
	}
	return wait{Reason: message.CtlWaitsForNothing}, nil
}

// behind tells how it stands with the import that has the slot.
func (w waiting) behind(ctx context.Context, importID string) (wait, error) {
	imp, err := w.imports.Import(ctx, importID)
	if err != nil {
		return wait{}, err
	}
	if imp.Status == etl.StatusFailed {
		return wait{Reason: message.CtlWaitsForFailed(imp.ImportID, imp.Mode, imp.FileDate, imp.Status), Person: true}, nil
	}
	return wait{Reason: message.CtlWaitsForRunning(imp.ImportID, imp.Mode, imp.FileDate)}, nil
}

// latest is the latest file date that is published; empty for none.
func latest(published []registry.Published) string {
	last := ""
	for _, p := range published {
		last = max(last, p.FileDate)
	}
	return last
}
