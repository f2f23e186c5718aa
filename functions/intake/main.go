// Command intake takes in the files that arrive in the landing bucket.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	intake, err := a.Intake()
	if err != nil {
		return nil, err
	}
	return fault.Boundary(a.Log, intake.Handle), nil
}
