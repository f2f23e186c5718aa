// Command rerun resumes, restarts or abandons an import.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/gateway"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	rerunner, err := a.Rerunner(a.Database(1))
	if err != nil {
		return nil, err
	}
	return gateway.Serve(a.Log, invoked, rerunner.Rerun), nil
}

// invoked returns the ARN by which the function was invoked.
func invoked(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.InvokedFunctionArn
	}
	return ""
}
