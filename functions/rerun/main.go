// Command rerun resumes, restarts or abandons an import.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() {
	ctx := context.Background()
	a := app.Load(ctx)
	lambda.Start(fault.Boundary(a.Log, a.Control(a.Database(1)).Rerun))
}
