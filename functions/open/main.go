// Command open checks that the ten files are there and opens the import.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/phase"
)

func main() {
	ctx := context.Background()
	a := app.Load(ctx)
	open := phase.Open{
		Common: a.Phase(), Sealer: a.Registry(), History: a.Registry(), DB: a.Database(1), KMS: a.KMS(), DataKeyID: a.Env.DataKeyID,
		RequireControl: a.Env.RequireControl,
		Settings: phase.Settings{
			ScanConcurrency: a.Env.MaxConcurrency, ChunkConcurrency: a.Env.MaxConcurrency, IndexConcurrency: min(a.Env.MaxConcurrency, 2),
		},
	}
	lambda.Start(app.Handler(a, "Open", open.Run))
}
