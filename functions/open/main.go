// Command open checks that the ten files are there and opens the import.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
)

func main() { os.Exit(app.Main(lambda.Start, build)) }

func build(a *app.App) (any, error) {
	common, err := a.Phase()
	if err != nil {
		return nil, err
	}
	open := phase.Open{
		Common: common, Sealer: a.Registry(), History: a.Registry(), DB: a.Database(1), KMS: a.KMS(), FieldsKeyID: a.FieldsKey(),
		RequireControl: a.Env.RequireControl,
		Settings: phase.Settings{
			ScanConcurrency: a.Env.MaxConcurrency, ChunkConcurrency: a.Env.MaxConcurrency, IndexConcurrency: min(a.Env.MaxConcurrency, 2),
		},
	}
	return app.Handler(a, etl.StateOpen, open.Run), nil
}
