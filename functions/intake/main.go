// Command intake takes in the files that arrive in the landing bucket.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() {
	a := app.Load(context.Background())
	lambda.Start(fault.Boundary(a.Log, a.Intake(a.Control(nil)).Handle))
}
