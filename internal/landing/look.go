package landing

import (
	"context"
	"strings"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry"
)

// Bounds of one look.
const (
	// lookPages is how many pages of 1,000 keys a look reads for each name of a file
	// type. The walk finds the rest.
	lookPages = 3
	// lookDates is the number of queued dates for which a look asks whether their files
	// still exist.
	lookDates = 31
	// lookTime ends a look, well before the 60 s of the function that takes files in.
	lookTime = 20 * time.Second
)

// Look asks the bucket for the files of the dates from first to last, both
// included, and records what no notification announced: new files, new versions, and
// the removal of files of a date that still waits. It lists by the names of the file
// types and in order of their dates, so other objects cost nothing. It ends after
// about 20 s; [Recorder.Walk] finds the rest. It starts nothing. changed is the number of
// differences found.
func (r *Recorder) Look(ctx context.Context, mode etl.Mode, first, last string) (changed int, err error) {
	until := r.config.Horizon.Now().Add(lookTime)
	seen := map[string]bool{}
	for _, prefix := range r.config.Names.prefixes() {
		n, err := r.lookAt(ctx, string(mode)+"/"+prefix+"_", first, last, until, seen)
		if changed += n; err != nil {
			return changed, err
		}
	}
	n, err := r.removed(ctx, mode, first, last, until, seen)
	return changed + n, err
}

// removed asks for the files of queued dates that the registry has and no listing
// showed.
func (r *Recorder) removed(ctx context.Context, mode etl.Mode, first, last string, until time.Time, seen map[string]bool) (changed int, err error) {
	queue, err := r.config.Registry.Queue(ctx)
	if err != nil {
		return 0, err
	}
	dates := 0
	for _, e := range queue {
		if e.Mode != mode || e.FileDate < first || e.FileDate > last {
			continue
		}
		if dates++; dates > lookDates || r.late(until) {
			return changed, nil
		}
		n, err := r.check(ctx, e, until, func(key string) bool { return !seen[key] })
		if changed += n; err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// check asks the bucket for those files of a date in the registry that want selects,
// and removes a date without files from the queue.
func (r *Recorder) check(ctx context.Context, e registry.Entry, until time.Time, want func(key string) bool) (changed int, err error) {
	objects, err := r.config.Registry.Objects(ctx, e.Mode, e.FileDate)
	if err != nil {
		return 0, err
	}
	for _, a := range objects {
		if !want(a.Key) || r.late(until) {
			continue
		}
		outcome, err := r.take(ctx, a.Key, File{Mode: e.Mode, Date: e.FileDate, Resource: a.Resource})
		if err != nil {
			return changed, err
		}
		if outcome != Unchanged {
			changed++
		}
	}
	if len(objects) == 0 {
		left, err := r.config.Registry.LeaveEmpty(ctx, e.Mode, e.FileDate)
		if err != nil {
			return changed, err
		}
		if left {
			changed++
		}
	}
	return changed, nil
}

// lookAt records the files of one prefix, and the keys that it saw.
func (r *Recorder) lookAt(ctx context.Context, prefix, first, last string, until time.Time, seen map[string]bool) (changed int, err error) {
	after := prefix + compact(first)
	end := prefix + compact(last)
	for range lookPages {
		if r.late(until) {
			return changed, nil
		}
		entries, more, err := r.config.Objects.List(ctx, prefix, after)
		if err != nil {
			return changed, err
		}
		var files []registry.Listed
		for _, e := range entries {
			after = e.Key
			seen[e.Key] = true
			if file, err := r.parse(e.Key); err == nil && file.Date >= first && file.Date <= last {
				files = append(files, listed(e, file))
			}
		}
		n, late, err := r.absorb(ctx, files, until)
		if changed += n; err != nil || late || !more || after[:min(len(after), len(end))] > end {
			return changed, err
		}
	}
	return changed, nil
}

// compact writes a date as file names do.
func compact(date string) string { return strings.ReplaceAll(date, "-", "") }

func listed(e objectstore.Entry, f File) registry.Listed {
	return registry.Listed{
		Mode: f.Mode, Date: f.Date, Resource: f.Resource, Key: e.Key, ETag: e.ETag, Size: e.Size, LastModified: e.LastModified,
	}
}

// late reports whether a look has used its time up.
func (r *Recorder) late(until time.Time) bool { return !r.config.Horizon.Now().Before(until) }

// absorb records the objects that differ from the registry; late reports that there
// was not enough time for all.
func (r *Recorder) absorb(ctx context.Context, files []registry.Listed, until time.Time) (changed int, late bool, err error) {
	unknown, err := r.config.Registry.Unknown(ctx, files)
	if err != nil {
		return 0, false, err
	}
	for _, o := range unknown {
		if r.late(until) {
			return changed, true, nil
		}
		outcome, err := r.take(ctx, o.Key, File{Mode: o.Mode, Date: o.Date, Resource: o.Resource})
		if err != nil {
			return changed, false, err
		}
		if outcome != Unchanged {
			changed++
		}
	}
	return changed, false, nil
}
