// Command migrate brings the database to the newest schema at each deployment: a
// custom resource of the stack, so a migration that fails rolls the stack back.
package main

import (
	"context"
	"strconv"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() {
	ctx := context.Background()
	a := app.Load(ctx)
	lambda.Start(cfn.LambdaWrap(func(ctx context.Context, event cfn.Event) (string, map[string]any, error) {
		if event.RequestType == cfn.RequestDelete {
			return event.PhysicalResourceID, nil, nil // the data outlives the stack
		}
		db := a.Database(3)
		defer db.Close()
		version, err := db.Migrate(ctx)
		return "schema", map[string]any{"Version": strconv.FormatInt(version, 10)}, fault.Lift(err)
	}))
}
