// Command index indexes a detached table after it was loaded.
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
	index := phase.Index{Common: a.Phase(), DB: a.Database(1)}
	lambda.Start(app.Handler(a, "Index", index.Run))
}
