// Command migrate brings the database to the newest schema at each deployment: a
// custom resource of the stack, so a migration that fails rolls the stack back.
//
// CloudFormation waits for an answer, for an hour if none comes. So whatever keeps
// the function from its work is answered as a failure: also settings that are
// missing, a secret that cannot be read, and time that runs out.
package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/lambda"

	"etl-dataloader/internal/app"
	"etl-dataloader/internal/fault"
)

func main() {
	m := migration{spare: 30 * time.Second}
	lambda.Start(cfn.LambdaWrap(m.handle))
}

// migration is the custom resource.
type migration struct {
	spare time.Duration // of the function's time, kept for the answer
}

func (m migration) handle(ctx context.Context, event cfn.Event) (id string, data map[string]any, err error) {
	if event.RequestType == cfn.RequestDelete {
		return event.PhysicalResourceID, nil, nil // the data outlives the stack
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-m.spare))
		defer cancel()
	}
	version, err := migrate(ctx)
	if err != nil {
		app.LogFailure(os.Stdout, err)
	}
	return "schema", map[string]any{"Version": strconv.FormatInt(version, 10)}, fault.Lift(err)
}

// migrate returns the version that the schema has reached.
func migrate(ctx context.Context) (version int64, err error) {
	a, err := app.Load(ctx)
	if err != nil {
		return 0, err
	}
	db := a.Database(3)
	defer db.Close()
	if err := a.Missing(); err != nil {
		return 0, err
	}
	return db.Migrate(ctx)
}
