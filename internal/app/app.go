// Package app assembles the product's parts from the environment of a function:
// clients, stores, the database and the log. The main packages of functions/
// call it and pass the result to one constructor; no other package reads the
// environment or makes a client.
//
// A part is made when it is asked for, so a function holds only what it uses.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	stdlog "log"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go/logging"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/metric"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// App holds what every function has.
type App struct {
	Env Env
	Log *slog.Logger
	AWS aws.Config
	Now func() time.Time

	patience *fault.Patience // with what is refused, of AWS and of PostgreSQL
}

// Load reads the environment. A function that cannot start says why in the
// central log and exits, so that Lambda starts it anew.
func Load(ctx context.Context) *App {
	log := centrallog.New(os.Stdout, slog.LevelInfo)
	env, err := readEnv()
	exitOn(log, err)
	// What the SDK and its helpers print for developers is no line of the central log.
	stdlog.SetOutput(io.Discard)
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	exitOn(log, err)
	patience := fault.NewPatience(time.Now)
	cfg.APIOptions = append(cfg.APIOptions, patience.ForAWS)
	return &App{Env: env, Log: centrallog.New(os.Stdout, env.LogLevel), AWS: cfg, Now: time.Now, patience: patience}
}

// exitOn ends a function that cannot start.
func exitOn(log *slog.Logger, err error) {
	if err != nil {
		log.Error(message.StepFailed, centrallog.Details(err.Error()))
		os.Exit(1)
	}
}

// S3 returns a client. Where an endpoint is set it uses path-style addresses, and
// over plain HTTP it signs no hash of the content, as over TLS it does not either.
func (a *App) S3() *s3.Client {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	return s3.NewFromConfig(a.AWS, func(o *s3.Options) {
		o.UsePathStyle = endpoint != ""
		if strings.HasPrefix(endpoint, "http://") {
			o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
		}
	})
}

// KMS returns a client.
func (a *App) KMS() *kms.Client { return kms.NewFromConfig(a.AWS) }

// SFN returns a Step Functions client.
func (a *App) SFN() *sfn.Client { return sfn.NewFromConfig(a.AWS) }

// SNS returns a client.
func (a *App) SNS() *sns.Client { return sns.NewFromConfig(a.AWS) }

// Registry returns the registry of imports.
func (a *App) Registry() *registry.Registry {
	return registry.New(dynamodb.NewFromConfig(a.AWS), a.Env.RegistryTable, a.Now)
}

// Landing returns the store of the source files.
func (a *App) Landing() *objectstore.Store { return objectstore.New(a.S3(), a.Env.LandingBucket) }

// Work returns the store of the work objects.
func (a *App) Work() *objectstore.Store { return objectstore.New(a.S3(), a.Env.WorkBucket) }

// Alerts returns the topic that operators are told by.
func (a *App) Alerts() control.Alerts {
	return control.Alerts{Client: a.SNS(), TopicARN: a.Env.AlertsTopicARN}
}

// Contract returns the compiled contract of the ten files.
func (a *App) Contract() *contract.Package {
	pkg, err := contract.Load()
	exitOn(a.Log, err)
	return pkg
}

// Budgets returns how many rejects each file may have.
func (a *App) Budgets(pkg *contract.Package) map[string]contract.Budget {
	budgets, err := pkg.Budgets(a.Env.RejectBudget)
	exitOn(a.Log, err)
	return budgets
}

// Database returns the database of the secret, with at most maxConns
// connections. The secret is read and the connections are made when they are
// first used: a secret that may not be read is then a fault with a name, where a
// function that does not start would be retried for nothing.
func (a *App) Database(maxConns int32) *postgres.DB {
	return postgres.OpenFrom(a.databaseURL, "etl", maxConns, a.patience)
}

// databaseURL reads the secret of the database.
func (a *App) databaseURL(ctx context.Context) (string, error) {
	out, err := secretsmanager.NewFromConfig(a.AWS).GetSecretValue(ctx,
		&secretsmanager.GetSecretValueInput{SecretId: &a.Env.DatabaseSecretARN})
	if err != nil {
		return "", fault.FromAWS("read the database secret "+a.Env.DatabaseSecretARN, err)
	}
	var secret postgres.Secret
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &secret); err != nil {
		return "", errors.New("the database secret is not the JSON that RDS writes")
	}
	return secret.URL(), nil
}

// Phase returns what every phase has.
func (a *App) Phase() phase.Common {
	return phase.Common{
		Contract: a.Contract(), Work: a.Work(), Log: a.Log, Metrics: metric.New(os.Stdout, a.Now),
		Progress: a.Registry(), Now: a.Now,
	}
}

// Handler wraps the Run of a phase for Lambda: its faults leave as the outermost
// error, under the names that the state machine knows, and are recorded in the
// registry, where an administrator finds them also when PostgreSQL is down.
func Handler[In phase.Input, Out any](a *App, state string, run func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	faults := a.Registry()
	return func(ctx context.Context, in In) (Out, error) {
		state := state
		if several, ok := any(in).(phase.Stater); ok {
			state = several.State()
		}
		about := in.Subject()
		log := a.Log.With(centrallog.ImportID(about.Import.ImportID), centrallog.Step(message.Step(state)),
			slog.String("state", state), slog.String("resource", about.Resource), slog.Int("chunk", about.Chunk))
		if about.File != "" {
			log = log.With(centrallog.File(about.File))
		}
		return fault.Boundary(log, func(ctx context.Context, in In) (Out, error) {
			out, err := run(ctx, in)
			if err != nil && !foreign(err) {
				record(ctx, a, faults, state, about, fault.Lift(err))
			}
			return out, err
		})(ctx, in)
	}
}

// foreign reports whether a fault is that of an execution which is none of the
// import's own: it must not stand among the import's faults.
func foreign(err error) bool {
	refused, ok := errors.AsType[*fault.Refused](err)
	return ok && refused.Foreign
}

// record stores a fault; that it could not be stored is only logged, as the
// fault itself is what matters.
func record(ctx context.Context, a *App, faults *registry.Registry, state string, about phase.Subject, err error) {
	imp := about.Import
	// The function's own deadline may be the fault.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	recorded := faults.RecordFault(ctx, imp.ImportID, imp.Generation, registry.Fault{
		State: state, Resource: about.Resource, Name: fault.Name(err), Message: err.Error(), Advice: string(fault.AdviceOf(err)),
	})
	if recorded != nil {
		a.Log.WarnContext(ctx, message.ProgressNotRecorded, centrallog.ImportID(imp.ImportID), centrallog.Details(recorded.Error()))
	}
}
