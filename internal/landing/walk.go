package landing

import (
	"context"
	"errors"
	"strings"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry"
)

// Bounds of one walk.
const (
	// walkPages is how many pages of 1,000 keys one walk reads, so every walk covers a
	// bucket of 20,000 objects.
	walkPages = 20
	// walkTime ends a walk; the sweep's function has 240 s. Whatever is under way then
	// is a page: a listing, at most 20 reads of a hundred items, and its alert.
	walkTime = 60 * time.Second
	// walkDates is how many dates of the queue one walk asks about.
	walkDates = 10
	// toldNames is how many badly named objects an alert names; it counts the others.
	toldNames = 20
)

// UntoldError reports that the alert about badly named objects could not be sent. Other
// objects were recorded. The next walk that finds them tries again.
type UntoldError struct{ Err error }

// Error implements error.
func (e *UntoldError) Error() string { return "landing: tell badly named objects: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *UntoldError) Unwrap() error { return e.Err }

// refusals are badly named objects for which no alert was sent yet.
type refusals struct {
	tags  map[string]string // all, by key
	known map[string]registry.Refusal
	names []alert.RefusedName // the first of them
}

// Walk continues through the landing bucket where the last walk stopped, for a minute
// or 20,000 objects at most, and records what no notification announced. After the last
// object the next walk starts over. It also asks for the files of a few queued dates,
// in turn, because removals leave no object to find. One alert announces all badly
// named objects that had none yet. Walk starts nothing. changed is the number of
// differences found. It fails with *UntoldError if only that alert failed.
func (r *Recorder) Walk(ctx context.Context) (changed int, err error) {
	walk, err := r.config.Registry.Walk(ctx)
	if err != nil {
		return 0, err
	}
	until := r.config.Horizon.Now().Add(walkTime)
	bad := refusals{tags: map[string]string{}, known: map[string]registry.Refusal{}}
	changed, pagesErr := r.pages(ctx, &walk, until, &bad)
	n, datesErr := r.dates(ctx, &walk, until)
	untold := r.tell(ctx, bad)
	return changed + n, errors.Join(pagesErr, datesErr, r.config.Registry.SaveWalk(ctx, walk), untold)
}

// pages walks through the objects.
func (r *Recorder) pages(ctx context.Context, walk *registry.Walk, until time.Time, bad *refusals) (changed int, err error) {
	for range walkPages {
		if r.late(until) {
			return changed, nil
		}
		entries, more, err := r.config.Objects.List(ctx, "", walk.Object)
		if err != nil {
			return changed, err
		}
		var files []registry.Listed
		badNames := map[string]refused{}
		for _, e := range entries {
			if strings.HasSuffix(e.Key, "/") {
				continue
			}
			if file, err := r.parse(e.Key); err == nil {
				files = append(files, listed(e, file))
			} else {
				badNames[e.Key] = refused{tag: e.ETag, reason: err}
			}
		}
		if err := r.untold(ctx, entries, badNames, bad); err != nil {
			return changed, err
		}
		n, late, err := r.absorb(ctx, files, until)
		if changed += n; err != nil || late {
			return changed, err // the page is looked at again
		}
		if !more {
			walk.Object = ""
			return changed, nil
		}
		walk.Object = entries[len(entries)-1].Key
	}
	return changed, nil
}

// refused is a badly named object of a page.
type refused struct {
	tag    string
	reason error
}

// untold collects a page's badly named objects without an alert, and logs those that
// no notification announced.
func (r *Recorder) untold(ctx context.Context, entries []objectstore.Entry, names map[string]refused, bad *refusals) error {
	keys := make([]string, 0, len(names))
	for _, e := range entries { // in the order of the listing
		if _, ok := names[e.Key]; ok {
			keys = append(keys, e.Key)
		}
	}
	known, err := r.config.Registry.Refusals(ctx, keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		name := names[key]
		before, noted := known[key]
		noted = noted && before.Is(name.tag)
		if noted && before.Told {
			continue
		}
		if !noted {
			r.logRefused(ctx, key, name.reason)
		}
		bad.tags[key], bad.known[key] = name.tag, before
		if len(bad.names) < toldNames {
			bad.names = append(bad.names, alert.RefusedName{Key: key, Reason: name.reason.Error()})
		}
	}
	return nil
}

// tell sends one alert about all badly named objects of a walk, and then records that
// it did.
func (r *Recorder) tell(ctx context.Context, bad refusals) error {
	if len(bad.tags) == 0 {
		return nil
	}
	if err := r.config.Alerts.Alert(ctx, alert.BadNames(bad.names, len(bad.tags))); err != nil {
		return &UntoldError{Err: err}
	}
	return r.config.Registry.Told(ctx, bad.tags, bad.known)
}

// dates walks through the queue.
func (r *Recorder) dates(ctx context.Context, walk *registry.Walk, until time.Time) (changed int, err error) {
	queue, err := r.config.Registry.Queue(ctx)
	if err != nil {
		return 0, err
	}
	left := walkDates
	for _, e := range queue {
		if e.Order() <= walk.Date {
			continue
		}
		if left--; left < 0 || r.late(until) {
			return changed, nil
		}
		n, err := r.check(ctx, e, until, func(string) bool { return true })
		if changed += n; err != nil {
			return changed, err
		}
		if e.ImportID == "" {
			if err := r.ready(ctx, File{Mode: e.Mode, Date: e.FileDate}); err != nil {
				return changed, err
			}
		}
		walk.Date = e.Order()
	}
	walk.Date = ""
	return changed, nil
}
