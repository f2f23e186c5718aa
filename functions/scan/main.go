// Command scan reads a file once and cuts it into chunks.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/phase"
)

func main() {
	a := app.Load(context.Background())
	scan := phase.Scan{
		Common: a.Phase(), Landing: a.Landing(), ChunkBytes: a.Env.ChunkBytes, ChunkRecords: a.Env.ChunkRecords, MaxFileBytes: a.Env.MaxFileBytes,
	}
	lambda.Start(app.Handler(a, "ScanFile", scan.Run))
}
