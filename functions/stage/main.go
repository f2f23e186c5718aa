// Command stage persists the protected records of a chunk.
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
	stage := phase.Stage{Common: common, DB: a.Database(1)}
	return app.Handler(a, etl.StateStage, stage.Run), nil
}
