package app

import (
	"fmt"
	"time"
	_ "time/tzdata" // the functions' system has no time zones

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/report"
	"etl-dataloader/internal/reveal"
	"etl-dataloader/internal/schedule"
)

// Intake returns what records the arrival of files and starts complete imports.
func (a *App) Intake() (*landing.Intake, error) {
	reruns := a.reruns()
	p, err := a.control()
	if err != nil {
		return nil, err
	}
	advancer, err := control.NewAdvancer(control.AdvancerConfig{Common: p.common, Reruns: reruns})
	if err != nil {
		return nil, err
	}
	return landing.NewIntake(p.recorder, advancer)
}

// Tracker returns what follows executions and reports their ends.
func (a *App) Tracker() (*control.Tracker, error) {
	config := control.TrackerConfig{Outcomes: a.outcomes(), Reruns: a.reruns(), Later: a.later()}
	replays := a.need("REPLAY_STATE_MACHINE_ARN", a.Env.ReplayMachineARN)
	p, err := a.control()
	if err != nil {
		return nil, err
	}
	if config.Replays, err = a.replays(replays); err != nil {
		return nil, err
	}
	config.Common, config.Histories = p.common, p.machine
	return control.NewTracker(config)
}

// Sweeper returns what makes up for lost events.
func (a *App) Sweeper() (*control.Sweeper, error) {
	config := control.SweeperConfig{
		Outcomes: a.outcomes(), Reruns: a.reruns(), Later: a.later(),
		DaysBack: a.Env.DeadlineDaysBack, InitialDeadline: a.Env.InitialDeadline,
	}
	replays := a.need("REPLAY_STATE_MACHINE_ARN", a.Env.ReplayMachineARN)
	p, err := a.control()
	if err != nil {
		return nil, err
	}
	if config.Replays, err = a.replays(replays); err != nil {
		return nil, err
	}
	config.Common, config.Histories = p.common, p.machine
	return control.NewSweeper(config)
}

// Rerunner returns what resumes, restarts and abandons imports.
func (a *App) Rerunner(db *postgres.DB) (*control.Rerunner, error) {
	config := control.RerunnerConfig{Outcomes: a.outcomes(), Fence: db, Work: phase.WorkObjects{Store: a.Work()}, Audit: db}
	replays := a.need("REPLAY_STATE_MACHINE_ARN", a.Env.ReplayMachineARN)
	p, err := a.control()
	if err != nil {
		return nil, err
	}
	if config.Replays, err = a.replays(replays); err != nil {
		return nil, err
	}
	config.Sources = p.sources
	config.Common, config.Histories, config.Definitions = p.common, p.machine, p.machine
	return control.NewRerunner(config)
}

// Revealer returns what reads encrypted values for people.
func (a *App) Revealer(db *postgres.DB) (*reveal.Revealer, error) {
	keys := reveal.KMSKeys{Wrapped: db, KMS: a.KMS(), FieldsKeyID: a.FieldsKey(), TokensKeyID: a.TokensKey()}
	config := reveal.Config{
		Store: db, Tracer: db, Trail: db, Keys: keys, Alerts: a.Alerts(), Log: a.Log, PerDay: a.Env.RevealPerDay,
	}
	if err := a.Missing(); err != nil {
		return nil, err
	}
	var err error
	if config.Contract, err = contract.Load(); err != nil {
		return nil, err
	}
	return reveal.New(config)
}

// replays returns the state machine of replays.
func (a *App) replays(arn string) (control.Replays, error) {
	machine, err := executions.New(a.SFN(), arn)
	return control.Replays{Executions: machine, StateMachineARN: arn}, err
}

// controlParts are what every control service is made of.
type controlParts struct {
	common   control.Common
	machine  *executions.Machine
	recorder *landing.Recorder
	sources  []string // of enrichment
}

// control returns the parts of the control services. It comes last, as it fails if any
// setting is missing that was needed before.
func (a *App) control() (controlParts, error) {
	pkg, err := contract.Load()
	if err != nil {
		return controlParts{}, err
	}
	names, err := landing.FromContract(pkg)
	if err != nil {
		return controlParts{}, err
	}
	names = names.Requiring(a.Env.RequireControl)
	zone, err := time.LoadLocation(a.Env.DeadlineTimeZone)
	if err != nil {
		return controlParts{}, fmt.Errorf("environment variable DEADLINE_TIME_ZONE: %w", err)
	}
	arn, records, bucket := a.need("STATE_MACHINE_ARN", a.Env.StateMachineARN), a.Registry(), a.need("LANDING_BUCKET", a.Env.LandingBucket)
	config := landing.Config{
		Bucket: bucket, Objects: objectstore.NewListing(a.S3(), bucket), Registry: records, Names: names, Alerts: a.Alerts(), Log: a.Log,
		Horizon: landing.Horizon{Now: a.Now, Zone: zone, Days: a.Env.MaxFutureDays},
	}
	if err := a.Missing(); err != nil {
		return controlParts{}, err
	}
	recorder, err := landing.NewRecorder(config)
	if err != nil {
		return controlParts{}, err
	}
	machine, err := executions.New(a.SFN(), arn)
	return controlParts{
		common: control.Common{
			Registry: records, Executions: machine, Names: names, Landing: recorder, Log: a.Log, Now: a.Now, Zone: zone,
			StateMachineARN: arn, NoHistory: a.Env.NoHistory, MaxFutureDays: a.Env.MaxFutureDays,
		},
		machine: machine, recorder: recorder, sources: pkg.Sources(),
	}, err
}

// outcomes returns what the ends of imports are reported with.
func (a *App) outcomes() control.Outcomes {
	return control.Outcomes{
		Alerts:   a.Alerts(),
		Reports:  report.Writer{Objects: a.Work(), Registry: a.Registry(), Now: a.Now},
		Redrives: a.Env.AutomaticRedrives, RedriveDelay: a.Env.RedriveDelay,
	}
}

// reruns returns what asks the function for a re-execution that has the database.
func (a *App) reruns() schedule.Soon {
	return schedule.Soon{Client: lambda.NewFromConfig(a.AWS), FunctionARN: a.need("RERUN_FUNCTION_ARN", a.Env.RerunFunctionARN)}
}

// later returns what schedules redrives.
func (a *App) later() schedule.Later {
	return schedule.Later{
		Client: scheduler.NewFromConfig(a.AWS), Group: a.need("REDRIVE_SCHEDULE_GROUP", a.Env.ScheduleGroup),
		FunctionARN: a.need("RERUN_FUNCTION_ARN", a.Env.RerunFunctionARN), RoleARN: a.need("REDRIVE_SCHEDULE_ROLE_ARN", a.Env.ScheduleRoleARN),
	}
}
