package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/registry/registrytest"
)

var emulator *registrytest.Emulator

func TestMain(m *testing.M) {
	os.Exit(registrytest.Run(m, func(e *registrytest.Emulator) { emulator = e }))
}

// read reads an environment that holds these variables alone.
func read(t *testing.T, variables map[string]string) (Env, error) {
	t.Helper()
	for _, name := range []string{
		"LANDING_BUCKET", "WORK_BUCKET", "REGISTRY_TABLE", "STATE_MACHINE_ARN", "REPLAY_STATE_MACHINE_ARN", "ALERTS_TOPIC_ARN", "DATABASE_SECRET_ARN", "FIELDS_KEY_ID", "TOKENS_KEY_ID",
		"ENRICHMENT_CLIENTS_URL", "ENRICHMENT_CLIENTS_SECRET_ARN", "ENRICHMENT_PATIENCE_INITIAL", "ENRICHMENT_PATIENCE_DAILY", "CHUNK_BYTES", "CHUNK_RECORDS", "MAX_CONCURRENCY", "LOG_EVENTS", "LOG_LEVEL", "DEADLINE_TIME_ZONE", "DEADLINE_DAYS_BACK",
		"NO_HISTORY", "STAGING_RETENTION_DAYS", "MAX_DAILY_RECORDS", "AUTOMATIC_REDRIVES", "AUTOMATIC_REDRIVE_DELAY", "RERUN_FUNCTION_ARN", "REDRIVE_SCHEDULE_GROUP",
		"REDRIVE_SCHEDULE_ROLE_ARN", "REQUIRE_CONTROL", "MAX_FUTURE_DAYS", "INITIAL_DEADLINE_HOURS", "MAX_SHRINK", "MAX_FILE_BYTES", "REJECT_BUDGET", "REVEAL_PER_DAY",
	} {
		t.Setenv(name, variables[name])
	}
	for _, variable := range os.Environ() { // of whichever sources
		name, _, _ := strings.Cut(variable, "=")
		if _, ours := variables[name]; strings.HasPrefix(name, "ENRICHMENT_") && !ours {
			t.Setenv(name, "")
		}
	}
	return readEnv()
}

func TestEnvDefaults(t *testing.T) {
	got, err := read(t, nil)
	want := Env{
		ChunkBytes: 32 << 20, ChunkRecords: 2000, MaxConcurrency: 4, MaxShrink: 50, LogLevel: slog.LevelInfo,
		DeadlineTimeZone: "Europe/Paris", DeadlineDaysBack: 1, StagingRetention: 30 * 24 * time.Hour,
		AutomaticRedrives: 3, RedriveDelay: time.Minute, MaxFutureDays: 1, InitialDeadline: 24 * time.Hour, RevealPerDay: 1000,
		PatienceInitial: 4 * time.Hour, PatienceDaily: 20 * time.Minute,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, (-want +got)\n%s", err, diff)
	}
}

func TestEnvValues(t *testing.T) {
	got, err := read(t, map[string]string{
		"LANDING_BUCKET": "l", "WORK_BUCKET": "w", "REGISTRY_TABLE": "r", "STATE_MACHINE_ARN": "s", "REPLAY_STATE_MACHINE_ARN": "rs", "ALERTS_TOPIC_ARN": "a", "DATABASE_SECRET_ARN": "d",
		"FIELDS_KEY_ID": "fk", "TOKENS_KEY_ID": "tk", "ENRICHMENT_CLIENTS_URL": "https://e", "ENRICHMENT_CLIENTS_SECRET_ARN": "es", "ENRICHMENT_PATIENCE_INITIAL": "60", "ENRICHMENT_PATIENCE_DAILY": "0", "CHUNK_BYTES": "1000", "CHUNK_RECORDS": "0", "MAX_CONCURRENCY": "9",
		"LOG_EVENTS": "true", "LOG_LEVEL": "WARN", "DEADLINE_TIME_ZONE": "UTC", "DEADLINE_DAYS_BACK": "0", "NO_HISTORY": "true", "REQUIRE_CONTROL": "true", "MAX_FUTURE_DAYS": "3", "INITIAL_DEADLINE_HOURS": "0", "STAGING_RETENTION_DAYS": "7",
		"MAX_DAILY_RECORDS": "8", "MAX_SHRINK": "30", "MAX_FILE_BYTES": "5", "REJECT_BUDGET": "*=none", "REVEAL_PER_DAY": "4",
		"AUTOMATIC_REDRIVES": "0", "AUTOMATIC_REDRIVE_DELAY": "1", "RERUN_FUNCTION_ARN": "f", "REDRIVE_SCHEDULE_GROUP": "g", "REDRIVE_SCHEDULE_ROLE_ARN": "o",
	})
	want := Env{
		LandingBucket: "l", WorkBucket: "w", RegistryTable: "r", StateMachineARN: "s", ReplayMachineARN: "rs", AlertsTopicARN: "a", DatabaseSecretARN: "d", FieldsKeyID: "fk", TokensKeyID: "tk",
		Sources: map[string]Source{"clients": {URL: "https://e", SecretARN: "es"}}, PatienceInitial: time.Minute, ChunkBytes: 1000, MaxConcurrency: 9, LogEvents: true, LogLevel: slog.LevelWarn, DeadlineTimeZone: "UTC",
		NoHistory: true, RequireControl: true, MaxFutureDays: 3, StagingRetention: 7 * 24 * time.Hour, MaxDailyRecords: 8, MaxShrink: 30, MaxFileBytes: 5, RejectBudget: "*=none", RevealPerDay: 4, RedriveDelay: time.Second, RerunFunctionARN: "f", ScheduleGroup: "g", ScheduleRoleARN: "o",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, (-want +got)\n%s", err, diff)
	}
}

// TestEnvErrors: a variable that cannot be used is named, with what is wrong.
func TestEnvErrors(t *testing.T) {
	for name, values := range map[string][]string{
		"CHUNK_BYTES": {"abc", "-1", "1.5", "99999999999999999999"}, "CHUNK_RECORDS": {"-2", " 1"}, "MAX_CONCURRENCY": {"many"},
		"DEADLINE_DAYS_BACK": {"-1"}, "STAGING_RETENTION_DAYS": {"forever"}, "MAX_DAILY_RECORDS": {"-1", "1e6"}, "LOG_LEVEL": {"verbose"},
	} {
		for _, value := range values {
			if _, err := read(t, map[string]string{name: value}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%q: got %v", name, value, err)
			}
		}
	}
}

// TestMissingSettings: a function says which settings it needs by asking for the
// parts that need them, and starts only with them.
func TestMissingSettings(t *testing.T) {
	var nothing int
	for name, c := range map[string]struct {
		build   func(*App) (any, error)
		missing []string
	}{
		"nothing":      {func(*App) (any, error) { return nothing, nil }, nil},
		"landing":      {func(a *App) (any, error) { return a.Landing(), nil }, []string{"LANDING_BUCKET"}},
		"work":         {func(a *App) (any, error) { return a.Work(), nil }, []string{"WORK_BUCKET"}},
		"registry":     {func(a *App) (any, error) { a.Registry(); return a.Registry(), nil }, []string{"REGISTRY_TABLE"}},
		"alerts":       {func(a *App) (any, error) { return a.Alerts(), nil }, []string{"ALERTS_TOPIC_ARN"}},
		"database":     {func(a *App) (any, error) { return a.Database(1), nil }, []string{"DATABASE_SECRET_ARN"}},
		"keys":         {func(a *App) (any, error) { return a.FieldsKey() + a.TokensKey(), nil }, []string{"FIELDS_KEY_ID", "TOKENS_KEY_ID"}},
		"phase":        {func(a *App) (any, error) { return a.Phase() }, []string{"WORK_BUCKET", "REGISTRY_TABLE"}},
		"intake":       {func(a *App) (any, error) { return a.Intake() }, []string{"REGISTRY_TABLE", "ALERTS_TOPIC_ARN", "LANDING_BUCKET", "STATE_MACHINE_ARN", "RERUN_FUNCTION_ARN"}},
		"control":      {func(a *App) (any, error) { return a.Tracker() }, []string{"REGISTRY_TABLE", "ALERTS_TOPIC_ARN", "WORK_BUCKET", "STATE_MACHINE_ARN", "REPLAY_STATE_MACHINE_ARN"}},
		"redrives":     {func(a *App) (any, error) { a.Env.ScheduleGroup = "g"; return a.Sweeper() }, []string{"RERUN_FUNCTION_ARN", "REDRIVE_SCHEDULE_ROLE_ARN"}},
		"reveal":       {func(a *App) (any, error) { return a.Revealer(a.Database(1)) }, []string{"DATABASE_SECRET_ARN", "FIELDS_KEY_ID", "TOKENS_KEY_ID", "ALERTS_TOPIC_ARN"}},
		"re-execution": {func(a *App) (any, error) { return a.Rerunner(a.Database(1)) }, []string{"DATABASE_SECRET_ARN", "WORK_BUCKET"}},
	} {
		t.Run(name, func(t *testing.T) {
			env, err := read(t, nil)
			if err != nil {
				t.Fatal(err)
			}
			a := &App{Env: env, Log: slog.New(slog.DiscardHandler), Now: time.Now}
			_, err = a.started(c.build)
			if (err != nil) != (len(c.missing) > 0) {
				t.Fatalf("got %v", err)
			}
			for _, setting := range c.missing {
				if strings.Count(err.Error(), setting) == 0 {
					t.Errorf("%q does not name %s", err, setting)
				}
			}
		})
	}
}

// TestControlStarts: with its settings a control function starts; without the
// landing bucket it does not.
func TestControlStarts(t *testing.T) {
	schedules := map[string]string{"WORK_BUCKET": "w", "RERUN_FUNCTION_ARN": "f", "REDRIVE_SCHEDULE_GROUP": "g", "REDRIVE_SCHEDULE_ROLE_ARN": "o"}
	for name, c := range map[string]struct {
		build    func(*App) (any, error)
		settings map[string]string // that others do not need
	}{
		"intake": {func(a *App) (any, error) { return a.Intake() }, map[string]string{"RERUN_FUNCTION_ARN": "f"}},
		"track":  {func(a *App) (any, error) { return a.Tracker() }, schedules},
		"sweep":  {func(a *App) (any, error) { return a.Sweeper() }, schedules},
		"rerun":  {func(a *App) (any, error) { return a.Rerunner(a.Database(1)) }, map[string]string{"WORK_BUCKET": "w", "DATABASE_SECRET_ARN": "d"}},
	} {
		t.Run(name, func(t *testing.T) {
			settings := map[string]string{
				"REGISTRY_TABLE": "r", "ALERTS_TOPIC_ARN": "a", "STATE_MACHINE_ARN": "arn:aws:states:eu-west-3:1:stateMachine:m",
				"REPLAY_STATE_MACHINE_ARN": "arn:aws:states:eu-west-3:1:stateMachine:e",
			}
			maps.Copy(settings, c.settings)
			env, err := read(t, settings)
			if err != nil {
				t.Fatal(err)
			}
			a := &App{Env: env, Log: slog.New(slog.DiscardHandler), Now: time.Now}
			if _, err := a.started(c.build); err == nil || !strings.Contains(err.Error(), "LANDING_BUCKET") {
				t.Errorf("without a landing bucket: %v", err)
			}
			env.LandingBucket = "l"
			a = &App{Env: env, Log: slog.New(slog.DiscardHandler), Now: time.Now}
			if _, err := a.started(c.build); err != nil {
				t.Error(err)
			}
			a.Env.DeadlineTimeZone = "Europe/Nowhere"
			if _, err := a.started(c.build); err == nil || !strings.Contains(err.Error(), "DEADLINE_TIME_ZONE") {
				t.Errorf("in an unknown time zone: %v", err)
			}
		})
	}
}

// TestStart: Main starts a function, or says by its status that it cannot.
func TestStart(t *testing.T) {
	var started any
	start := func(handler any) { started = handler }
	if _, err := read(t, map[string]string{"CHUNK_BYTES": "many"}); err == nil {
		t.Fatal("the environment is usable")
	}
	if status := Main(start, func(*App) (any, error) { return "handler", nil }); status != 1 || started != nil {
		t.Errorf("with an unusable environment: status %d, started %v", status, started)
	}
	if _, err := read(t, nil); err != nil {
		t.Fatal(err)
	}
	if status := Main(start, func(a *App) (any, error) { return a.Landing(), nil }); status != 1 || started != nil {
		t.Errorf("without the landing bucket: status %d, started %v", status, started)
	}
	if status := Main(start, func(*App) (any, error) { return "handler", nil }); status != 0 || started != "handler" {
		t.Errorf("status %d, started %v", status, started)
	}
}

// newApp is an app on a fresh registry.
func newApp(t *testing.T, env Env) (*App, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	o := emulator.DynamoDB(t).Options()
	env.RegistryTable = emulator.Table(t)
	return &App{
		Env: env, Log: centrallog.New(&out, slog.LevelInfo), Now: new(registrytest.Clock).Now,
		AWS: aws.Config{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: o.BaseEndpoint},
	}, &out
}

// TestHandler: a fault leaves under its own name, is recorded where an
// administrator looks, and is logged once with the import and the step.
func TestHandler(t *testing.T) {
	a, out := newApp(t, Env{})
	imp := phase.Import{ImportID: "IMPORT_20241009_150000_001", Generation: 3}
	for _, c := range []struct {
		state    etl.State
		resource string
		name     etl.Fault
		advice   string
		handle   func() error
	}{
		{"Reconcile", "", "Mismatch", "restart", func() error {
			_, err := Handler(a, "Reconcile", func(context.Context, phase.ImportIn) (int, error) {
				return 0, fmt.Errorf("reconcile: %w", &fault.Mismatch{ImportID: imp.ImportID, Reason: "r"})
			})(t.Context(), phase.ImportIn{Import: imp})
			return err
		}},
		{"IndexTargets", "ventes", "Unexpected", "redrive", func() error {
			_, err := Handler(a, "Index", func(context.Context, phase.IndexIn) (int, error) {
				return 0, errors.New("nobody foresaw it")
			})(t.Context(), phase.IndexIn{Import: imp, Resource: "ventes", Kind: "target"})
			return err
		}},
	} {
		out.Reset()
		if err := c.handle(); fault.Name(err) != c.name {
			t.Errorf("%s: got %T, want %s", c.state, err, c.name)
		}
		faults, err := a.Registry().Faults(t.Context(), imp.ImportID, 3, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range faults {
			found = found || f.State == c.state && f.Resource == c.resource && f.Name == c.name && f.Advice == c.advice && f.Message != ""
		}
		if !found {
			t.Errorf("%s: recorded %+v", c.state, faults)
		}
		var line struct {
			ImportID string    `json:"import_id"`
			Step     etl.Step  `json:"processing_step"`
			State    etl.State `json:"state"`
			Message  string    `json:"message"`
		}
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%q is no one line: %v", out.String(), err)
		}
		if line.ImportID != imp.ImportID || line.Step != c.state.Step() || line.State != c.state || line.Message != fault.StepFailed {
			t.Errorf("%s: logged %s", c.state, out.String())
		}
	}
}

// TestHandlerWithoutRegistry: that a fault could not be recorded changes nothing
// about the fault.
func TestHandlerWithoutRegistry(t *testing.T) {
	a, out := newApp(t, Env{})
	a.Env.RegistryTable = "no-such-table"
	_, err := Handler(a, "Publish", func(context.Context, phase.ImportIn) (int, error) {
		return 0, &fault.Transient{Op: "commit", Err: errors.New("lost")}
	})(t.Context(), phase.ImportIn{Import: phase.Import{ImportID: "I", Generation: 1}})
	if fault.Name(err) != "Transient" {
		t.Errorf("got %T", err)
	}
	if !strings.Contains(out.String(), phase.ProgressNotRecorded) {
		t.Errorf("logged %s", out.String())
	}
}

// TestHandlerSuccess: nothing is recorded, nothing is logged.
func TestHandlerSuccess(t *testing.T) {
	a, out := newApp(t, Env{})
	got, err := Handler(a, "Publish", func(_ context.Context, in phase.ImportIn) (string, error) { return in.Import.ImportID, nil })(
		t.Context(), phase.ImportIn{Import: phase.Import{ImportID: "I"}})
	if got != "I" || err != nil || out.Len() != 0 {
		t.Errorf("got %q, %v, %q", got, err, out.String())
	}
}
