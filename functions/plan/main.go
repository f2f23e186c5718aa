// Command plan writes the manifest of all chunks and makes the detached tables.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/phase"
)

func main() {
	ctx := context.Background()
	a := app.Load(ctx)
	plan := phase.Plan{
		Common: a.Phase(), DB: a.Database(1), Landing: a.Landing(), Recorder: a.Registry(), MaxDailyRecords: a.Env.MaxDailyRecords,
	}
	lambda.Start(app.Handler(a, "Plan", plan.Run))
}
