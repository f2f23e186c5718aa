// Command publish makes an import visible, whole, in one transaction.
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
	publish := phase.Publish{Common: a.Phase(), DB: a.Database(1), Alerts: a.Alerts(), History: a.Registry(), Retention: a.Env.StagingRetention}
	lambda.Start(app.Handler(a, "Publish", publish.Run))
}
