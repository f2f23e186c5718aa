package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/schedule"
)

var (
	_ schedule.Scheduler = (*scheduler.Client)(nil)
	_ schedule.Functions = (*lambda.Client)(nil)
	_ control.Later      = schedule.Later{}
	_ control.Reruns     = schedule.Soon{}
)

// schedules keeps the schedules made; one of a name that is there is refused.
type schedules struct {
	made map[string]*scheduler.CreateScheduleInput
	fail error
}

func (s *schedules) CreateSchedule(_ context.Context, in *scheduler.CreateScheduleInput, _ ...func(*scheduler.Options)) (*scheduler.CreateScheduleOutput, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	if s.made[*in.Name] != nil {
		return nil, &schedulertypes.ConflictException{}
	}
	s.made[*in.Name] = in
	return &scheduler.CreateScheduleOutput{}, nil
}

// TestLater: a schedule is made once, in UTC, and the request arrives as it is.
func TestLater(t *testing.T) {
	s := &schedules{made: map[string]*scheduler.CreateScheduleInput{}}
	at := time.Date(2024, 10, 9, 17, 0, 5, 0, time.FixedZone("Paris", 2*3600))
	later := schedule.Later{Client: s, Group: "redrives", FunctionARN: "arn:rerun", RoleARN: "arn:role"}
	request := control.Request{ImportID: "I", Mode: "resume", Attempt: 2}
	for range 2 {
		if err := later.Ask(t.Context(), "n", at, request); err != nil {
			t.Fatal(err)
		}
	}
	in := s.made["n"]
	want := `{"import_id":"I","mode":"resume","attempt":2}`
	if *in.ScheduleExpression != "at(2024-10-09T15:00:05)" || *in.Target.Input != want || *in.GroupName != "redrives" ||
		*in.Target.Arn != "arn:rerun" || *in.Target.RoleArn != "arn:role" {
		t.Errorf("made %+v for %s", in, *in.Target.Input)
	}
	s.fail = errors.New("connection reset")
	if err := later.Ask(t.Context(), "m", at, request); fault.Name(fault.Lift(err)) != "Transient" {
		t.Errorf("no answer: %v", err)
	}
}

// functions keeps the invocations of a function.
type functions struct{ in []*lambda.InvokeInput }

func (f *functions) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	f.in = append(f.in, in)
	return &lambda.InvokeOutput{}, nil
}

func TestSoon(t *testing.T) {
	f := &functions{}
	want := control.Request{ImportID: "IMPORT_20241009_150000_001", Mode: etl.KindRestart, Attempt: 3}
	if err := (schedule.Soon{Client: f, FunctionARN: "arn:rerun"}).Ask(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	var got control.Request
	if err := json.Unmarshal(f.in[0].Payload, &got); err != nil || cmp.Diff(want, got) != "" ||
		*f.in[0].FunctionName != "arn:rerun" || f.in[0].InvocationType != lambdatypes.InvocationTypeEvent {
		t.Errorf("invoked %+v, %v", f.in[0], err)
	}
}
