// Command track follows the executions of the state machine.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	tracker, err := a.Tracker()
	if err != nil {
		return nil, err
	}
	return fault.Boundary(a.Log, tracker.Track), nil
}
