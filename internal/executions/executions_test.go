package executions_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
)

const (
	machineARN = "arn:aws:states:eu-west-3:111122223333:stateMachine:import"
	arn        = "arn:aws:states:eu-west-3:111122223333:execution:import:A"
)

var _ executions.StepFunctions = (*sfn.Client)(nil)

// service gives the same answers and the same error, whatever is asked, and notes
// what was asked.
type service struct {
	err       error
	asked     []any
	described sfn.DescribeExecutionOutput
	redriven  sfn.RedriveExecutionOutput
	pages     [][]types.HistoryEvent // of the execution, newest first
	child     []types.HistoryEvent
	children  []types.ExecutionListItem
	now, then string // definitions
}

func (s *service) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	s.asked = append(s.asked, *in.StateMachineArn, *in.Name, *in.Input)
	return &sfn.StartExecutionOutput{}, s.err
}

func (s *service) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	s.asked = append(s.asked, *in.ExecutionArn)
	return &s.described, s.err
}

func (s *service) RedriveExecution(_ context.Context, in *sfn.RedriveExecutionInput, _ ...func(*sfn.Options)) (*sfn.RedriveExecutionOutput, error) {
	s.asked = append(s.asked, *in.ExecutionArn, *in.ClientToken)
	return &s.redriven, s.err
}

func (s *service) StopExecution(_ context.Context, in *sfn.StopExecutionInput, _ ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	s.asked = append(s.asked, *in.ExecutionArn, *in.Error)
	return &sfn.StopExecutionOutput{}, s.err
}

func (s *service) GetExecutionHistory(_ context.Context, in *sfn.GetExecutionHistoryInput, _ ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	if *in.ExecutionArn != arn {
		return &sfn.GetExecutionHistoryOutput{Events: s.child}, s.err
	}
	if len(s.pages) == 0 {
		return &sfn.GetExecutionHistoryOutput{}, s.err
	}
	out := &sfn.GetExecutionHistoryOutput{Events: s.pages[0]}
	if s.pages = s.pages[1:]; len(s.pages) > 0 {
		out.NextToken = aws.String("more")
	}
	return out, s.err
}

func (s *service) ListExecutions(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	return &sfn.ListExecutionsOutput{Executions: s.children}, s.err
}

func (s *service) DescribeStateMachine(context.Context, *sfn.DescribeStateMachineInput, ...func(*sfn.Options)) (*sfn.DescribeStateMachineOutput, error) {
	return &sfn.DescribeStateMachineOutput{Definition: &s.now}, s.err
}

func (s *service) DescribeStateMachineForExecution(context.Context, *sfn.DescribeStateMachineForExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeStateMachineForExecutionOutput, error) {
	return &sfn.DescribeStateMachineForExecutionOutput{Definition: &s.then}, s.err
}

func machine(t *testing.T, s *service) *executions.Machine {
	t.Helper()
	m, err := executions.New(s, machineARN)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNames(t *testing.T) {
	if got := executions.ARN(machineARN, "A"); got != arn {
		t.Errorf("ARN = %s", got)
	}
	if got := executions.Name(arn); got != "A" {
		t.Errorf("name = %s", got)
	}
	for _, bad := range []string{"", "import", arn} {
		if _, err := executions.New(&service{}, bad); err == nil {
			t.Errorf("%q is taken for a state machine", bad)
		}
	}
}

// TestDescribe: what the service does not say is zero.
func TestDescribe(t *testing.T) {
	at := time.Date(2024, 10, 9, 17, 0, 0, 0, time.FixedZone("", 7200))
	for name, test := range map[string]struct {
		said sfn.DescribeExecutionOutput
		want executions.Execution
	}{
		"runs": {sfn.DescribeExecutionOutput{Status: types.ExecutionStatusRunning}, executions.Execution{ARN: arn, Status: executions.Running}},
		"failed": {
			sfn.DescribeExecutionOutput{
				Status: types.ExecutionStatusFailed, Error: aws.String("E"), Cause: aws.String("C"), StopDate: &at, RedriveDate: &at,
				RedriveCount: aws.Int32(2), RedriveStatus: types.ExecutionRedriveStatusRedrivable,
			},
			executions.Execution{ARN: arn, Status: executions.Failed, Error: "E", Cause: "C", StoppedAt: at.UTC(), RedrivenAt: at.UTC(), Redrives: 2},
		},
		"too old": {
			sfn.DescribeExecutionOutput{Status: types.ExecutionStatusFailed, RedriveStatus: types.ExecutionRedriveStatusNotRedrivable, RedriveStatusReason: aws.String("old")},
			executions.Execution{ARN: arn, Status: executions.Failed, Fixed: true, FixedReason: "old"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, exists, err := machine(t, &service{described: test.said}).Describe(t.Context(), arn)
			if err != nil || !exists || got != test.want {
				t.Errorf("got %+v, %v, %v", got, exists, err)
			}
		})
	}
	for status, active := range map[executions.Status]bool{
		executions.Running: true, executions.PendingRedrive: true, executions.Succeeded: false, executions.Failed: false,
		executions.TimedOut: false, executions.Aborted: false,
	} {
		if got := (executions.Execution{Status: status}).Active(); got != active {
			t.Errorf("%s is active: %v", status, got)
		}
	}
}

func TestRequests(t *testing.T) {
	at := time.Date(2024, 10, 9, 15, 0, 0, 0, time.UTC)
	s := &service{redriven: sfn.RedriveExecutionOutput{RedriveDate: &at}, now: "new", then: "old"}
	m := machine(t, s)
	started, startErr := m.Start(t.Context(), "A", "{}")
	when, redriven, redriveErr := m.Redrive(t.Context(), arn, "token")
	stopErr := m.Stop(t.Context(), arn, "Superseded")
	changed, changedErr := m.DefinitionChanged(t.Context(), arn)
	if err := errors.Join(startErr, redriveErr, stopErr, changedErr); err != nil {
		t.Fatal(err)
	}
	if !started || !redriven || !when.Equal(at) || !changed {
		t.Errorf("started %v, redriven %v at %s, changed %v", started, redriven, when, changed)
	}
	want := []any{machineARN, "A", "{}", arn, "token", arn, "Superseded"}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	s.then = "new"
	if changed, err := m.DefinitionChanged(t.Context(), arn); err != nil || changed {
		t.Errorf("the same definition: %v, %v", changed, err)
	}
}

// TestRefusals: what the service does not allow is an answer, what it does not
// answer is a fault.
func TestRefusals(t *testing.T) {
	calls := map[string]func(m *executions.Machine) (bool, error){
		"start":    func(m *executions.Machine) (bool, error) { return m.Start(t.Context(), "A", "{}") },
		"describe": func(m *executions.Machine) (bool, error) { _, ok, err := m.Describe(t.Context(), arn); return ok, err },
		"redrive": func(m *executions.Machine) (bool, error) {
			_, ok, err := m.Redrive(t.Context(), arn, "t")
			return ok, err
		},
		"stop":    func(m *executions.Machine) (bool, error) { return false, m.Stop(t.Context(), arn, "E") },
		"compare": func(m *executions.Machine) (bool, error) { return m.DefinitionChanged(t.Context(), arn) },
		"locate": func(m *executions.Machine) (bool, error) {
			_, err := m.Locate(t.Context(), executions.Execution{ARN: arn})
			return false, err
		},
	}
	answers := map[string]error{
		"start": &types.ExecutionAlreadyExists{}, "describe": &types.ExecutionDoesNotExist{}, "redrive": &types.ExecutionNotRedrivable{},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			if _, err := call(machine(t, &service{err: errors.New("connection reset")})); fault.Name(fault.Lift(err)) != "Transient" {
				t.Errorf("no answer: %v", err)
			}
			if refusal := answers[name]; refusal != nil {
				if ok, err := call(machine(t, &service{err: refusal})); ok || err != nil {
					t.Errorf("%T: %v, %v", refusal, ok, err)
				}
			}
		})
	}
}

func entered(id, previous int64, name string) types.HistoryEvent {
	return types.HistoryEvent{Id: id, PreviousEventId: previous, StateEnteredEventDetails: &types.StateEnteredEventDetails{Name: &name}}
}

func event(id, previous int64) types.HistoryEvent {
	return types.HistoryEvent{Id: id, PreviousEventId: previous}
}

// TestLocate follows the branch that ended, over pages, into a child of a map run.
func TestLocate(t *testing.T) {
	mapRun := types.HistoryEvent{Id: 2, PreviousEventId: 1, MapRunStartedEventDetails: &types.MapRunStartedEventDetails{MapRunArn: aws.String("map")}}
	redriven := types.HistoryEvent{Id: 2, PreviousEventId: 1, MapRunRedrivenEventDetails: &types.MapRunRedrivenEventDetails{MapRunArn: aws.String("map")}}
	children := []types.ExecutionListItem{{ExecutionArn: aws.String("child")}}
	inChild := sfn.DescribeExecutionOutput{Status: types.ExecutionStatusFailed, Error: aws.String("Mismatch"), Cause: aws.String("c")}
	for name, test := range map[string]struct {
		service service
		want    executions.Place
	}{
		"one branch of two": {
			service{pages: [][]types.HistoryEvent{{event(5, 4), event(4, 2), entered(3, 1, "Other"), entered(2, 1, "Publish")}}},
			executions.Place{State: "Publish", Error: "E"},
		},
		"the second page": {
			service{pages: [][]types.HistoryEvent{{event(5, 4), event(4, 2)}, {entered(3, 1, "Other"), entered(2, 1, "Publish")}}},
			executions.Place{State: "Publish", Error: "E"},
		},
		"before any state": {service{pages: [][]types.HistoryEvent{{event(1, 0)}}}, executions.Place{Error: "E"}},
		"no history":       {service{}, executions.Place{Error: "E"}},
		"a child": {
			service{pages: [][]types.HistoryEvent{{event(3, 2), mapRun, entered(1, 0, "Raw")}}, children: children, child: []types.HistoryEvent{entered(1, 0, "Stage")}, described: inChild},
			executions.Place{State: "Stage", Error: "Mismatch", Cause: "c"},
		},
		"a child without a state": {
			service{pages: [][]types.HistoryEvent{{event(3, 2), redriven, entered(1, 0, "Raw")}}, children: children, described: inChild},
			executions.Place{State: "Raw", Error: "Mismatch", Cause: "c"},
		},
		"no failed child": {
			service{pages: [][]types.HistoryEvent{{event(3, 2), mapRun, entered(1, 0, "Raw")}}},
			executions.Place{State: "Raw", Error: "E"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := machine(t, &test.service).Locate(t.Context(), executions.Execution{ARN: arn, Error: "E"})
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
