package landing

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// Starter starts the imports that may start, and resumes one whose files have arrived.
// It may be called at any time, also concurrently.
type Starter interface {
	Advance(ctx context.Context, trigger etl.Trigger) error
}

// Intake handles the notifications of the landing bucket. It is safe for concurrent
// use.
type Intake struct {
	*Recorder
	starter Starter
}

// NewIntake returns an intake that records arrivals with recorder and has starter start
// imports.
func NewIntake(recorder *Recorder, starter Starter) (*Intake, error) {
	if recorder == nil || starter == nil {
		return nil, errors.New("landing: the intake needs a recorder and a starter")
	}
	return &Intake{Recorder: recorder, starter: starter}, nil
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

// Handle processes one notification. It is idempotent; [Recorder.Look] and [Recorder.Walk]
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
	if err := in.starter.Advance(ctx, etl.TriggerFile); err != nil {
		return answer, fmt.Errorf("landing: after the arrival of %s: %w", message.Quoted(answer.Key), err)
	}
	return answer, nil
}

// refuse logs a bad name, once for each version of the object, and leaves the
// alert to the next [Recorder.Walk]: one alert for all.
func (in *Intake) refuse(ctx context.Context, event Event, reason error) error {
	object := event.Detail.Object
	isNew, err := in.config.Registry.Refuse(ctx, object.Key, object.VersionID, object.ETag)
	if err == nil && isNew {
		in.logRefused(ctx, object.Key, reason)
	}
	return err
}
