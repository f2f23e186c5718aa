// Command track follows the executions of the state machine.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() {
	a := app.Load(context.Background())
	lambda.Start(fault.Boundary(a.Log, a.Control(nil).Track))
}
