// Command noop is a Lambda function that does nothing: it returns the "answer"
// of its event. An execution of the import's state machine over it takes as long
// as the emulator itself does, which the benchmark subtracts.
package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
)

// event is what the benchmark's state machine sends.
type event struct {
	Answer json.RawMessage `json:"answer"`
}

func main() {
	lambda.Start(func(_ context.Context, in event) (json.RawMessage, error) {
		return in.Answer, nil
	})
}
