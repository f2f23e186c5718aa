// Package app assembles the product's parts from the environment of a function:
// clients, stores, the database and the log. The main packages in functions/ call it
// and pass the result to one constructor. No other package reads the environment or
// creates a client.
//
// Start with [Main], which runs a function, and [Handler], which wraps a phase for
// the state machine; functions/protect/main.go shows both. A part is created when it
// is asked for, so a function holds only what it uses.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"os"
	"slices"
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

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/metric"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// App holds what every function needs.
type App struct {
	Env Env
	Log *slog.Logger
	AWS aws.Config
	Now func() time.Time

	patience *fault.Patience // for retries of what AWS and PostgreSQL refuse
	missing  []string        // settings that parts needed and did not find
}

// Main starts a function: it creates an app, has build create the handler from it, and
// passes that to start, which is lambda.Start. It returns the exit status for os.Exit.
// If the function cannot start, Main logs why in the central log and returns a failure,
// so that Lambda starts the function again.
func Main(start func(handler any), build func(*App) (handler any, err error)) int {
	a, err := Load(context.Background())
	var handler any
	if err == nil {
		handler, err = a.started(build)
	}
	if err != nil {
		LogFailure(os.Stdout, err)
		return 1
	}
	start(handler)
	return 0
}

// LogFailure writes a line to the central log about a failure outside any import.
func LogFailure(w io.Writer, err error) {
	centrallog.New(w, slog.LevelInfo).Error(fault.StepFailed, centrallog.Details(err.Error()))
}

// started builds a handler. It fails if a part of it needed a setting that is
// missing.
func (a *App) started(build func(*App) (any, error)) (any, error) {
	handler, err := build(a)
	return handler, errors.Join(a.Missing(), err)
}

// Load reads the environment. A required setting is checked when the function asks for
// the part that needs it, see [App.Missing].
func Load(ctx context.Context) (*App, error) {
	// What libraries print for developers does not belong in the central log.
	stdlog.SetOutput(io.Discard)
	env, err := readEnv()
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, err
	}
	patience := fault.NewPatience(time.Now)
	cfg.APIOptions = append(cfg.APIOptions, patience.ForAWS)
	return &App{Env: env, Log: centrallog.New(os.Stdout, env.LogLevel), AWS: cfg, Now: time.Now, patience: patience}, nil
}

// need returns the value of a setting that a part cannot do without.
func (a *App) need(name, value string) string {
	if value == "" && !slices.Contains(a.missing, name) {
		a.missing = append(a.missing, name)
	}
	return value
}

// Missing returns an error that names every setting that a part of the app has needed
// and not found so far; nil if there is none.
func (a *App) Missing() error {
	if len(a.missing) == 0 {
		return nil
	}
	return fmt.Errorf("environment variables that are not set: %s", strings.Join(a.missing, ", "))
}

// S3 returns an S3 client. If an endpoint is set, the client uses path-style addresses
// and, over plain HTTP, does not sign the content's hash, just as over TLS.
func (a *App) S3() *s3.Client {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	return s3.NewFromConfig(a.AWS, func(o *s3.Options) {
		o.UsePathStyle = endpoint != ""
		if strings.HasPrefix(endpoint, "http://") {
			o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
		}
	})
}

// KMS returns a KMS client.
func (a *App) KMS() *kms.Client { return kms.NewFromConfig(a.AWS) }

// SFN returns a Step Functions client.
func (a *App) SFN() *sfn.Client { return sfn.NewFromConfig(a.AWS) }

// SNS returns an SNS client.
func (a *App) SNS() *sns.Client { return sns.NewFromConfig(a.AWS) }

// Registry returns the registry of imports.
func (a *App) Registry() *registry.Registry {
	return registry.New(dynamodb.NewFromConfig(a.AWS), a.need("REGISTRY_TABLE", a.Env.RegistryTable), a.Now)
}

// Landing returns the store of the source files.
func (a *App) Landing() *objectstore.Store {
	return objectstore.New(a.S3(), a.need("LANDING_BUCKET", a.Env.LandingBucket))
}

// Work returns the store of the work objects.
func (a *App) Work() *objectstore.Store {
	return objectstore.New(a.S3(), a.need("WORK_BUCKET", a.Env.WorkBucket))
}

// FieldsKey returns the KMS key that wraps the data keys of imports.
func (a *App) FieldsKey() string { return a.need("FIELDS_KEY_ID", a.Env.FieldsKeyID) }

// TokensKey returns the KMS key from which the keys of tokens are derived.
func (a *App) TokensKey() string { return a.need("TOKENS_KEY_ID", a.Env.TokensKeyID) }

// Alerts returns the topic of alerts for the operators.
func (a *App) Alerts() alert.Topic {
	return alert.Topic{Client: a.SNS(), ARN: a.need("ALERTS_TOPIC_ARN", a.Env.AlertsTopicARN)}
}

// Database returns the database of the secret, with at most maxConns connections. The
// secret is read and connections are opened at first use. A secret that may not be read
// then is a fault with a name, whereas a function that does not start would be retried
// in vain.
func (a *App) Database(maxConns int32) *postgres.DB {
	a.need("DATABASE_SECRET_ARN", a.Env.DatabaseSecretARN)
	return postgres.Open(a.databaseURL, "etl", maxConns, a.patience)
}

// databaseURL reads the secret of the database.
func (a *App) databaseURL(ctx context.Context) (string, error) {
	text, err := a.secret(ctx, "database", a.Env.DatabaseSecretARN)
	if err != nil {
		return "", err
	}
	var secret postgres.Secret
	if err := json.Unmarshal([]byte(text), &secret); err != nil {
		return "", errors.New("the database secret is not the JSON that RDS writes")
	}
	return secret.URL(), nil
}

// secret reads a secret of Secrets Manager, which errors call by its subject and ARN.
func (a *App) secret(ctx context.Context, subject, arn string) (string, error) {
	out, err := secretsmanager.NewFromConfig(a.AWS).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return "", fault.FromAWS("read the "+subject+" secret "+arn, err)
	}
	return aws.ToString(out.SecretString), nil
}

// Phase returns what every phase needs.
func (a *App) Phase() (phase.Common, error) {
	pkg, err := contract.Load()
	return phase.Common{
		Contract: pkg, Work: a.Work(), Log: a.Log, Metrics: metric.New(os.Stdout, a.Now),
		Progress: a.Registry(), Now: a.Now,
	}, err
}

// Budgets returns the limits on the rejects of each file.
func (a *App) Budgets(pkg *contract.Package) (map[string]contract.Budget, error) {
	return pkg.Budgets(a.Env.RejectBudget)
}

// Handler wraps the Run of a phase for Lambda. A fault is returned as the outermost
// error, under the name that the state machine knows, and recorded in the registry,
// where an administrator finds it even when PostgreSQL is down.
func Handler[In phase.Input, Out any](a *App, state etl.State, run func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	faults := a.Registry()
	return func(ctx context.Context, in In) (Out, error) {
		state := state
		if several, ok := any(in).(phase.Stater); ok {
			state = several.State()
		}
		about := in.Subject()
		log := a.Log.With(centrallog.ImportID(about.Import.ImportID), centrallog.Step(state.Step()),
			slog.String("state", string(state)), slog.String("resource", about.Resource), slog.Int("chunk", about.Chunk))
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

// foreign reports whether a fault is from an execution that does not belong to the
// import. Such a fault must not be recorded among those of the import.
func foreign(err error) bool {
	refused, ok := errors.AsType[*fault.Refused](err)
	return ok && refused.Foreign
}

// record stores a fault. If it cannot be stored, record only logs that: the fault
// itself matters more.
func record(ctx context.Context, a *App, faults *registry.Registry, state etl.State, about phase.Subject, err error) {
	imp := about.Import
	// The fault may be the function's own deadline.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	recorded := faults.RecordFault(ctx, imp.ImportID, imp.Generation, registry.Fault{
		State: state, Resource: about.Resource, Name: fault.Name(err), Message: err.Error(), Advice: string(fault.AdviceOf(err)),
	})
	if recorded != nil {
		a.Log.WarnContext(ctx, phase.ProgressNotRecorded, centrallog.ImportID(imp.ImportID), centrallog.Details(recorded.Error()))
	}
}
