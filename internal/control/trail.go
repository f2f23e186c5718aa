package control

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/registry"
)

// TrailAlias is the alias of the function that EventBridge invokes with calls that
// CloudTrail recorded. Only there are their identities trusted.
const TrailAlias = "trail"

// TrailEvent is the part of "AWS API Call via CloudTrail" that matters (CloudTrail user
// guide, "CloudTrail record contents for management, data, and network activity events").
type TrailEvent struct {
	Detail struct {
		EventSource  string    `json:"eventSource"`
		EventName    string    `json:"eventName"`
		EventTime    time.Time `json:"eventTime"` // to the second
		ErrorCode    string    `json:"errorCode"` // empty: the call succeeded
		UserIdentity struct {
			ARN         string `json:"arn"`
			AccessKeyID string `json:"accessKeyId"`
		} `json:"userIdentity"`
		RequestParameters struct {
			ExecutionARN string `json:"executionArn"`
		} `json:"requestParameters"`
	} `json:"detail"`
}

// inexact is how far the time of CloudTrail's event may be from that of the redrive: the
// event has full seconds, and the time at which the call was completed.
const inexact = 5 * time.Second

// Redriven records who redrove an execution in the Step Functions console, as CloudTrail
// tells some minutes later. It ignores redrives that the product itself made. It is
// idempotent. It fails with *fault.Transient if a service did not answer.
func (t *Tracker) Redriven(ctx context.Context, event TrailEvent) (Tracked, error) {
	call := event.Detail
	arn := call.RequestParameters.ExecutionARN
	importID, ok := importOf(arn)
	if call.EventSource != "states.amazonaws.com" || call.EventName != "RedriveExecution" || call.ErrorCode != "" ||
		!ok || arn != t.config.executionARN(executions.Name(arn)) {
		return t.foreign(ctx, importID, arn)
	}
	imp, err := t.config.Registry.Import(ctx, importID)
	if errors.Is(err, registry.ErrNotFound) {
		return t.foreign(ctx, importID, arn)
	}
	if err != nil {
		return Tracked{}, err
	}
	if imp.ExecutionARN == arn {
		if imp, _, err = t.watcher.follow(ctx, imp); err != nil { // its status event may be late
			return Tracked{}, err
		}
	}
	by := caller.Identity{ARN: call.UserIdentity.ARN, AccessKey: call.UserIdentity.AccessKeyID}
	attempt, found, err := t.config.Registry.NameConsole(ctx, importID, arn, call.EventTime, inexact, by)
	if err != nil {
		return Tracked{}, err
	}
	if !found {
		return t.foreign(ctx, importID, arn)
	}
	t.config.Log.InfoContext(ctx, LogConsole, centrallog.ImportID(importID), centrallog.Step(etl.StepRerun),
		slog.Int("attempt", attempt.Number), slog.String("by", attempt.By))
	return Tracked{ImportID: importID, Status: imp.Status},
		t.config.Reruns.Ask(ctx, Request{ImportID: importID, Mode: etl.KindRecord, Attempt: attempt.Number})
}

// foreign logs that an event is not about an import.
func (t *Tracker) foreign(ctx context.Context, importID, arn string) (Tracked, error) {
	t.config.Log.InfoContext(ctx, LogForeign, centrallog.ImportID(importID), slog.String("execution", executions.Name(arn)))
	return Tracked{}, nil
}
