// Command validate applies the rules over one record to a chunk.
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
	validate := phase.Validate{Common: a.Phase(), DB: a.Database(1), KMS: a.KMS()}
	validate.Budgets = a.Budgets(validate.Contract)
	lambda.Start(app.Handler(a, "Validate", validate.Run))
}
