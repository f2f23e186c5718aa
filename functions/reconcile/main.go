// Command reconcile proves counts and checksums before anything is visible.
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
	reconcile := phase.Reconcile{Common: common, DB: a.Database(1)}
	return app.Handler(a, etl.StateReconcile, reconcile.Run), nil
}
