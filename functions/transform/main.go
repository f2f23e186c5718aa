// Command transform turns the valid records of a chunk into events.
package main

import (
	"crypto/rand"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/phase"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	common, err := a.Phase()
	if err != nil {
		return nil, err
	}
	transform := phase.Transform{Common: common, DB: a.Database(1), NewID: event.NewIDs(rand.Reader)}
	return app.Handler(a, etl.StateTransform, transform.Run), nil
}
