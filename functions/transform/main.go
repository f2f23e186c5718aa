// Command transform turns the valid records of a chunk into events.
package main

import (
	"context"
	"crypto/rand"

	"etl-dataloader/internal/event"
	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/phase"
)

func main() {
	ctx := context.Background()
	a := app.Load(ctx)
	common := a.Phase()
	transform := phase.Transform{
		Common: common, DB: a.Database(1), KMS: a.KMS(), Enrichers: a.Enrichers(common.Contract), NewID: event.NewIDs(rand.Reader),
	}
	lambda.Start(app.Handler(a, "Transform", transform.Run))
}
