// Command prepare persists the events and typed rows of a chunk, detached.
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
	prepare := phase.Prepare{Common: a.Phase(), DB: a.Database(1), LogEvents: a.Env.LogEvents}
	lambda.Start(app.Handler(a, "Prepare", prepare.Run))
}
