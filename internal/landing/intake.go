package landing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

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

// Starter starts the imports that may start, and resumes one whose files have arrived.
// It may be called at any time, also concurrently.
type Starter interface {
	Advance(ctx context.Context, trigger etl.Trigger) error
}

// Config holds what an [Intake] needs; every field is required.
type Config struct {
	Bucket   string
	Objects  Bucket
	Registry *registry.Registry
	Names    *Names
	Alerts   Alerter
	Starter  Starter
	Log      *slog.Logger
	Horizon  Horizon
}

// Intake records what arrives. It is safe for concurrent use.
type Intake struct{ config Config }

// NewIntake returns an intake; it fails if a field of config is missing.
func NewIntake(config Config) (*Intake, error) {
	if config.Bucket == "" || config.Objects == nil || config.Registry == nil || config.Names == nil ||
		config.Alerts == nil || config.Starter == nil || config.Log == nil || config.Horizon.Now == nil {
		return nil, errors.New("landing: a field of the intake's configuration is missing")
	}
	return &Intake{config: config}, nil
}

// Event is the relevant part of Amazon EventBridge's "Object Created". Other fields are
// ignored: AWS adds some without notice.
type Event struct {
	Detail struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
			ETag      string `json:"etag,omitempty"`
			VersionID string `json:"version-id,omitempty"`
		} `json:"object"`
	} `json:"detail"`
}

// Outcomes of an arrival.
const (
	Recorded  = "recorded"  // it counts
	Unchanged = "unchanged" // it was known, a replay for example
	TooLate   = "too_late"  // recorded, but the import's list is sealed
	BadName   = "bad_name"
	Ignored   = "ignored" // a folder, or another bucket
	Withdrawn = "withdrawn"
)

// Answer is the outcome of a notification.
type Answer struct {
	Key     string `json:"key"`
	Outcome string `json:"outcome"`
}

// Handle processes one notification. It is idempotent; [Intake.Look] and [Intake.Walk]
// make up for lost notifications. It fails with *fault.Transient if S3, DynamoDB or
// Step Functions did not answer.
func (in *Intake) Handle(ctx context.Context, event Event) (Answer, error) {
	answer := Answer{Key: event.Detail.Object.Key, Outcome: Ignored}
	if event.Detail.Bucket.Name != in.config.Bucket || strings.HasSuffix(answer.Key, "/") || answer.Key == "" {
		return answer, nil
	}
	file, err := in.parse(answer.Key)
	if err != nil {
		// Keys are said not to be encoded in these events; where they are, the
		// name is only found after decoding.
		if decoded, bad := url.QueryUnescape(answer.Key); bad == nil && decoded != answer.Key {
			if f, badName := in.parse(decoded); badName == nil {
				answer.Key, file, err = decoded, f, nil
			}
		}
	}
	if err != nil {
		answer.Outcome = BadName
		return answer, in.refuse(ctx, event, err)
	}
	if answer.Outcome, err = in.take(ctx, answer.Key, file); err != nil {
		return answer, err
	}
	if err := in.config.Starter.Advance(ctx, etl.TriggerFile); err != nil {
		return answer, fmt.Errorf("landing: after the arrival of %s: %w", message.Quoted(answer.Key), err)
	}
	return answer, nil
}

// parse reads the name of a file, whose date must be within the horizon.
func (in *Intake) parse(key string) (File, error) {
	file, err := in.config.Names.Parse(key)
	if err == nil {
		err = in.config.Horizon.Check(file.Date)
	}
	return file, err
}

// refuse logs a bad name, once for each version of the object, and leaves the
// alert to the next [Intake.Walk]: one alert for all.
func (in *Intake) refuse(ctx context.Context, event Event, reason error) error {
	object := event.Detail.Object
	isNew, err := in.config.Registry.Refuse(ctx, object.Key, object.VersionID, object.ETag)
	if err == nil && isNew {
		in.logRefused(ctx, object.Key, reason)
	}
	return err
}

func (in *Intake) logRefused(ctx context.Context, key string, reason error) {
	in.config.Log.WarnContext(ctx, alert.LogBadName,
		centrallog.File(key), centrallog.Details(reason.Error()), centrallog.Step(etl.StepLoading))
}

// take records the current version of a well named object.
func (in *Intake) take(ctx context.Context, key string, file File) (string, error) {
	arrival, changed, err := in.config.Registry.RecordArrival(ctx, file.Mode, file.Date, file.Resource, key, in.look(key))
	if err != nil || !changed {
		return Unchanged, err
	}
	log := in.config.Log.With(centrallog.File(fileName(key)), centrallog.Step(etl.StepLoading))
	if arrival.VersionID == "" {
		log.WarnContext(ctx, logWithdrawn)
		return Withdrawn, nil
	}
	importID, allotted, err := in.config.Registry.ImportOf(ctx, file.Mode, file.Date)
	if err != nil {
		return "", err
	}
	if !allotted {
		log.InfoContext(ctx, logArrival, slog.String("key", key))
		return Recorded, in.ready(ctx, file)
	}
	imp, err := in.config.Registry.Import(ctx, importID)
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
func (in *Intake) look(key string) registry.Look {
	return func(ctx context.Context) (registry.Arrival, bool, error) {
		e, exists, err := in.config.Objects.Current(ctx, key)
		if err != nil || !exists {
			return registry.Arrival{}, false, err
		}
		return registry.Arrival{Key: e.Key, VersionID: e.VersionID, ETag: e.ETag, Size: e.Size, LastModified: e.LastModified}, true, nil
	}
}

// ready records that all files of a date have arrived.
func (in *Intake) ready(ctx context.Context, file File) error {
	arrivals, err := in.config.Registry.Arrivals(ctx, file.Mode, file.Date)
	if err != nil || len(in.config.Names.Missing(arrivals)) > 0 {
		return err
	}
	return in.config.Registry.MarkReady(ctx, file.Mode, file.Date)
}
