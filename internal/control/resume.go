package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// resume redrives the current execution of a failed import; where AWS does not
// allow it any more, a new execution continues the same generation. asked holds
// who or what asks for it, and what that accepts.
func (c *Control) resume(ctx context.Context, imp registry.Import, asked registry.Pending) (Answer, error) {
	d, exists, err := c.describe(ctx, imp)
	if err != nil {
		return Answer{}, err
	}
	if !exists || d.RedriveStatus == sfntypes.ExecutionRedriveStatusNotRedrivable {
		return c.continueAnew(ctx, imp, asked, notRedrivable(d))
	}
	redrives := int(aws.ToInt32(d.RedriveCount)) + 1
	asked.Kind, asked.Redrives = registry.KindResume, redrives
	claimed, err := c.claim(ctx, imp, asked)
	if err != nil {
		return Answer{}, err
	}
	at := c.Now().UTC()
	redriven, err := c.Executions.RedriveExecution(ctx, &sfn.RedriveExecutionInput{
		ExecutionArn: aws.String(imp.ExecutionARN),
		ClientToken:  aws.String(fmt.Sprintf("%s-r%d", executionName(imp.ExecutionARN), redrives)),
	})
	if _, not := errors.AsType[*sfntypes.ExecutionNotRedrivable](err); not {
		d, exists, err := c.describe(ctx, imp)
		if err != nil {
			return Answer{}, err
		}
		if !exists || int(aws.ToInt32(d.RedriveCount)) < redrives {
			if err := c.Registry.Withdraw(ctx, claimed); err != nil {
				return Answer{}, err
			}
			if exists && d.Status == sfntypes.ExecutionStatusRunning {
				return Answer{}, &fault.Refused{ImportID: imp.ImportID, Reason: message.RefusedRunning}
			}
			return c.continueAnew(ctx, imp, asked, notRedrivable(d))
		}
		// Somebody else's redrive was faster: that is what was asked for.
	} else if err != nil {
		return Answer{}, fault.FromAWS("control: redrive the execution of "+imp.ImportID, err)
	} else if redriven.RedriveDate != nil {
		at = redriven.RedriveDate.UTC()
	}
	now, _, err := c.observe(ctx, imp, registry.Observation{
		ExecutionARN: imp.ExecutionARN, Redrives: redrives, Status: etl.StatusRunning, At: at,
	})
	return answer(now, registry.KindResume, message.Resumed(imp.ImportID, imp.Step)), err
}

// notRedrivable tells people why an execution cannot be redriven; d is nil if
// Step Functions has forgotten it.
func notRedrivable(d *sfn.DescribeExecutionOutput) string {
	if d == nil {
		return message.ContinuedAsForgotten
	}
	return message.NotRedrivable(aws.ToString(d.RedriveStatusReason))
}

// definitionChanged tells whether the state machine has another definition by now
// than the execution of imp, which a redrive keeps. That it cannot be found out
// is logged and keeps nobody from anything.
func (c *Control) definitionChanged(ctx context.Context, imp registry.Import) bool {
	started, err := c.Definitions.DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: aws.String(imp.ExecutionARN)})
	if err == nil {
		var now *sfn.DescribeStateMachineOutput
		if now, err = c.Definitions.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &c.StateMachineARN}); err == nil {
			return aws.ToString(now.Definition) != aws.ToString(started.Definition)
		}
	}
	c.Log.WarnContext(ctx, message.LogNoDefinition, centrallog.ImportID(imp.ImportID), centrallog.Step(message.StepRerun), centrallog.Details(err.Error()))
	return false
}

// continueAnew goes on with the same generation in a new execution, which runs
// the machine's newest definition; the ledger skips what is done. why is told to
// people. A redrive that somebody asks for meanwhile is stopped; what its
// functions still persist counts, as it is of the same generation.
func (c *Control) continueAnew(ctx context.Context, imp registry.Import, asked registry.Pending, why string) (Answer, error) {
	asked.Kind, asked.Redrives = registry.KindContinue, 0
	claimed, err := c.claim(ctx, imp, asked)
	if err != nil {
		return Answer{}, err
	}
	if err := c.stop(ctx, imp); err != nil {
		return Answer{}, c.giveUp(ctx, claimed, err)
	}
	begun, err := c.begin(ctx, claimed, claimed.Generation)
	if err != nil {
		return Answer{}, err
	}
	return answer(begun, registry.KindContinue, message.Continued(imp.ImportID, executionName(begun.ExecutionARN), why)), nil
}
