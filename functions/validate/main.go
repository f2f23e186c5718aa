// Command validate applies the rules over one record to a chunk.
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
	validate := phase.Validate{Common: common, DB: a.Database(1), KMS: a.KMS(), FieldsKeyID: a.FieldsKey()}
	validate.Budgets, err = a.Budgets(common.Contract)
	return app.Handler(a, etl.StateValidate, validate.Run), err
}
