package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// execution is how long an execution took, and its states.
type execution struct {
	started, stopped time.Time
	states           []state // of the main line, in the order in which they were entered
	outputs          map[string]string
	events           int // of its history
}

// state is one state of the main line.
type state struct {
	name            string
	entered, exited time.Time
}

func (e execution) seconds() float64 { return e.stopped.Sub(e.started).Seconds() }
func (s state) seconds() float64     { return s.exited.Sub(s.entered).Seconds() }

// find returns a state; the zero state if there is none.
func (e execution) find(name string) state {
	for _, s := range e.states {
		if s.name == name {
			return s
		}
	}
	return state{}
}

// execution reads the history of an execution that ended.
func (c *cloud) execution(ctx context.Context, arn string) (execution, error) {
	described, err := c.SFN.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return execution{}, err
	}
	machine, err := c.SFN.DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return execution{}, err
	}
	var definition struct{ States map[string]any }
	if err := json.Unmarshal([]byte(aws.ToString(machine.Definition)), &definition); err != nil {
		return execution{}, fmt.Errorf("definition of %s: %w", arn, err)
	}
	e := execution{started: aws.ToTime(described.StartDate), stopped: aws.ToTime(described.StopDate), outputs: map[string]string{}}
	entered := map[string]time.Time{}
	pages := sfn.NewGetExecutionHistoryPaginator(c.SFN, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 1000})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return execution{}, err
		}
		e.events += len(page.Events)
		for _, event := range page.Events {
			if d := event.StateEnteredEventDetails; d != nil {
				entered[aws.ToString(d.Name)] = aws.ToTime(event.Timestamp)
			}
			d := event.StateExitedEventDetails
			if d == nil || definition.States[aws.ToString(d.Name)] == nil {
				continue // another event, or a state inside a Map
			}
			name := aws.ToString(d.Name)
			e.states = append(e.states, state{name: name, entered: entered[name], exited: aws.ToTime(event.Timestamp)})
			e.outputs[name] = aws.ToString(d.Output)
		}
	}
	return e, nil
}
