package schedule

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/fault"
)

// Functions calls functions; *lambda.Client is one.
type Functions interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Soon asks by asynchronous invocations of a function, which AWS Lambda
// repeats twice if they fail. It is safe for concurrent use.
type Soon struct {
	Client      Functions
	FunctionARN string
}

// Ask implements [control.Reruns].
func (s Soon) Ask(ctx context.Context, request control.Request) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("schedule: encode a request for %s: %w", request.ImportID, err)
	}
	_, err = s.Client.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(s.FunctionARN), InvocationType: lambdatypes.InvocationTypeEvent, Payload: body,
	})
	return fault.FromAWS("schedule: ask for a re-execution of "+request.ImportID, err)
}
