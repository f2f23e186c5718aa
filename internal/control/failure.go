package control

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// failure finds out where and why an execution failed: from the fault that the
// function reported in this attempt, if its name is the execution's error; else
// from the history, which also knows functions that were killed, and which for a
// Distributed Map leads to the child that failed.
func (c *Control) failure(ctx context.Context, imp registry.Import, d *sfn.DescribeExecutionOutput) (registry.Fault, error) {
	faults, err := c.Registry.Faults(ctx, imp.ImportID, imp.Generation, attemptStart(imp, d))
	if err != nil {
		return registry.Fault{}, err
	}
	if d.Status == sfntypes.ExecutionStatusAborted {
		// Whatever failed meanwhile, a person wanted it to stop.
		f := registry.Fault{State: c.locate(ctx, imp, d).state, Name: string(d.Status), Message: message.ReasonStopped, Advice: string(fault.Redrive)}
		return f, nil
	}
	name := aws.ToString(d.Error)
	f, known := newest(faults, "", name)
	if !known {
		place := c.locate(ctx, imp, d)
		if f, known = newest(faults, place.state, place.name); !known {
			f, known = newest(faults, "", place.name)
		}
		if !known {
			f = registry.Fault{State: place.state, Name: fault.NameOf(place.name, place.cause), Message: place.reason(), Advice: string(fault.Redrive)}
			if f.Name == "" {
				f.Name = string(place.ended)
			}
		}
	}
	if f.Name == "MissingFiles" {
		arrivals, err := c.Registry.Arrivals(ctx, imp.Mode, imp.FileDate)
		if err != nil {
			return registry.Fault{}, err
		}
		f.Message = message.ReasonMissingFiles(c.Names.Missing(arrivals))
	}
	return f, nil
}

// attemptStart is when the current attempt of the execution began, by the
// registry or by Step Functions, whichever is later.
func attemptStart(imp registry.Import, d *sfn.DescribeExecutionOutput) (at time.Time) {
	at = imp.StartedAt
	if d.RedriveDate != nil && d.RedriveDate.After(at) {
		at = d.RedriveDate.UTC()
	}
	return at
}

// newest returns the latest fault of that name, in that state if one is given.
func newest(faults []registry.Fault, state, name string) (best registry.Fault, found bool) {
	for _, f := range faults {
		if f.Name != name || (state != "" && f.State != state) {
			continue
		}
		if !found || f.At.After(best.At) {
			best, found = f, true
		}
	}
	return best, found
}

// place is where an execution failed, as its history tells.
type place struct {
	state string // empty: not found
	name  string // error name
	cause string
	ended sfntypes.ExecutionStatus
}

func (p place) reason() string {
	switch {
	case p.ended == sfntypes.ExecutionStatusTimedOut && p.cause == "":
		return message.ReasonTimedOut
	case p.name == "":
		return message.ReasonUnknown
	default:
		return message.ReasonError(fault.NameOf(p.name, p.cause), plainCause(p.cause))
	}
}

// locate reads the history of an execution. What cannot be read stays unknown: a
// failure is recorded and alerted all the same.
func (c *Control) locate(ctx context.Context, imp registry.Import, d *sfn.DescribeExecutionOutput) place {
	p := place{name: aws.ToString(d.Error), cause: aws.ToString(d.Cause), ended: d.Status}
	trace, err := c.trace(ctx, aws.ToString(d.ExecutionArn))
	if err == nil {
		p.state = trace.state
		if trace.mapRun != "" {
			err = c.child(ctx, trace.mapRun, &p)
		}
	}
	if err != nil {
		c.Log.WarnContext(ctx, message.LogNoHistory, centrallog.ImportID(imp.ImportID), slog.String("error_details", err.Error()))
	}
	return p
}

// child replaces p by the place where a child of the map run failed.
func (c *Control) child(ctx context.Context, mapRun string, p *place) error {
	list, err := c.Histories.ListExecutions(ctx, &sfn.ListExecutionsInput{
		MapRunArn: &mapRun, StatusFilter: sfntypes.ExecutionStatusFailed, MaxResults: 1,
	})
	if err != nil || len(list.Executions) == 0 {
		return err
	}
	arn := list.Executions[0].ExecutionArn
	d, err := c.Executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: arn})
	if err != nil {
		return err
	}
	trace, err := c.trace(ctx, aws.ToString(arn))
	if err != nil {
		return err
	}
	p.name, p.cause = aws.ToString(d.Error), aws.ToString(d.Cause)
	if trace.state != "" {
		p.state = trace.state
	}
	return nil
}

// trace is what the end of a history tells.
type trace struct {
	state  string // the state in which the execution ended
	mapRun string // ARN of its map run, if that state is a Distributed Map
}

// historyPages bounds the pages of 100 events that are read from the end: the
// state that failed is close to it.
const historyPages = 5

// trace follows the events of an execution back from its end, each to the event
// before it in its branch, until a state was entered.
func (c *Control) trace(ctx context.Context, arn string) (trace, error) {
	var t trace
	var want int64
	in := &sfn.GetExecutionHistoryInput{
		ExecutionArn: &arn, ReverseOrder: true, MaxResults: 100, IncludeExecutionData: aws.Bool(false),
	}
	for range historyPages {
		page, err := c.Histories.GetExecutionHistory(ctx, in)
		if err != nil {
			return t, err
		}
		for _, e := range page.Events {
			if want != 0 && e.Id != want {
				continue
			}
			want = e.PreviousEventId
			if e.MapRunStartedEventDetails != nil {
				t.mapRun = aws.ToString(e.MapRunStartedEventDetails.MapRunArn)
			}
			if e.MapRunRedrivenEventDetails != nil {
				t.mapRun = aws.ToString(e.MapRunRedrivenEventDetails.MapRunArn)
			}
			if e.StateEnteredEventDetails != nil {
				t.state = aws.ToString(e.StateEnteredEventDetails.Name)
				return t, nil
			}
			if want == 0 {
				return t, nil
			}
		}
		if page.NextToken == nil {
			return t, nil
		}
		in.NextToken = page.NextToken
	}
	return t, nil
}

// plainCause is the message in a function's cause; errors never hold values of the
// data.
func plainCause(cause string) string {
	var body struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &body) == nil && body.Message != "" {
		cause = body.Message
	}
	return message.Text(cause)
}
