// Command stage persists the protected records of a chunk.
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
	stage := phase.Stage{Common: a.Phase(), DB: a.Database(1)}
	lambda.Start(app.Handler(a, "Stage", stage.Run))
}
