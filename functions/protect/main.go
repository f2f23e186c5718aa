// Command protect tokenises and encrypts the records of a chunk.
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
	protect := phase.Protect{Common: common, Landing: a.Landing(), KMS: a.KMS(), FieldsKeyID: a.FieldsKey(), TokensKeyID: a.TokensKey()}
	return app.Handler(a, etl.StateProtect, protect.Run), nil
}
