package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
)

// daily imports a day of ten even files and prints how long it took from the
// upload of the tenth to «réussi».
func (o speedOptions) daily(ctx context.Context, c *cloud) error {
	day := stack.Set{Mode: string(etl.ModeDaily), Date: dayDate, Folder: filepath.Join(o.folder, "files", "day")}
	if err := day.Make(ctx, "-even", "-rows", strconv.FormatInt(o.dailyRows, 10), "-history-rows", strconv.FormatInt(o.rows, 10)); err != nil {
		return err
	}
	files, err := day.Files()
	if err != nil {
		return err
	}
	if err := c.Upload(ctx, day, files[1:]...); err != nil {
		return err
	}
	if err := stack.Wait(ctx, "the arrival of nine files", time.Minute, func() (bool, error) {
		arrived, err := c.registry.Arrivals(ctx, etl.ModeDaily, dayDate)
		return len(arrived) == len(files)-1, err
	}); err != nil {
		return err
	}
	loadBefore, began := load(), time.Now()
	if err := c.Upload(ctx, day, files[0]); err != nil {
		return err
	}
	imp, err := c.await(ctx, day, importLimit)
	if err != nil {
		return err
	}
	succeeded := time.Now()
	e, err := c.execution(ctx, imp.ExecutionARN)
	if err != nil {
		return err
	}
	status, err := c.registry.Status(ctx, imp.ImportID)
	if err != nil {
		return err
	}
	empty, err := c.shape(ctx, e)
	if err != nil {
		return err
	}
	var records int64
	for _, f := range status.Files {
		records += f.Counts.Read
	}
	fmt.Printf("\nDaily import %s: %s records in ten files, %.1f s from the tenth upload to «%s»; load average before %s\n",
		imp.ImportID, grouped(records), succeeded.Sub(began).Seconds(), imp.Status, loadBefore)
	fmt.Printf("to the start of the execution %.1f s, execution %.1f s (%d events of history), to «%s» %.1f s\n",
		e.started.Sub(began).Seconds(), e.seconds(), e.events, imp.Status, succeeded.Sub(e.stopped).Seconds())
	w := table()
	row(w, "state", "seconds", "of it the emulator")
	for _, st := range e.states {
		row(w, st.name, st.seconds(), empty.find(st.name).seconds())
	}
	row(w, "execution", e.seconds(), empty.seconds())
	_ = w.Flush()
	fmt.Printf("The emulator takes %.1f s for an execution of the same shape whose functions do nothing; without it: %.1f s\n",
		empty.seconds(), succeeded.Sub(began).Seconds()-empty.seconds())
	return nil
}

// shape runs the state machine of an execution once more, over functions that do
// nothing but return what the real ones did, and returns that execution.
func (c *cloud) shape(ctx context.Context, real execution) (execution, error) {
	role, err := c.Role(ctx, "bench")
	if err != nil {
		return execution{}, err
	}
	function, err := c.noop(ctx, role)
	if err != nil {
		return execution{}, err
	}
	described, err := c.SFN.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: c.machine()})
	if err != nil {
		return execution{}, err
	}
	definition, err := emptied(aws.ToString(described.Definition), function, real)
	if err != nil {
		return execution{}, err
	}
	machine, err := c.SFN.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name: aws.String("bench-shape"), Definition: &definition, RoleArn: &role, Type: sfntypes.StateMachineTypeStandard,
	})
	if err != nil {
		return execution{}, err
	}
	// The first execution starts the function's processes.
	var last execution
	for range 2 {
		started, err := c.SFN.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: machine.StateMachineArn, Input: aws.String("{}")})
		if err != nil {
			return execution{}, err
		}
		if err := c.succeeded(ctx, started.ExecutionArn); err != nil {
			return execution{}, err
		}
		if last, err = c.execution(ctx, aws.ToString(started.ExecutionArn)); err != nil {
			return execution{}, err
		}
	}
	return last, nil
}

// succeeded waits until an execution succeeded.
func (c *cloud) succeeded(ctx context.Context, arn *string) error {
	return stack.Wait(ctx, "the execution of the empty shape", importLimit, func() (bool, error) {
		described, err := c.SFN.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: arn})
		if err != nil {
			return false, err
		}
		switch described.Status {
		case sfntypes.ExecutionStatusRunning:
			return false, nil
		case sfntypes.ExecutionStatusSucceeded:
			return true, nil
		default:
			return false, fmt.Errorf("%s: %s", aws.ToString(described.Error), aws.ToString(described.Cause))
		}
	})
}

// emptied is a definition whose tasks all call a function that does nothing. The
// tasks of the main line answer what the real execution's did, so that its Maps
// have as many items; those of a chunk answer nothing.
func emptied(definition, function string, real execution) (string, error) {
	var machine map[string]any
	if err := json.Unmarshal([]byte(definition), &machine); err != nil {
		return "", fmt.Errorf("definition: %w", err)
	}
	states, ok := machine["States"].(map[string]any)
	if !ok {
		return "", errors.New("the definition has no states")
	}
	for name, value := range states {
		answer := map[string]any{}
		if output := real.outputs[name]; output != "" {
			if err := json.Unmarshal([]byte(output), &answer); err != nil {
				return "", fmt.Errorf("output of %s: %w", name, err)
			}
		}
		if member := resultMember(value); member != "" { // the task's result is but a member of the state's output
			answer, _ = answer[member].(map[string]any)
		}
		empty(value, function, answer)
	}
	text, err := json.Marshal(machine)
	return string(text), err
}

// resultMember is the member that a state's ResultPath names, "plan" of "$.plan".
func resultMember(value any) string {
	state, ok := value.(map[string]any)
	if !ok {
		return ""
	}
	path, ok := state["ResultPath"].(string)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
}

// empty replaces the tasks of a state, and of the states inside it.
func empty(value any, function string, answer map[string]any) {
	state, ok := value.(map[string]any)
	if !ok {
		return
	}
	if state["Type"] == "Task" {
		state["Resource"] = function
		state["Parameters"] = map[string]any{"answer": answer}
	}
	if processor, ok := state["ItemProcessor"].(map[string]any); ok {
		if inner, ok := processor["States"].(map[string]any); ok {
			for name, task := range inner {
				answer := map[string]any{}
				if etl.State(name) == etl.StateEnrichChunk {
					answer["done"] = true // or the machine would ask again
				}
				empty(task, function, answer)
			}
		}
	}
}

// noop builds the function that does nothing and deploys it with a role; it returns its
// ARN.
func (c *cloud) noop(ctx context.Context, role string) (string, error) {
	binary := filepath.Join("build", "local", "noop", "bootstrap")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-o", binary, "./infra/proof/bench/noop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the empty function: %w: %s", err, out)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	header.SetMode(0o755)
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return "", err
	}
	if _, err := entry.Write(content); err != nil {
		return "", err
	}
	if err := archive.Close(); err != nil {
		return "", err
	}
	created, err := c.Lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(stackName + "-NoopFunction"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: &role, Timeout: aws.Int32(60),
		Code: &lambdatypes.FunctionCode{ZipFile: packed.Bytes()},
	})
	if err != nil {
		return "", fmt.Errorf("deploy the empty function: %w", err)
	}
	return aws.ToString(created.FunctionArn), nil
}
