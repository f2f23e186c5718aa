// Command scan reads a file once and cuts it into chunks.
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
	scan := phase.Scan{
		Common: common, Landing: a.Landing(), ChunkBytes: a.Env.ChunkBytes, ChunkRecords: a.Env.ChunkRecords, MaxFileBytes: a.Env.MaxFileBytes,
	}
	return app.Handler(a, etl.StateScanFile, scan.Run), nil
}
