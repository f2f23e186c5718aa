// Package executions runs the state machine on AWS Step Functions: it starts,
// describes, redrives and stops executions, and finds out where one failed.
//
// It is the one package that knows the service. Its callers see an [Execution] and
// errors of package fault: *fault.Transient where Step Functions did not answer,
// *fault.AccessDenied where it refused.
package executions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/fault"
)

// StepFunctions is what a [Machine] needs of the service; *sfn.Client is one.
type StepFunctions interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	RedriveExecution(context.Context, *sfn.RedriveExecutionInput, ...func(*sfn.Options)) (*sfn.RedriveExecutionOutput, error)
	StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
	GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
	ListExecutions(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error)
	DescribeStateMachine(context.Context, *sfn.DescribeStateMachineInput, ...func(*sfn.Options)) (*sfn.DescribeStateMachineOutput, error)
	DescribeStateMachineForExecution(context.Context, *sfn.DescribeStateMachineForExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeStateMachineForExecutionOutput, error)
}

// Status is the status of an execution, as Step Functions names it.
type Status string

// Statuses of an execution.
const (
	Running        Status = "RUNNING"
	PendingRedrive Status = "PENDING_REDRIVE" // asked to go on, and about to
	Succeeded      Status = "SUCCEEDED"
	Failed         Status = "FAILED"
	TimedOut       Status = "TIMED_OUT"
	Aborted        Status = "ABORTED" // stopped
)

// Execution is what Step Functions knows of an execution.
type Execution struct {
	ARN    string
	Status Status
	Error  string // name of the error that it failed with; empty for none
	Cause  string // what the service or a function says about it

	StoppedAt  time.Time // when it ended; zero while it runs
	RedrivenAt time.Time // when it was last redriven; zero for never
	Redrives   int       // how often it was redriven

	Fixed       bool   // Step Functions redrives it no more
	FixedReason string // why, in the service's words
}

// Active reports whether the execution runs or is about to.
func (e Execution) Active() bool { return e.Status == Running || e.Status == PendingRedrive }

// Machine is the state machine. It is safe for concurrent use.
type Machine struct {
	client StepFunctions
	arn    string
}

// New returns the state machine of an ARN; it fails if that is none.
func New(client StepFunctions, arn string) (*Machine, error) {
	if client == nil || !strings.Contains(arn, ":stateMachine:") {
		return nil, fmt.Errorf("executions: %q is no ARN of a state machine", arn)
	}
	return &Machine{client: client, arn: arn}, nil
}

// ARN returns the ARN of the execution of a name of a state machine.
func ARN(machine, name string) string {
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
}

// Name returns the name of an execution, the last part of its ARN.
func Name(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// Start starts the execution of a name. Called again with the same input it does
// nothing while that execution runs; started is false if it is over, or has
// another input.
func (m *Machine) Start(ctx context.Context, name, input string) (started bool, err error) {
	_, err = m.client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.arn, Name: &name, Input: &input})
	if _, exists := errors.AsType[*types.ExecutionAlreadyExists](err); exists {
		return false, nil
	}
	return err == nil, fault.FromAWS("executions: start "+name, err)
}

// Describe returns an execution; exists is false if there is none of that ARN (any
// more: AWS forgets an execution 90 days after its end).
func (m *Machine) Describe(ctx context.Context, arn string) (e Execution, exists bool, err error) {
	d, err := m.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if _, none := errors.AsType[*types.ExecutionDoesNotExist](err); none {
		return Execution{}, false, nil
	}
	if err != nil {
		return Execution{}, false, fault.FromAWS("executions: describe "+Name(arn), err)
	}
	return Execution{
		ARN: arn, Status: Status(d.Status), Error: aws.ToString(d.Error), Cause: aws.ToString(d.Cause),
		StoppedAt: instant(d.StopDate), RedrivenAt: instant(d.RedriveDate), Redrives: int(aws.ToInt32(d.RedriveCount)),
		Fixed: d.RedriveStatus == types.ExecutionRedriveStatusNotRedrivable, FixedReason: aws.ToString(d.RedriveStatusReason),
	}, true, nil
}

// instant is a time in UTC; zero for none.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// Redrive lets a failed execution go on at the states that failed. It is
// idempotent by its token. redriven is false if Step Functions does not allow it:
// the execution is not over, or is too old. at is when it was redriven; zero if the
// service does not say.
func (m *Machine) Redrive(ctx context.Context, arn, token string) (at time.Time, redriven bool, err error) {
	out, err := m.client.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: &arn, ClientToken: &token})
	if _, not := errors.AsType[*types.ExecutionNotRedrivable](err); not {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fault.FromAWS("executions: redrive "+Name(arn), err)
	}
	return instant(out.RedriveDate), true, nil
}

// Stop stops an execution, with the name of an error.
func (m *Machine) Stop(ctx context.Context, arn, name string) error {
	_, err := m.client.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &arn, Error: &name})
	return fault.FromAWS("executions: stop "+Name(arn), err)
}

// DefinitionChanged reports whether the machine has another definition by now than
// an execution, which a redrive keeps.
func (m *Machine) DefinitionChanged(ctx context.Context, arn string) (bool, error) {
	started, err := m.client.DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return false, fault.FromAWS("executions: read the definition of "+Name(arn), err)
	}
	now, err := m.client.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &m.arn})
	if err != nil {
		return false, fault.FromAWS("executions: read the definition of the machine", err)
	}
	return aws.ToString(now.Definition) != aws.ToString(started.Definition), nil
}
