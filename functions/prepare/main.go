// Command prepare persists the events and typed rows of a chunk, detached.
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
	prepare := phase.Prepare{Common: common, DB: a.Database(1), LogEvents: a.Env.LogEvents}
	return app.Handler(a, etl.StatePrepare, prepare.Run), nil
}
