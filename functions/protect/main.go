// Command protect tokenises and encrypts the records of a chunk.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/phase"
)

func main() {
	a := app.Load(context.Background())
	protect := phase.Protect{Common: a.Phase(), Landing: a.Landing(), KMS: a.KMS(), MACKeyID: a.Env.MACKeyID}
	lambda.Start(app.Handler(a, "Protect", protect.Run))
}
