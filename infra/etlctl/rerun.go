package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// rerunning is what the commands that re-execute have in common.
type rerunning struct {
	ImportID string        `arg:"" name:"import_id" help:"${import_id}"`
	NoFollow bool          `help:"${no_follow}"`
	Timeout  time.Duration `help:"${timeout}" default:"60m"`
}

// run asks the function for a re-execution and follows the import.
func (r *rerunning) run(ctx context.Context, c *console, request control.Request) error {
	if r.ImportID == "" {
		return &usageError{textNoImportID}
	}
	ctx, cancel := within(ctx, r.Timeout)
	defer cancel()
	s, err := c.open(ctx, "REGISTRY_TABLE", "WORK_BUCKET", "RERUN_FUNCTION")
	if err != nil {
		return err
	}
	request.ImportID, request.Trigger = r.ImportID, etl.TriggerCommand
	if len(request.Accept) > 0 {
		if request.By, err = s.whoami(ctx); err != nil {
			return err
		}
	}
	answer, err := rerun(ctx, s.functions, s.rerun, request)
	if refused, ok := errors.AsType[*refusedError](err); ok {
		_, _ = fmt.Fprintln(c.err, refused.Error())
		return toldError{}
	}
	if err != nil {
		return stopped(ctx, err, r.ImportID, r.Timeout)
	}
	c.say(answer.Message)
	if r.NoFollow {
		return nil
	}
	f := follower{imports: s.registry, show: newDisplay(c), now: c.now, pause: c.pause}
	return c.followed(ctx, f, r.ImportID, r.Timeout, s.work, nil)
}

// invoker calls functions; *lambda.Client implements it. A call whose answer is lost may
// still have been carried out.
type invoker interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// refusedError means that the function did not carry out a request.
type refusedError struct {
	Name string // name of the fault, such as "Refused"
	Text string // in French, for people
}

// Error implements error.
func (e *refusedError) Error() string {
	if e.Name == "Refused" {
		return textRefused(e.Text)
	}
	return textRerunFailed(e.Name, e.Text)
}

// rerun asks for a re-execution; it fails with *refusedError if the function
// answered with a fault.
func rerun(ctx context.Context, functions invoker, function string, request control.Request) (control.Answer, error) {
	payload, err := json.Marshal(request)
	if err != nil {
		return control.Answer{}, err
	}
	out, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		return control.Answer{}, err
	}
	if out.FunctionError != nil {
		fault := struct {
			Name string `json:"errorType"`
			Text string `json:"errorMessage"`
		}{Name: aws.ToString(out.FunctionError), Text: string(out.Payload)}
		// Output that is not JSON, such as that of a killed function, is shown unchanged.
		_ = json.Unmarshal(out.Payload, &fault)
		return control.Answer{}, &refusedError{Name: fault.Name, Text: fault.Text}
	}
	var answer control.Answer
	if err := json.Unmarshal(out.Payload, &answer); err != nil {
		return answer, fmt.Errorf("the answer of %s: %w", function, err)
	}
	return answer, nil
}
