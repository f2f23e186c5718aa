package executions

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// Place is where an execution failed, and with which error.
type Place struct {
	State etl.State // empty: not found
	Error etl.Fault // name of the error; empty for none
	Cause string
}

// Locate finds out where an execution failed. For a Distributed Map it finds the
// state and the error of a child that failed. If there is an error, the place is as
// precise as was established before it.
func (m *Machine) Locate(ctx context.Context, e Execution) (Place, error) {
	p := Place{Error: e.Error, Cause: e.Cause}
	end, err := m.trace(ctx, e.ARN)
	if err != nil {
		return p, err
	}
	p.State = end.state
	if end.mapRun == "" {
		return p, nil
	}
	return m.child(ctx, end.mapRun, p)
}

// child returns the place where a child of the map run failed, or p if none did.
func (m *Machine) child(ctx context.Context, mapRun string, p Place) (Place, error) {
	list, err := m.client.ListExecutions(ctx, &sfn.ListExecutionsInput{
		MapRunArn: &mapRun, StatusFilter: types.ExecutionStatusFailed, MaxResults: 1,
	})
	if err != nil || len(list.Executions) == 0 {
		return p, fault.FromAWS("executions: list the children of a map run", err)
	}
	child, exists, err := m.Describe(ctx, aws.ToString(list.Executions[0].ExecutionArn))
	if err != nil || !exists {
		return p, err
	}
	end, err := m.trace(ctx, child.ARN)
	if err != nil {
		return p, err
	}
	p.Error, p.Cause = child.Error, child.Cause
	if end.state != "" {
		p.State = end.state
	}
	return p, nil
}

// trace is what the end of a history shows.
type trace struct {
	state  etl.State // the state in which the execution ended
	mapRun string    // ARN of its map run, if that state is a Distributed Map
}

// historyPages bounds the pages of 100 events that are read from the end, which is
// close to the state that failed.
const historyPages = 5

// trace follows the events of an execution backwards from its end, each to its
// predecessor in the same branch, until it finds where a state was entered.
func (m *Machine) trace(ctx context.Context, arn string) (trace, error) {
	var t trace
	var want int64
	in := &sfn.GetExecutionHistoryInput{
		ExecutionArn: &arn, ReverseOrder: true, MaxResults: 100, IncludeExecutionData: aws.Bool(false),
	}
	for range historyPages {
		page, err := m.client.GetExecutionHistory(ctx, in)
		if err != nil {
			return t, fault.FromAWS("executions: read the history of "+Name(arn), err)
		}
		for _, e := range page.Events {
			if want != 0 && e.Id != want {
				continue
			}
			want = e.PreviousEventId
			if t.take(e) || want == 0 {
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

// take records what an event shows, and reports whether it entered a state.
func (t *trace) take(e types.HistoryEvent) bool {
	if e.MapRunStartedEventDetails != nil {
		t.mapRun = aws.ToString(e.MapRunStartedEventDetails.MapRunArn)
	}
	if e.MapRunRedrivenEventDetails != nil {
		t.mapRun = aws.ToString(e.MapRunRedrivenEventDetails.MapRunArn)
	}
	if e.StateEnteredEventDetails == nil {
		return false
	}
	t.state = etl.State(aws.ToString(e.StateEnteredEventDetails.Name))
	return true
}
