// Command crosscheck applies uniqueness, relations and the rules across files.
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
	check := phase.CrossCheck{
		Common: common, DB: a.Database(phase.CrossCheckConnections), Recorder: a.Registry(), MaxShrink: a.Env.MaxShrink,
	}
	check.Budgets, err = a.Budgets(common.Contract)
	return app.Handler(a, etl.StateCrossCheck, check.Run), err
}
