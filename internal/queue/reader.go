package queue

import (
	"context"
	"errors"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// Source is what snapshots are read from; *registry.Registry implements it. Its reads
// are strongly consistent.
type Source interface {
	// Queue returns the dates that are not finished, in their order.
	Queue(ctx context.Context) ([]registry.Entry, error)
	// Published returns the dates that succeeded.
	Published(ctx context.Context) ([]registry.Published, error)
	// Import returns an import; it fails with registry.ErrNotFound if there is none.
	Import(ctx context.Context, importID string) (registry.Import, error)
	// Arrivals returns the files of a date, by resource.
	Arrivals(ctx context.Context, mode etl.Mode, date string) (map[string]registry.Arrival, error)
}

// Reader reads as much of the queue as a decision needs. Its errors are those of
// its Source.
type Reader struct {
	Source  Source
	Missing func(there map[string]registry.Arrival) []string // missing file types
}

// Snapshot reads the dates. [Reader.Decide] and [Reader.Judge] read imports and files
// as they need them.
func (r Reader) Snapshot(ctx context.Context) (Snapshot, error) {
	s := Snapshot{Imports: map[string]registry.Import{}, Files: map[string]Files{}}
	var err error
	if s.Dates, err = r.Source.Queue(ctx); err != nil {
		return s, err
	}
	s.Published, err = r.Source.Published(ctx)
	return s, err
}

// Decide is [Decide], after reading into s whatever the decision needs.
func (r Reader) Decide(ctx context.Context, s Snapshot) (Verdict, error) {
	return r.reading(ctx, s, func() Verdict { return Decide(s) })
}

// Judge is [Judge], after reading into s whatever the verdict needs.
func (r Reader) Judge(ctx context.Context, s Snapshot, e registry.Entry) (Verdict, error) {
	return r.reading(ctx, s, func() Verdict { return Judge(s, e) })
}

// reading repeats a decision until it needs nothing more.
func (r Reader) reading(ctx context.Context, s Snapshot, decide func() Verdict) (Verdict, error) {
	for {
		v := decide()
		var err error
		switch v.Action {
		case ReadImport:
			err = r.readImport(ctx, s, v.Date.ImportID)
		case ReadFiles:
			err = r.readFiles(ctx, s, v.Date)
		default:
			return v, nil
		}
		if err != nil {
			return Verdict{}, err
		}
	}
}

func (r Reader) readImport(ctx context.Context, s Snapshot, importID string) error {
	imp, err := r.Source.Import(ctx, importID)
	if errors.Is(err, registry.ErrNotFound) {
		imp, err = registry.Import{}, nil // the sweep reports it, and the dates after it proceed
	}
	s.Imports[importID] = imp
	return err
}

func (r Reader) readFiles(ctx context.Context, s Snapshot, e registry.Entry) error {
	there, err := r.Source.Arrivals(ctx, e.Mode, e.FileDate)
	s.Files[e.Order()] = Files{There: there, Missing: r.Missing(there)}
	return err
}
