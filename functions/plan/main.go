// Command plan writes the manifest of all chunks and makes the detached tables.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	common, err := a.Phase()
	if err != nil {
		return nil, err
	}
	plan := phase.Plan{
		Common: common, DB: a.Database(1), Landing: a.Landing(), Recorder: a.Registry(), MaxDailyRecords: a.Env.MaxDailyRecords,
	}
	return app.Handler(a, etl.StatePlan, plan.Run), nil
}
