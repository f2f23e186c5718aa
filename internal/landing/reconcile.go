package landing

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"etl-dataloader/internal/registry"
)

// day is a date of one mode.
type day struct{ mode, date string }

// found is an object of the listing.
type found struct {
	file    File
	arrival registry.Arrival
}

// UntoldError reports that a badly named object could not be alerted; whatever
// else is in the bucket was taken in.
type UntoldError struct{ Err error }

// Error implements error.
func (e *UntoldError) Error() string { return "landing: refuse a badly named object: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *UntoldError) Unwrap() error { return e.Err }

// Reconcile compares the whole landing bucket with the registry and takes in
// what no notification told of: new files, new versions, badly named objects,
// and objects that are gone from a date that still waits. It starts nothing.
// changed is the number of differences found. It fails with *UntoldError if that
// was all that failed; a later call tries it again.
func (in *Intake) Reconcile(ctx context.Context) (changed int, err error) {
	days := map[day]map[string]found{}
	var untold error
	for _, mode := range []string{registry.ModeInitial, registry.ModeDaily} {
		err := in.list(ctx, mode+"/", func(v types.ObjectVersion) bool {
			key := aws.ToString(v.Key)
			if strings.HasSuffix(key, "/") {
				return true
			}
			file, err := in.config.Names.Parse(key)
			if err != nil {
				if untold == nil { // else the alerts are down
					untold = in.refuse(ctx, key, aws.ToString(v.VersionId), err)
				}
				return true
			}
			d := day{file.Mode, file.Date}
			if days[d] == nil {
				days[d] = map[string]found{}
			}
			days[d][key] = found{file: file, arrival: arrival(v)}
			return true
		})
		if err != nil {
			return 0, err
		}
	}
	queue, err := in.config.Registry.Queue(ctx)
	if err != nil {
		return 0, err
	}
	for _, e := range queue {
		if d := (day{e.Mode, e.FileDate}); days[d] == nil {
			days[d] = nil
		}
	}
	for d, objects := range days {
		n, err := in.reconcileDay(ctx, d, objects)
		if changed += n; err != nil {
			return changed, err
		}
	}
	if untold != nil {
		return changed, &UntoldError{Err: untold}
	}
	return changed, nil
}

func (in *Intake) reconcileDay(ctx context.Context, d day, objects map[string]found) (changed int, err error) {
	known, err := in.config.Registry.Objects(ctx, d.mode, d.date)
	if err != nil {
		return 0, err
	}
	differ := map[string]File{}
	for key, o := range objects {
		differ[key] = o.file
	}
	for _, a := range known {
		if o, ok := objects[a.Key]; !ok {
			differ[a.Key] = File{Mode: d.mode, Date: d.date, Resource: a.Resource}
		} else if o.arrival.Same(a) {
			delete(differ, a.Key)
		}
	}
	for key, file := range differ {
		outcome, err := in.take(ctx, key, file)
		if err != nil {
			return changed, err
		}
		if outcome != Unchanged {
			changed++
		}
	}
	return changed, nil
}
