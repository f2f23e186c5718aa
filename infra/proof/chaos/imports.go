package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/etl"
)

// imported is what the registry says of an import.
type imported struct {
	ImportID     string     `dynamodbav:"import_id"`
	Status       etl.Status `dynamodbav:"status"`
	Generation   int        `dynamodbav:"generation"`
	ExecutionARN string     `dynamodbav:"execution_arn"`
	Attempts     int        `dynamodbav:"attempts"`
	State        string     `dynamodbav:"state"`
	Fault        string     `dynamodbav:"fault"`
	Reason       string     `dynamodbav:"reason"`
	Observed     int        `dynamodbav:"observed"`
	Notified     int        `dynamodbav:"notified"`
	StartedAt    time.Time  `dynamodbav:"started_at"`
}

// set is the ten files of a mode.
type set struct{ mode, date, folder string }

// makeSet makes ten small files with a fault of every kind.
func (s *stack) makeSet(ctx context.Context, mode string) (set, error) {
	made := set{mode: mode, date: "2024-10-01", folder: filepath.Join(s.folder, "sample", mode)}
	arguments := []string{"-rows", "60", "-seed", "7", "-faults", "0.01", "-mode", mode, "-out", made.folder}
	if mode == "daily" {
		made.date = "2024-10-08"
		arguments = append(arguments, "-history-rows", "60")
	}
	out, err := exec.CommandContext(ctx, "build/local/sample", append(arguments, "-date", made.date)...).CombinedOutput() //nolint:gosec // a tool of the repository
	if err != nil {
		return made, fmt.Errorf("build/local/sample: %w: %s", err, out)
	}
	return made, nil
}

// upload puts the ten files into the landing bucket.
func (s *stack) upload(ctx context.Context, of set) error {
	files, err := filepath.Glob(filepath.Join(of.folder, "*_"+strings.ReplaceAll(of.date, "-", "")+".*"))
	if err != nil || len(files) != 10 {
		return fmt.Errorf("%s holds %d files, want ten: %w", of.folder, len(files), err)
	}
	for _, path := range files {
		content, err := os.ReadFile(path) //nolint:gosec // a generated file
		if err != nil {
			return err
		}
		if _, err := s.s3.PutObject(ctx, &s3.PutObjectInput{
			Bucket: aws.String(s.env["LANDING_BUCKET"]), Key: aws.String(of.mode + "/" + filepath.Base(path)), Body: bytes.NewReader(content),
		}); err != nil {
			return err
		}
	}
	return nil
}

// item reads one item of the registry into v; false if there is none.
func (s *stack) item(ctx context.Context, pk, sk string, v any) (bool, error) {
	out, err := s.dynamo.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.env["REGISTRY_TABLE"]), ConsistentRead: aws.Bool(true),
		Key: item{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}},
	})
	if err != nil || len(out.Item) == 0 {
		return false, err
	}
	return true, attributevalue.UnmarshalMap(out.Item, v)
}

// importOf returns the import of a set; false while it has none.
func (s *stack) importOf(ctx context.Context, of set) (imp imported, found bool, err error) {
	found, err = s.item(ctx, "DATE#"+of.mode+"#"+of.date, "IMPORT", &imp)
	if err != nil || !found {
		return imp, false, err
	}
	found, err = s.item(ctx, "IMPORT#"+imp.ImportID, "META", &imp)
	return imp, found, err
}

// end waits until at least so many attempts were made, and the last one has
// ended and was reported.
func (s *stack) end(ctx context.Context, of set, attempts int) (imp imported, err error) {
	err = until(ctx, fmt.Sprintf("the end of attempt %d", attempts), func() (bool, error) {
		var found bool
		imp, found, err = s.importOf(ctx, of)
		return found && imp.Attempts >= attempts && imp.Status != etl.StatusRunning && imp.Notified == imp.Observed+1, err
	})
	return imp, err
}

// rerun asks for a re-execution, as an administrator does. A refusal because the
// import is running already is no error: somebody else was faster.
func (s *stack) rerun(ctx context.Context, imp imported, mode string) (refused bool, err error) {
	body, err := json.Marshal(map[string]any{"import_id": imp.ImportID, "mode": mode, "trigger": "command"})
	if err != nil {
		return false, err
	}
	out, err := s.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(s.env["RERUN_FUNCTION"]), Payload: body})
	if err != nil || out.FunctionError == nil {
		return false, err
	}
	var failure struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(out.Payload, &failure); err != nil {
		return false, err
	}
	if failure.ErrorType == "Refused" {
		return true, nil
	}
	return false, fmt.Errorf("%s of %s: %s: %s", mode, imp.ImportID, failure.ErrorType, failure.ErrorMessage)
}

// resumer returns what resumes the failed import of a cell; a refusal is an error.
func (s *stack) resumer(c cell) func(context.Context, imported) error {
	ask := s.resume
	if c.byConsole() {
		ask = s.redriveExecution
	}
	return func(ctx context.Context, imp imported) error {
		refused, err := ask(ctx, imp)
		if err == nil && refused {
			err = errors.New("the redrive was refused")
		}
		return err
	}
}

// resume asks the rerun function.
func (s *stack) resume(ctx context.Context, imp imported) (refused bool, err error) {
	return s.rerun(ctx, imp, "resume")
}

// redriveExecution asks Step Functions itself, as its console does. Of the
// product nobody is asked.
func (s *stack) redriveExecution(ctx context.Context, imp imported) (refused bool, err error) {
	_, err = s.sfn.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: aws.String(imp.ExecutionARN)})
	var running *sfntypes.ExecutionNotRedrivable
	if errors.As(err, &running) {
		return true, nil
	}
	return false, err
}

// twoRedrives asks for two redrives at once, in cells of the console once in each
// way: one at least must be accepted.
func (s *stack) twoRedrives(ctx context.Context, c cell, imp imported) error {
	type answer struct {
		refused bool
		err     error
	}
	asked := []func(context.Context, imported) (bool, error){s.resume, s.resume}
	if c.byConsole() {
		asked[1] = s.redriveExecution
	}
	answers := make(chan answer, len(asked))
	for _, ask := range asked {
		go func() {
			refused, err := ask(ctx, imp)
			answers <- answer{refused, err}
		}()
	}
	a, b := <-answers, <-answers
	if a.refused && b.refused {
		return errors.New("both redrives were refused")
	}
	return errors.Join(a.err, b.err)
}

// attempt is what the registry says of an attempt.
type attempt struct {
	Kind    string `dynamodbav:"kind"`
	Trigger string `dynamodbav:"trigger"`
}

// noticed fails unless the redrives of a cell are in the registry as what they
// were: a redrive of the console is only seen through the change of the status.
func (s *stack) noticed(ctx context.Context, c cell, imp imported) error {
	want := attempt{Kind: "resume", Trigger: "command"}
	switch {
	case c.fault.name == "two-redrives":
		return nil // who was faster is not known
	case c.fault.name == "late-twin":
		want.Kind = "restart"
	case c.byConsole():
		want.Trigger = "console"
	}
	for n := 2; n <= imp.Attempts; n++ {
		var got attempt
		found, err := s.item(ctx, "IMPORT#"+imp.ImportID, fmt.Sprintf("ATTEMPT#%03d", n), &got)
		if err != nil {
			return err
		}
		if !found || got != want {
			return fmt.Errorf("attempt %d is recorded as %q by %q, want %q by %q", n, got.Kind, got.Trigger, want.Kind, want.Trigger)
		}
	}
	return nil
}

// stopExecution stops the execution of an import by hand.
func (s *stack) stopExecution(ctx context.Context, imp imported) error {
	_, err := s.sfn.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: aws.String(imp.ExecutionARN)})
	return err
}
