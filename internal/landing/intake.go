package landing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// Bucket lists the landing bucket; *s3.Client is one. Listings are strongly
// consistent and show names, sizes and versions, never content.
type Bucket interface {
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
}

// Alerter tells the operators. An alert is delivered at least once on return.
type Alerter interface {
	Alert(ctx context.Context, alert message.Alert) error
}

// Starter starts what may start, or resumes an import whose files are now there.
// It may be called at any time and by any number of callers at once.
type Starter interface {
	Advance(ctx context.Context, trigger string) error
}

// Config is what an [Intake] needs; every field is mandatory.
type Config struct {
	Bucket   string
	Objects  Bucket
	Registry *registry.Registry
	Names    *Names
	Alerts   Alerter
	Starter  Starter
	Log      *slog.Logger
}

// Intake records what arrives. It is safe for concurrent use.
type Intake struct{ config Config }

// NewIntake returns an intake; it fails if a field of config is missing.
func NewIntake(config Config) (*Intake, error) {
	if config.Bucket == "" || config.Objects == nil || config.Registry == nil || config.Names == nil ||
		config.Alerts == nil || config.Starter == nil || config.Log == nil {
		return nil, errors.New("landing: a field of the intake's configuration is missing")
	}
	return &Intake{config: config}, nil
}

// Event is the part that counts of Amazon EventBridge's "Object Created". What
// else it holds is ignored: AWS adds fields without notice.
type Event struct {
	Detail struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
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

// Answer tells what became of a notification.
type Answer struct {
	Key     string `json:"key"`
	Outcome string `json:"outcome"`
}

// Handle takes one notification in. It is idempotent; a notification that is
// lost on its way is made up for by [Intake.Reconcile]. It fails with
// *fault.Transient where S3, DynamoDB, SNS or Step Functions did not answer.
func (in *Intake) Handle(ctx context.Context, event Event) (Answer, error) {
	answer := Answer{Key: event.Detail.Object.Key, Outcome: Ignored}
	if event.Detail.Bucket.Name != in.config.Bucket || strings.HasSuffix(answer.Key, "/") || answer.Key == "" {
		return answer, nil
	}
	file, err := in.config.Names.Parse(answer.Key)
	if err != nil {
		// Keys are said not to be encoded in these events; where they are, the
		// name is only found after decoding.
		if decoded, bad := url.QueryUnescape(answer.Key); bad == nil && decoded != answer.Key {
			if f, badName := in.config.Names.Parse(decoded); badName == nil {
				answer.Key, file, err = decoded, f, nil
			}
		}
	}
	if err != nil {
		answer.Outcome = BadName
		return answer, in.refuse(ctx, answer.Key, event.Detail.Object.VersionID, err)
	}
	if answer.Outcome, err = in.take(ctx, answer.Key, file); err != nil {
		return answer, err
	}
	if err := in.config.Starter.Advance(ctx, registry.TriggerFile); err != nil {
		return answer, fmt.Errorf("landing: after the arrival of %s: %w", answer.Key, err)
	}
	return answer, nil
}

// refuse logs and alerts a bad name, once for each version of the object; again
// if it could not be alerted.
func (in *Intake) refuse(ctx context.Context, key, versionID string, reason error) error {
	known, err := in.config.Registry.Refused(ctx, key, versionID)
	if err != nil || known {
		return err
	}
	in.config.Log.WarnContext(ctx, message.LogBadName,
		centrallog.File(key), centrallog.Details(reason.Error()), centrallog.Step(message.StepLoading))
	if err := in.config.Alerts.Alert(ctx, message.AlertBadName(key, reason.Error())); err != nil {
		return err
	}
	return in.config.Registry.RecordRefused(ctx, key, versionID)
}

// take records the current version of a well named object.
func (in *Intake) take(ctx context.Context, key string, file File) (string, error) {
	arrival, changed, err := in.config.Registry.RecordArrival(ctx, file.Mode, file.Date, file.Resource, key, in.look(key))
	if err != nil || !changed {
		return Unchanged, err
	}
	log := in.config.Log.With(centrallog.File(fileName(key)), centrallog.Step(message.StepLoading))
	if arrival.VersionID == "" {
		log.WarnContext(ctx, message.LogWithdrawn)
		return Withdrawn, nil
	}
	importID, allotted, err := in.config.Registry.ImportOf(ctx, file.Mode, file.Date)
	if err != nil {
		return "", err
	}
	if !allotted {
		log.InfoContext(ctx, message.LogArrival, slog.String("key", key))
		return Recorded, nil
	}
	imp, err := in.config.Registry.Import(ctx, importID)
	if err != nil {
		return "", err
	}
	log = log.With(centrallog.ImportID(importID))
	// An abandoned or finished import has a generation of its own by now, but
	// takes no file in either.
	over := imp.Status == message.StatusAbandoned || imp.Status == message.StatusSucceeded
	if (imp.Sealed() || over) && !imp.Uses(arrival) {
		log.WarnContext(ctx, message.LogLateFile, slog.String("key", key),
			centrallog.Details(message.LateFile(importID, imp.Status)))
		return TooLate, nil
	}
	log.InfoContext(ctx, message.LogArrival, slog.String("key", key))
	return Recorded, nil
}

// look asks the bucket for the current version of one key.
func (in *Intake) look(key string) registry.Look {
	return func(ctx context.Context) (registry.Arrival, bool, error) {
		var current registry.Arrival
		exists := false
		err := in.list(ctx, key, func(v types.ObjectVersion) bool {
			if aws.ToString(v.Key) != key {
				return false
			}
			current, exists = arrival(v), true
			return false
		})
		return current, exists, err
	}
}

func arrival(v types.ObjectVersion) registry.Arrival {
	return registry.Arrival{
		Key: aws.ToString(v.Key), VersionID: aws.ToString(v.VersionId), ETag: aws.ToString(v.ETag),
		Size: aws.ToInt64(v.Size), LastModified: aws.ToTime(v.LastModified).UTC(),
	}
}

// list calls visit with the current version of every object under prefix, in the
// order of the keys, until it returns false.
func (in *Intake) list(ctx context.Context, prefix string, visit func(types.ObjectVersion) bool) error {
	pages := s3.NewListObjectVersionsPaginator(in.config.Objects, &s3.ListObjectVersionsInput{
		Bucket: &in.config.Bucket, Prefix: &prefix,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fault.FromAWS("landing: list "+in.config.Bucket+"/"+prefix, err)
		}
		for _, v := range page.Versions {
			if aws.ToBool(v.IsLatest) && !visit(v) {
				return nil
			}
		}
	}
	return nil
}
