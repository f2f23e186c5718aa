package control_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

const (
	bucketName = "landing"
	machineARN = "arn:aws:states:eu-west-3:111122223333:stateMachine:import"
	replayARN  = "arn:aws:states:eu-west-3:111122223333:stateMachine:enrich"
)

var (
	errLost    = errors.New("connection reset")
	errRefused = errors.New("access denied")
)

// execution is one execution of the fake state machine.
type execution struct {
	input     string
	status    sfntypes.ExecutionStatus
	redrives  int32
	error     string
	cause     string
	tooOld    bool
	why       string // not redrivable
	started   string // the definition that it runs
	stoppedAt time.Time

	redrivenAt time.Time // zero: not told
}

// machine answers as Step Functions does. Calls named in fail fail once, before
// ("Start") or after ("Start saved") they took effect.
type machine struct {
	mu         sync.Mutex
	clock      *registrytest.Clock
	executions map[string]*execution // by ARN
	starts     int
	redrives   int
	fail       string
	definition string // of the state machine, now
	histories  map[string][]sfntypes.HistoryEvent
	children   map[string][]string // executions of a map run
}

// failing tells whether the call fails now.
func (m *machine) failing(call string) bool {
	if m.fail != call {
		return false
	}
	m.fail = ""
	return true
}

func (m *machine) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Start") {
		return nil, errLost
	}
	arn := strings.Replace(*in.StateMachineArn, ":stateMachine:", ":execution:", 1) + ":" + *in.Name
	if e, ok := m.executions[arn]; ok && (e.status != sfntypes.ExecutionStatusRunning || e.input != *in.Input) {
		return nil, &sfntypes.ExecutionAlreadyExists{}
	} else if !ok {
		m.starts++
		m.executions[arn] = &execution{input: *in.Input, status: sfntypes.ExecutionStatusRunning, started: m.definition}
	}
	if m.failing("Start saved") {
		return nil, errLost
	}
	return &sfn.StartExecutionOutput{ExecutionArn: &arn}, nil
}

func (m *machine) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Describe") {
		return nil, errLost
	}
	e, ok := m.executions[*in.ExecutionArn]
	if !ok {
		return nil, &sfntypes.ExecutionDoesNotExist{}
	}
	out := &sfn.DescribeExecutionOutput{
		ExecutionArn: in.ExecutionArn, Status: e.status, RedriveCount: aws.Int32(e.redrives), Input: &e.input,
		RedriveStatus: sfntypes.ExecutionRedriveStatusRedrivable,
	}
	if e.tooOld {
		out.RedriveStatus, out.RedriveStatusReason = sfntypes.ExecutionRedriveStatusNotRedrivable, &e.why
	}
	if !e.redrivenAt.IsZero() {
		out.RedriveDate = &e.redrivenAt
	}
	if e.status != sfntypes.ExecutionStatusRunning {
		out.StopDate = &e.stoppedAt
	}
	if e.error != "" {
		out.Error, out.Cause = &e.error, &e.cause
	}
	return out, nil
}

func (m *machine) RedriveExecution(_ context.Context, in *sfn.RedriveExecutionInput, _ ...func(*sfn.Options)) (*sfn.RedriveExecutionOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Redrive") {
		return nil, errLost
	}
	e := m.executions[*in.ExecutionArn]
	if e == nil || e.tooOld || e.status == sfntypes.ExecutionStatusRunning || e.status == sfntypes.ExecutionStatusSucceeded {
		return nil, &sfntypes.ExecutionNotRedrivable{}
	}
	m.redrives++
	e.redrives++
	e.status, e.error, e.cause = sfntypes.ExecutionStatusRunning, "", ""
	if m.failing("Redrive saved") {
		return nil, errLost
	}
	return &sfn.RedriveExecutionOutput{RedriveDate: aws.Time(m.clock.Now())}, nil
}

func (m *machine) DescribeStateMachine(_ context.Context, _ *sfn.DescribeStateMachineInput, _ ...func(*sfn.Options)) (*sfn.DescribeStateMachineOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Definition") {
		return nil, errLost
	}
	return &sfn.DescribeStateMachineOutput{Definition: aws.String(m.definition)}, nil
}

func (m *machine) DescribeStateMachineForExecution(_ context.Context, in *sfn.DescribeStateMachineForExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeStateMachineForExecutionOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Definition of the execution") {
		return nil, errLost
	}
	return &sfn.DescribeStateMachineForExecutionOutput{Definition: aws.String(m.executions[*in.ExecutionArn].started)}, nil
}

func (m *machine) StopExecution(_ context.Context, in *sfn.StopExecutionInput, _ ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	m.end(*in.ExecutionArn, sfntypes.ExecutionStatusAborted, "", "")
	return &sfn.StopExecutionOutput{}, nil
}

func (m *machine) GetExecutionHistory(_ context.Context, in *sfn.GetExecutionHistoryInput, _ ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("History") {
		return nil, errLost
	}
	events := slices.Clone(m.histories[*in.ExecutionArn])
	slices.Reverse(events)
	return &sfn.GetExecutionHistoryOutput{Events: events}, nil
}

func (m *machine) ListExecutions(_ context.Context, in *sfn.ListExecutionsInput, _ ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &sfn.ListExecutionsOutput{}
	for _, arn := range m.children[*in.MapRunArn] {
		out.Executions = append(out.Executions, sfntypes.ExecutionListItem{ExecutionArn: &arn})
	}
	return out, nil
}

// end ends an execution.
func (m *machine) end(arn string, status sfntypes.ExecutionStatus, name, cause string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.executions[arn]
	e.status, e.error, e.cause, e.stoppedAt = status, name, cause, m.clock.Now()
}

// inbox collects the alerts.
type inbox struct {
	mu     sync.Mutex
	alerts []alert.Alert
	fail   bool // the next alert fails
	refuse bool // every alert fails: the topic is deleted, or its key denied
}

// maxMessage is the longest message that SNS takes, in bytes (Amazon SNS API
// reference, Publish).
const maxMessage = 256 << 10

func (b *inbox) Alert(_ context.Context, a alert.Alert) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail {
		b.fail = false
		return errLost
	}
	if b.refuse || len(a.Text) > maxMessage {
		return errRefused
	}
	b.alerts = append(b.alerts, a)
	return nil
}

func (b *inbox) subjects() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	subjects := []string{}
	for _, a := range b.alerts {
		subjects = append(subjects, strings.TrimPrefix(a.Subject, "ETL-DataLoader : "))
	}
	return subjects
}

// reports counts the reports written.
type reports struct {
	mu      sync.Mutex
	written []string
	totals  registry.Counts // of every import
	fail    bool            // the next report fails
	refuse  bool            // every report fails
}

func (r *reports) Write(_ context.Context, importID string) (string, registry.Counts, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail {
		r.fail = false
		return "s3://work/" + importID, r.totals, errLost
	}
	if r.refuse {
		return "s3://work/" + importID, r.totals, errRefused
	}
	r.written = append(r.written, importID)
	return "s3://work/" + importID, r.totals, nil
}
