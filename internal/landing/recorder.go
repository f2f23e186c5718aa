package landing

import (
	"context"
	"errors"
	"log/slog"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry"
)

// Bucket lists the landing bucket. Listings are strongly consistent and show names,
// sizes and versions, never content.
type Bucket interface {
	// List returns a page of the current objects whose keys begin with prefix and come
	// after a key, in order; more reports that there are others.
	List(ctx context.Context, prefix, after string) (entries []objectstore.Entry, more bool, err error)
	// Current returns the current version of one key; exists is false if it has none.
	Current(ctx context.Context, key string) (entry objectstore.Entry, exists bool, err error)
}

// Alerter sends alerts to operators. On return the alert has been delivered at least once.
type Alerter interface {
	Alert(ctx context.Context, alert alert.Alert) error
}

// Config holds what a [Recorder] needs; every field is required.
type Config struct {
	Bucket   string
	Objects  Bucket
	Registry *registry.Registry
	Names    *Names
	Alerts   Alerter
	Log      *slog.Logger
	Horizon  Horizon
}

// Recorder records in the registry what is in the landing bucket, and starts nothing.
// It is safe for concurrent use.
type Recorder struct{ config Config }

// NewRecorder returns a recorder; it fails if a field of config is missing.
func NewRecorder(config Config) (*Recorder, error) {
	if config.Bucket == "" || config.Objects == nil || config.Registry == nil || config.Names == nil ||
		config.Alerts == nil || config.Log == nil || config.Horizon.Now == nil {
		return nil, errors.New("landing: a field of the recorder's configuration is missing")
	}
	return &Recorder{config: config}, nil
}

// parse reads the name of a file, whose date must be within the horizon.
func (r *Recorder) parse(key string) (File, error) {
	file, err := r.config.Names.Parse(key)
	if err == nil {
		err = r.config.Horizon.Check(file.Date)
	}
	return file, err
}

func (r *Recorder) logRefused(ctx context.Context, key string, reason error) {
	r.config.Log.WarnContext(ctx, alert.LogBadName,
		centrallog.File(key), centrallog.Details(reason.Error()), centrallog.Step(etl.StepLoading))
}

// take records the current version of a well named object.
func (r *Recorder) take(ctx context.Context, key string, file File) (string, error) {
	arrival, changed, err := r.config.Registry.RecordArrival(ctx, file.Mode, file.Date, file.Resource, key, r.look(key))
	if err != nil || !changed {
		return Unchanged, err
	}
	log := r.config.Log.With(centrallog.File(fileName(key)), centrallog.Step(etl.StepLoading))
	if arrival.VersionID == "" {
		log.WarnContext(ctx, logWithdrawn)
		return Withdrawn, nil
	}
	importID, allotted, err := r.config.Registry.ImportOf(ctx, file.Mode, file.Date)
	if err != nil {
		return "", err
	}
	if !allotted {
		log.InfoContext(ctx, logArrival, slog.String("key", key))
		return Recorded, r.ready(ctx, file)
	}
	imp, err := r.config.Registry.Import(ctx, importID)
	if err != nil {
		return "", err
	}
	log = log.With(centrallog.ImportID(importID))
	// An abandoned or finished import has a generation of its own by now, but
	// takes no file in either.
	over := imp.Status == etl.StatusAbandoned || imp.Status == etl.StatusSucceeded
	if (imp.Sealed() || over) && !imp.Uses(arrival) {
		log.WarnContext(ctx, message.LogLateFile, slog.String("key", key),
			centrallog.Details(message.LateFile(importID, imp.Status)))
		return TooLate, nil
	}
	log.InfoContext(ctx, logArrival, slog.String("key", key))
	return Recorded, nil
}

// look asks the bucket for the current version of one key.
func (r *Recorder) look(key string) registry.Look {
	return func(ctx context.Context) (registry.Arrival, bool, error) {
		e, exists, err := r.config.Objects.Current(ctx, key)
		if err != nil || !exists {
			return registry.Arrival{}, false, err
		}
		return registry.Arrival{Key: e.Key, VersionID: e.VersionID, ETag: e.ETag, Size: e.Size, LastModified: e.LastModified}, true, nil
	}
}

// ready records that all files of a date have arrived.
func (r *Recorder) ready(ctx context.Context, file File) error {
	arrivals, err := r.config.Registry.Arrivals(ctx, file.Mode, file.Date)
	if err != nil || len(r.config.Names.Missing(arrivals)) > 0 {
		return err
	}
	return r.config.Registry.MarkReady(ctx, file.Mode, file.Date)
}
