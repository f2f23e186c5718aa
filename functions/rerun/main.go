// Command rerun resumes, restarts or abandons an import.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	rerunner, err := a.Rerunner(a.Database(1))
	if err != nil {
		return nil, err
	}
	return fault.Boundary(a.Log, rerunner.Rerun), nil
}
