package statemachine_test

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// TestRetryable: what the machine retries at once may also be redriven automatically
// later.
func TestRetryable(t *testing.T) {
	eachOf(t, func(name string, s *state) {
		for _, r := range s.Retry {
			for _, e := range r.ErrorEquals {
				if !fault.Retryable(etl.Fault(e)) {
					t.Errorf("%s retries %s, after which no automatic redrive is planned", name, e)
				}
			}
		}
	})
}

// allowing are the statements of a function's policies that allow an action.
func allowing(t *testing.T, function, action string) (found []*yaml.Node) {
	t.Helper()
	for _, policy := range section(t, "Resources", function, "Properties", "Policies").Content {
		statements := member(policy, "Statement")
		if statements == nil {
			continue
		}
		for _, s := range statements.Content {
			if slices.Contains(scalars(member(s, "Action")), action) {
				found = append(found, s)
			}
		}
	}
	return found
}

// TestRedriveSchedules: who plans redrives may make schedules of their group and
// hand them their role; that role is Scheduler's alone and may call the one
// function that re-executes, which may not plan for itself.
func TestRedriveSchedules(t *testing.T) {
	for _, function := range []string{"TrackFunction", "SweepFunction"} {
		env := section(t, "Resources", function, "Properties", "Environment", "Variables")
		for variable, value := range map[string]string{
			"AUTOMATIC_REDRIVES": "AutomaticRedrives", "AUTOMATIC_REDRIVE_DELAY": "AutomaticRedriveDelay",
			"RERUN_FUNCTION_ARN": "RerunFunction.Arn", "REDRIVE_SCHEDULE_GROUP": "RedriveSchedules", "REDRIVE_SCHEDULE_ROLE_ARN": "RedriveScheduleRole.Arn",
		} {
			if v := member(env, variable); v == nil || v.Value != value {
				t.Errorf("%s: %s is not %s", function, variable, value)
			}
		}
		create, pass := allowing(t, function, "scheduler:CreateSchedule"), allowing(t, function, "iam:PassRole")
		if len(create) != 1 || !strings.HasSuffix(member(create[0], "Resource").Value, ":schedule/${RedriveSchedules}/*") {
			t.Errorf("%s may not make schedules of the group, or others too", function)
		}
		if len(pass) != 1 || member(pass[0], "Resource").Value != "RedriveScheduleRole.Arn" ||
			!slices.Equal(scalars(member(pass[0], "Condition")), []string{"StringEquals", "iam:PassedToService", "scheduler.amazonaws.com"}) {
			t.Errorf("%s may not hand over the role, or more than that", function)
		}
	}
	for _, function := range []string{"RerunFunction", "IntakeFunction"} {
		if allowing(t, function, "scheduler:CreateSchedule") != nil || allowing(t, function, "iam:PassRole") != nil {
			t.Errorf("%s may make schedules", function)
		}
	}
	role := section(t, "Resources", "RedriveScheduleRole", "Properties")
	trust := scalars(member(role, "AssumeRolePolicyDocument"))
	for _, want := range []string{"scheduler.amazonaws.com", "aws:SourceAccount", "RedriveSchedules.Arn"} {
		if !slices.Contains(trust, want) {
			t.Errorf("the trust policy does not name %s: %v", want, trust)
		}
	}
	policies := member(role, "Policies")
	statements := member(member(policies.Content[0], "PolicyDocument"), "Statement").Content
	if len(policies.Content) != 1 || len(statements) != 1 || member(statements[0], "Action").Value != "lambda:InvokeFunction" ||
		member(statements[0], "Resource").Value != "RerunFunction.Arn" {
		t.Error("the role may do something else than call the function that re-executes")
	}
}

// TestRerunMay: the function that re-executes may compare the definitions and
// delete work objects, but neither reports nor anything of the landing bucket;
// Publish may read the attempts. An emulator that enforces no policy tells nothing
// of it.
func TestRerunMay(t *testing.T) {
	for action, want := range map[string]struct{ function, resource string }{
		"states:DescribeStateMachine":             {"RerunFunction", "ImportStateMachine"},
		"states:DescribeStateMachineForExecution": {"RerunFunction", ":execution:${AWS::StackName}-import:*"},
		"s3:DeleteObjectVersion":                  {"RerunFunction", "${WorkBucket.Arn}/*/g*/*"},
		"dynamodb:Query":                          {"PublishFunction", "RegistryTable.Arn"},
		"dynamodb:GetItem":                        {"PublishFunction", "RegistryTable.Arn"},
	} {
		found := allowing(t, want.function, action)
		if len(found) != 1 {
			t.Errorf("%d statements allow %s %s", len(found), want.function, action)
			continue
		}
		if resources := scalars(member(found[0], "Resource")); !slices.ContainsFunc(resources, func(r string) bool { return strings.HasSuffix(r, want.resource) }) {
			t.Errorf("%s may %s on %v", want.function, action, resources)
		}
	}
	lists := allowing(t, "RerunFunction", "s3:ListBucketVersions")
	if !slices.ContainsFunc(lists, func(s *yaml.Node) bool { return slices.Contains(scalars(member(s, "Resource")), "WorkBucket.Arn") }) {
		t.Error("RerunFunction may not list the versions of the work bucket")
	}
}
