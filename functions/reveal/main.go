// Command reveal reads encrypted values for people who may, and finds where they are.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/gateway"
	"etl-dataloader/internal/reveal"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	revealer, err := a.Revealer(a.Database(1).EndStatements(reveal.StatementTimeout))
	if err != nil {
		return nil, err
	}
	return gateway.ServeRoutes(a.Log, invoked, map[string]gateway.Route{
		"POST /reveal": gateway.To(revealer.Reveal), "POST /find": gateway.To(revealer.Find),
	}), nil
}

// invoked returns the ARN by which the function was invoked.
func invoked(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.InvokedFunctionArn
	}
	return ""
}
