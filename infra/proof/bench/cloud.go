package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// cloud is the emulated AWS of a stack, and its registry as the product reads it.
type cloud struct {
	*stack.Stack
	registry *registry.Registry
}

// connect makes the reader of the registry.
func connect(s *stack.Stack) *cloud {
	return &cloud{Stack: s, registry: registry.New(s.DynamoDB, s.Env["REGISTRY_TABLE"], time.Now)}
}

// bucket is where the product works.
func (c *cloud) bucket() *string { work := c.Env["WORK_BUCKET"]; return &work }

// machine is the ARN of the state machine.
func (c *cloud) machine() *string { arn := c.Env["STATE_MACHINE_ARN"]; return &arn }

// errNotSucceeded reports an import that ended otherwise.
var errNotSucceeded = errors.New("the import did not succeed")

// await waits until the import of a set is «réussi» and returns it.
func (c *cloud) await(ctx context.Context, of stack.Set, limit time.Duration) (imp registry.Import, err error) {
	err = stack.Wait(ctx, "the import of "+of.Date, limit, func() (bool, error) {
		id, found, err := c.registry.ImportOf(ctx, etl.Mode(of.Mode), of.Date)
		if err != nil || !found {
			return false, err
		}
		if imp, err = c.registry.Import(ctx, id); err != nil {
			return false, err
		}
		if imp.Status == etl.StatusFailed {
			return false, fmt.Errorf("%w: %s: %s, %s", errNotSucceeded, id, imp.Step, imp.Reason)
		}
		return imp.Status == etl.StatusSucceeded, nil
	})
	return imp, err
}

// record switches the emulator's CloudTrail on, from which [cloud.counted] reads.
func (c *cloud) record(ctx context.Context, on bool) error {
	_, err := stack.Post(ctx, c.Env["AWS_ENDPOINT_URL"]+"/_ministack/config", map[string]any{"cloudtrail._recording_enabled": on}, nil)
	return err
}

// counted is how often an operation of KMS was called while CloudTrail recorded.
// The emulator remembers the last 10,000 calls of all services.
func (c *cloud) counted(ctx context.Context, operation string) (int, error) {
	seen := map[string]bool{}
	end := float64(time.Now().Add(time.Minute).Unix())
	for {
		var page struct {
			Events []struct {
				EventID   string `json:"EventId"`
				EventTime float64
			}
		}
		if err := c.Call(ctx, "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", map[string]any{
			"LookupAttributes": []map[string]string{{"AttributeKey": "EventName", "AttributeValue": operation}}, "EndTime": end,
		}, &page); err != nil {
			return 0, err
		}
		known := len(seen)
		for _, e := range page.Events {
			seen[e.EventID] = true
			end = min(end, e.EventTime)
		}
		if len(seen) == known {
			return known, nil
		}
	}
}
