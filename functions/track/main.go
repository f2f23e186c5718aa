// Command track follows the executions of the state machine.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/gateway"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	tracker, err := a.Tracker()
	if err != nil {
		return nil, err
	}
	return gateway.Through(control.TrailAlias, invoked, fault.Boundary(a.Log, tracker.Redriven), fault.Boundary(a.Log, tracker.Track)), nil
}

// invoked returns the ARN by which the function was invoked.
func invoked(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.InvokedFunctionArn
	}
	return ""
}
