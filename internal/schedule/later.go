// Package schedule has imports re-executed by the function that has the database:
// soon, or at a time to come.
package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/fault"
)

// Scheduler makes schedules; *scheduler.Client is one.
type Scheduler interface {
	CreateSchedule(context.Context, *scheduler.CreateScheduleInput, ...func(*scheduler.Options)) (*scheduler.CreateScheduleOutput, error)
}

// Later asks by one-time schedules of Amazon EventBridge Scheduler, which
// delete themselves once they ran. It is safe for concurrent use.
type Later struct {
	Client      Scheduler
	Group       string // name of the schedule group
	FunctionARN string // of the function that re-executes
	RoleARN     string // the role that may call it
}

// Ask implements [control.Later]; name has at most 64 of the characters 0-9 A-Z a-z - _ .
// (EventBridge Scheduler API reference, CreateSchedule).
func (s Later) Ask(ctx context.Context, name string, at time.Time, request control.Request) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("schedule: encode %s: %w", name, err)
	}
	_, err = s.Client.CreateSchedule(ctx, &scheduler.CreateScheduleInput{
		Name: &name, GroupName: &s.Group,
		ScheduleExpression:    aws.String(at.UTC().Format("at(2006-01-02T15:04:05)")),
		FlexibleTimeWindow:    &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		ActionAfterCompletion: schedulertypes.ActionAfterCompletionDelete,
		Target:                &schedulertypes.Target{Arn: &s.FunctionARN, RoleArn: &s.RoleARN, Input: aws.String(string(body))},
	})
	if _, exists := errors.AsType[*schedulertypes.ConflictException](err); exists {
		return nil
	}
	return fault.FromAWS("schedule: create "+name, err)
}
