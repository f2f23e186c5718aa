// Command sweep makes up for lost events and starts what is due.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	sweeper, err := a.Sweeper()
	if err != nil {
		return nil, err
	}
	return fault.Boundary(a.Log, sweeper.Sweep), nil
}
