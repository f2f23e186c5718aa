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
	"etl-dataloader/internal/schedule"
)

// Control returns what starts, sweeps, tracks and re-executes imports. Only
// re-execution needs db; it may be nil elsewhere.
func (a *App) Control(db *postgres.DB) (*control.Control, error) {
	pkg, err := contract.Load()
	if err != nil {
		return nil, err
	}
	names, err := landing.FromContract(pkg)
	if err != nil {
		return nil, err
	}
	names = names.Requiring(a.Env.RequireControl)
	zone, err := time.LoadLocation(a.Env.DeadlineTimeZone)
	if err != nil {
		return nil, fmt.Errorf("environment variable DEADLINE_TIME_ZONE: %w", err)
	}
	arn, records, work := a.need("STATE_MACHINE_ARN", a.Env.StateMachineARN), a.Registry(), a.Work()
	cfg := control.Config{
		Registry: records, Names: names, Alerts: a.Alerts(),
		Reports: report.Writer{Objects: work, Registry: records, Now: a.Now},
		Log:     a.Log, Now: a.Now, StateMachineARN: arn, NoHistory: a.Env.NoHistory,
		Zone: zone, DaysBack: a.Env.DeadlineDaysBack, Redrives: a.Env.AutomaticRedrives, RedriveDelay: a.Env.RedriveDelay,
		MaxFutureDays: a.Env.MaxFutureDays, InitialDeadline: a.Env.InitialDeadline,
	}
	if a.Env.RerunFunctionARN != "" {
		cfg.Reruns = schedule.Soon{Client: lambda.NewFromConfig(a.AWS), FunctionARN: a.Env.RerunFunctionARN}
	}
	if a.Env.ScheduleGroup != "" {
		cfg.Later = schedule.Later{
			Client: scheduler.NewFromConfig(a.AWS), Group: a.Env.ScheduleGroup,
			FunctionARN: a.need("RERUN_FUNCTION_ARN", a.Env.RerunFunctionARN), RoleARN: a.need("REDRIVE_SCHEDULE_ROLE_ARN", a.Env.ScheduleRoleARN),
		}
	}
	if db != nil {
		cfg.Fence, cfg.Work = db, phase.WorkObjects{Store: work}
	}
	if err := a.Missing(); err != nil {
		return nil, err
	}
	machine, err := executions.New(a.SFN(), arn)
	if err != nil {
		return nil, err
	}
	cfg.Executions, cfg.Histories, cfg.Definitions = machine, machine, machine
	c, err := control.New(cfg)
	if err != nil {
		return nil, err
	}
	c.Landing, err = a.Intake(c)
	return c, err
}

// Intake returns what records the arrival of files and has c start imports.
func (a *App) Intake(c *control.Control) (*landing.Intake, error) {
	bucket := a.need("LANDING_BUCKET", a.Env.LandingBucket)
	if err := a.Missing(); err != nil {
		return nil, err
	}
	return landing.NewIntake(landing.Config{
		Bucket: bucket, Objects: objectstore.NewListing(a.S3(), bucket), Registry: a.Registry(), Names: c.Names, Alerts: a.Alerts(), Starter: c, Log: a.Log,
		Horizon: landing.Horizon{Now: c.Now, Zone: c.Zone, Days: c.MaxFutureDays},
	})
}
