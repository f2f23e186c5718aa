// Command enrich asks the enrichment sources: about the valid records of a chunk, and, by
// its alias, about the records of a published import that stayed unenriched.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/gateway"
	"etl-dataloader/internal/phase"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	common, err := a.Phase()
	if err != nil {
		return nil, err
	}
	enrich := phase.Enrich{
		Common: common, DB: a.Database(1), KMS: a.KMS(), FieldsKeyID: a.FieldsKey(), Enrichers: a.Enrichers(common.Contract),
		Attempts: a.Registry(), Shares: a.Registry(), Alerts: a.Alerts(), Patience: a.Patience,
	}
	replay := phase.Replay{Enrich: enrich}
	return gateway.Through(phase.ReplayAlias, invoked, app.Handler(a, etl.StateReplay, replay.Run), app.Handler(a, etl.StateEnrich, enrich.Run)), nil
}

// invoked returns the ARN by which the function was invoked.
func invoked(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.InvokedFunctionArn
	}
	return ""
}
