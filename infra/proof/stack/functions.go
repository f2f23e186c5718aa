package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// FunctionError is an error that a function returned.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Function returns the name of the function of a logical id of the template, such
// as "IntakeFunction".
func (s *Stack) Function(ctx context.Context, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		var err error
		if s.names, err = s.listFunctions(ctx); err != nil {
			return "", err
		}
	}
	for _, name := range s.names {
		rest, ours := strings.CutPrefix(name, s.Name+"-"+id)
		if ours && (rest == "" || rest[0] == '-') {
			return name, nil
		}
	}
	return "", fmt.Errorf("the stack has no %s", id)
}

// listFunctions returns the names of all functions.
func (s *Stack) listFunctions(ctx context.Context) (names []string, err error) {
	pages := lambda.NewListFunctionsPaginator(s.Lambda, &lambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range page.Functions {
			names = append(names, aws.ToString(f.FunctionName))
		}
	}
	return names, nil
}

// Invoke calls a function by its logical id with an event, which becomes JSON, and
// returns its answer. It fails with a [FunctionError] if the function did.
func (s *Stack) Invoke(ctx context.Context, id string, event any, options ...func(*lambda.Options)) (json.RawMessage, error) {
	name, err := s.Function(ctx, id)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	out, err := s.Lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: body}, options...)
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", id, err)
	}
	if out.FunctionError == nil {
		return out.Payload, nil
	}
	failed := &FunctionError{}
	return nil, errors.Join(json.Unmarshal(out.Payload, failed), failed)
}
