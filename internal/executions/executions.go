// Package executions runs the state machine on AWS Step Functions: it starts,
// describes, redrives and stops executions, and finds out where one failed.
//
// It is the only package that knows the service. Its callers see an [Execution] and
// errors of package fault: *fault.Transient if Step Functions did not answer,
// *fault.AccessDenied if it denied access.
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

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// StepFunctions is what a [Machine] needs of the service; *sfn.Client implements it.
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
	PendingRedrive Status = "PENDING_REDRIVE" // redriven, and about to run
	Succeeded      Status = "SUCCEEDED"
	Failed         Status = "FAILED"
	TimedOut       Status = "TIMED_OUT"
	Aborted        Status = "ABORTED" // stopped
)

// Execution is what Step Functions knows of an execution.
type Execution struct {
	ARN    string
	Status Status
	Error  etl.Fault // name of the error that it failed with; empty for none
	Cause  string    // explanation from the service or a function

	StoppedAt  time.Time // when it ended; zero while it runs
	RedrivenAt time.Time // when it was last redriven; zero for never
	Redrives   int       // how often it was redriven

	Fixed       bool   // Step Functions can no longer redrive it
	FixedReason string // why, in the service's words
}

// Active reports whether the execution runs or is about to.
func (e Execution) Active() bool { return e.Status == Running || e.Status == PendingRedrive }

// Machine is the state machine. It is safe for concurrent use.
type Machine struct {
	client StepFunctions
	arn    string
}

// New returns the state machine with an ARN. It fails if arn is not an ARN.
func New(client StepFunctions, arn string) (*Machine, error) {
	if client == nil || !strings.Contains(arn, ":stateMachine:") {
		return nil, fmt.Errorf("executions: %q is no ARN of a state machine", arn)
	}
	return &Machine{client: client, arn: arn}, nil
}

// ARN returns the ARN of a state machine's execution called name.
func ARN(machine, name string) string {
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
}

// Name returns the name of an execution, the last part of its ARN.
func Name(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// Start starts the execution called name. Called again with the same input, it does
// nothing while that execution runs. started is false if that execution has ended or
// has a different input.
func (m *Machine) Start(ctx context.Context, name, input string) (started bool, err error) {
	_, err = m.client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.arn, Name: &name, Input: &input})
	if _, exists := errors.AsType[*types.ExecutionAlreadyExists](err); exists {
		return false, nil
	}
	return err == nil, fault.FromAWS("executions: start "+name, err)
}

// Describe returns an execution; exists is false if no execution has that ARN, or
// none has it any longer: AWS deletes an execution 90 days after its end.
func (m *Machine) Describe(ctx context.Context, arn string) (e Execution, exists bool, err error) {
	d, err := m.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if _, none := errors.AsType[*types.ExecutionDoesNotExist](err); none {
		return Execution{}, false, nil
	}
	if err != nil {
		return Execution{}, false, fault.FromAWS("executions: describe "+Name(arn), err)
	}
	return Execution{
		ARN: arn, Status: Status(d.Status), Error: etl.Fault(aws.ToString(d.Error)), Cause: aws.ToString(d.Cause),
		StoppedAt: instant(d.StopDate), RedrivenAt: instant(d.RedriveDate), Redrives: int(aws.ToInt32(d.RedriveCount)),
		Fixed: d.RedriveStatus == types.ExecutionRedriveStatusNotRedrivable, FixedReason: aws.ToString(d.RedriveStatusReason),
	}, true, nil
}

// instant returns a time in UTC, or the zero time for nil.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// Redrive resumes a failed execution at the states that failed. The token makes it
// idempotent. redriven is false if Step Functions does not allow it because the
// execution has not ended or is too old. at is when it was redriven; zero if the
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

// Stop stops an execution; name is the error that it then shows.
func (m *Machine) Stop(ctx context.Context, arn, name string) error {
	_, err := m.client.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &arn, Error: &name})
	return fault.FromAWS("executions: stop "+Name(arn), err)
}

// DefinitionChanged reports whether the machine's definition has changed since an
// execution started. A redrive keeps the old one.
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
