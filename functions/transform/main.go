// Command transform turns the valid records of a chunk into events.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/uuid"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/phase"
)

func main() {
	ctx := context.Background()
	a := app.Load(ctx)
	common := a.Phase()
	transform := phase.Transform{
		Common: common, DB: a.Database(ctx, 1), KMS: a.KMS(), Enrichers: a.Enrichers(common.Contract), NewID: uuid.NewV7,
	}
	lambda.Start(app.Handler(a, "Transform", transform.Run))
}
