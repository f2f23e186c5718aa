// Command crosscheck applies uniqueness, relations and the rules across files.
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
	check := phase.CrossCheck{
		Common: a.Phase(), DB: a.Database(phase.CrossCheckConnections), Recorder: a.Registry(), MaxShrink: a.Env.MaxShrink,
	}
	check.Budgets = a.Budgets(check.Contract)
	lambda.Start(app.Handler(a, "CrossCheck", check.Run))
}
