// Command reconcile proves counts and checksums before anything is visible.
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
	reconcile := phase.Reconcile{Common: a.Phase(), DB: a.Database(1)}
	lambda.Start(app.Handler(a, "Reconcile", reconcile.Run))
}
