// Command sweep makes up for lost events and starts what is due.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() {
	a := app.Load(context.Background())
	lambda.Start(fault.Boundary(a.Log, a.Control(nil).Sweep))
}
