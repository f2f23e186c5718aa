package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/infra/proof/stack"
)

// patience is how long the product may take for anything in a cell.
const patience = 90 * time.Second

// until waits for a condition with the patience of a cell.
func until(ctx context.Context, what string, condition func() (bool, error)) error {
	return stack.Wait(ctx, what, patience, condition)
}

// makeSet makes ten small files with a fault of every kind.
func (s *system) makeSet(ctx context.Context, mode string) (stack.Set, error) {
	made := stack.Set{Mode: mode, Date: "2024-10-01", Folder: filepath.Join(s.Folder, "sample", mode)}
	if mode == "daily" {
		made.Date = "2024-10-08"
	}
	return made, makeSmall(ctx, made, "7")
}

// makeSmall makes the files of a set.
func makeSmall(ctx context.Context, set stack.Set, seed string) error {
	options := []string{"-rows", "60", "-seed", seed, "-faults", "0.01"}
	if set.Mode == "daily" {
		options = append(options, "-history-rows", "60")
	}
	return set.Make(ctx, options...)
}

// end waits until at least so many attempts were made, and the last one has
// ended and was reported.
func (s *system) end(ctx context.Context, of stack.Set, attempts int) (stack.Import, error) {
	return s.Await(ctx, fmt.Sprintf("the end of attempt %d", attempts), patience, of.Mode, of.Date, func(imp stack.Import) (bool, error) {
		return imp.Attempts >= attempts && imp.Reported(), nil
	})
}

// rerun asks for a re-execution, as an administrator does. A refusal because the
// import is running already is no error: somebody else was faster.
func (s *system) rerun(ctx context.Context, imp stack.Import, mode string) (refused bool, err error) {
	_, err = s.Invoke(ctx, "RerunFunction", map[string]any{"import_id": imp.ImportID, "mode": mode})
	var failed *stack.FunctionError
	if errors.As(err, &failed) && failed.Type == "Refused" {
		return true, nil
	}
	if err != nil {
		err = fmt.Errorf("%s of %s: %w", mode, imp.ImportID, err)
	}
	return false, err
}

// resumer returns what resumes the failed import of a cell; a refusal is an error.
func (s *system) resumer(c cell) func(context.Context, stack.Import) error {
	ask := s.resume
	if c.byConsole() {
		ask = s.redriveExecution
	}
	return func(ctx context.Context, imp stack.Import) error {
		refused, err := ask(ctx, imp)
		if err == nil && refused {
			err = errors.New("the redrive was refused")
		}
		return err
	}
}

// resume asks the rerun function.
func (s *system) resume(ctx context.Context, imp stack.Import) (refused bool, err error) {
	return s.rerun(ctx, imp, "resume")
}

// redriveExecution asks Step Functions itself, as its console does. Of the
// product nobody is asked.
func (s *system) redriveExecution(ctx context.Context, imp stack.Import) (refused bool, err error) {
	_, err = s.SFN.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: aws.String(imp.ExecutionARN)})
	var running *sfntypes.ExecutionNotRedrivable
	if errors.As(err, &running) {
		return true, nil
	}
	return false, err
}

// twoRedrives asks for two redrives at once, in cells of the console once in each
// way: one at least must be accepted.
func (s *system) twoRedrives(ctx context.Context, c cell, imp stack.Import) error {
	type answer struct {
		refused bool
		err     error
	}
	asked := []func(context.Context, stack.Import) (bool, error){s.resume, s.resume}
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

// noticed fails unless the redrives of a cell are in the registry as what they
// were: a redrive of the console is only seen through the change of the status.
func (s *system) noticed(ctx context.Context, c cell, imp stack.Import) error {
	want := stack.Attempt{Kind: "resume", Trigger: "command"}
	switch {
	case c.fault.name == "two-redrives":
		return nil // who was faster is not known
	case c.fault.name == "late-twin":
		want.Kind = "restart"
	case c.byConsole():
		want.Trigger = "console"
	}
	attempts, err := s.Attempts(ctx, imp.ImportID)
	if err != nil {
		return err
	}
	if len(attempts) < imp.Attempts {
		return fmt.Errorf("%d attempts are recorded, want %d", len(attempts), imp.Attempts)
	}
	for i, got := range attempts[1:] {
		if got.Kind != want.Kind || got.Trigger != want.Trigger {
			return fmt.Errorf("attempt %d is recorded as %q by %q, want %q by %q", i+2, got.Kind, got.Trigger, want.Kind, want.Trigger)
		}
	}
	return nil
}

// stopExecution stops the execution of an import by hand.
func (s *system) stopExecution(ctx context.Context, imp stack.Import) error {
	_, err := s.SFN.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: aws.String(imp.ExecutionARN)})
	return err
}
