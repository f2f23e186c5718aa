// Command enrich asks the enrichment sources about the valid records of a chunk.
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
	enrich := phase.Enrich{
		Common: common, DB: a.Database(1), KMS: a.KMS(), FieldsKeyID: a.FieldsKey(), Enrichers: a.Enrichers(common.Contract),
		Attempts: a.Registry(), Shares: a.Registry(), Alerts: a.Alerts(), Patience: a.Patience,
	}
	return app.Handler(a, etl.StateEnrich, enrich.Run), nil
}
