// Command publish makes an import visible, whole, in one transaction.
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
	publish := phase.Publish{Common: common, DB: a.Database(1), Alerts: a.Alerts(), History: a.Registry(), Retention: a.Env.StagingRetention}
	return app.Handler(a, etl.StatePublish, publish.Run), nil
}
