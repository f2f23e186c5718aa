package app

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"
)

// Env is the configuration that the stack gives its functions as environment
// variables. A variable that a function does not get stays at its zero value or
// default; [Env.check] names the ones that no function can do without.
type Env struct {
	LandingBucket     string            // LANDING_BUCKET
	WorkBucket        string            // WORK_BUCKET
	RegistryTable     string            // REGISTRY_TABLE
	StateMachineARN   string            // STATE_MACHINE_ARN: control functions only
	ReplayMachineARN  string            // REPLAY_STATE_MACHINE_ARN: control functions that begin or follow replays
	AlertsTopicARN    string            // ALERTS_TOPIC_ARN
	DatabaseSecretARN string            // DATABASE_SECRET_ARN
	FieldsKeyID       string            // FIELDS_KEY_ID: only functions that make or open data keys
	TokensKeyID       string            // TOKENS_KEY_ID: only functions that make tokens
	Sources           map[string]Source // of enrichment, by name: only functions that ask them
	PatienceInitial   time.Duration     // ENRICHMENT_PATIENCE_INITIAL, in seconds
	PatienceDaily     time.Duration     // ENRICHMENT_PATIENCE_DAILY, in seconds
	ChunkBytes        int64             // CHUNK_BYTES, default 32 MiB
	ChunkRecords      int64             // CHUNK_RECORDS in daily mode, default 2,000
	MaxConcurrency    int               // MAX_CONCURRENCY, default 4
	LogEvents         bool              // LOG_EVENTS, default false
	LogLevel          slog.Level        // LOG_LEVEL, default INFO
	DeadlineTimeZone  string            // DEADLINE_TIME_ZONE, default Europe/Paris
	DeadlineDaysBack  int               // DEADLINE_DAYS_BACK, default 1
	AutomaticRedrives int               // AUTOMATIC_REDRIVES, default 3
	RedriveDelay      time.Duration     // AUTOMATIC_REDRIVE_DELAY in seconds, default 60
	RerunFunctionARN  string            // RERUN_FUNCTION_ARN: only functions that ask for re-executions
	ScheduleGroup     string            // REDRIVE_SCHEDULE_GROUP: only functions that plan redrives
	ScheduleRoleARN   string            // REDRIVE_SCHEDULE_ROLE_ARN: likewise
	NoHistory         bool              // NO_HISTORY: there is no initial import to wait for
	StagingRetention  time.Duration     // STAGING_RETENTION_DAYS, default 30 days
	MaxDailyRecords   int64             // MAX_DAILY_RECORDS: records that a daily import may have, default 0: no limit
	MaxFutureDays     int               // MAX_FUTURE_DAYS: how many days after today a file's date may be, default 1
	InitialDeadline   time.Duration     // INITIAL_DEADLINE_HOURS after the first file of an initial import, default 24 hours; 0: none
	RequireControl    bool              // REQUIRE_CONTROL: control totals are mandatory like the files, default false
	RejectBudget      string            // REJECT_BUDGET: limits that replace the contract's, "clients=5%,ventes=1000"
	MaxShrink         int               // MAX_SHRINK: percent of its table's rows that a reload may remove, default 50
	RevealPerDay      int               // REVEAL_PER_DAY: records that one person may reveal in a day, default 1,000
	MaxFileBytes      int64             // MAX_FILE_BYTES: size above which a file is refused, default 0: no limit
}

// Source is where a source of enrichment is. The variables name it in upper case.
type Source struct {
	URL       string // ENRICHMENT_<NAME>_URL
	SecretARN string // ENRICHMENT_<NAME>_SECRET_ARN: what authenticates there, default none
}

// readSources returns the sources that the variables, each NAME=value, describe; nil if
// there is none.
func readSources(variables []string) map[string]Source {
	var sources map[string]Source
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		name, ours := strings.CutPrefix(name, "ENRICHMENT_")
		of, isURL := strings.CutSuffix(name, "_URL")
		isARN := false
		if !isURL {
			of, isARN = strings.CutSuffix(name, "_SECRET_ARN")
		}
		if !ours || value == "" || (!isURL && !isARN) {
			continue
		}
		if sources == nil {
			sources = map[string]Source{}
		}
		of = strings.ToLower(of)
		source := sources[of]
		if isURL {
			source.URL = value
		} else {
			source.SecretARN = value
		}
		sources[of] = source
	}
	return sources
}

// environment reads variables and remembers the first that is unusable.
type environment struct {
	lookup func(string) (string, bool)
	err    error
}

func (e *environment) text(name, fallback string) string {
	if v, ok := e.lookup(name); ok && v != "" {
		return v
	}
	return fallback
}

func (e *environment) number(name string, fallback int64) int64 {
	v := e.text(name, "")
	if v == "" {
		return fallback
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("environment variable %s: %w", name, err)
	}
	return n
}

func (e *environment) level(name string) slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(e.text(name, "INFO"))); err != nil && e.err == nil {
		e.err = fmt.Errorf("environment variable %s: %w", name, err)
	}
	return level
}

// readEnv reads the configuration from the process's environment.
func readEnv() (Env, error) {
	e := &environment{lookup: os.LookupEnv}
	env := Env{
		LandingBucket: e.text("LANDING_BUCKET", ""), WorkBucket: e.text("WORK_BUCKET", ""),
		RegistryTable: e.text("REGISTRY_TABLE", ""), StateMachineARN: e.text("STATE_MACHINE_ARN", ""),
		ReplayMachineARN: e.text("REPLAY_STATE_MACHINE_ARN", ""),
		AlertsTopicARN:   e.text("ALERTS_TOPIC_ARN", ""), DatabaseSecretARN: e.text("DATABASE_SECRET_ARN", ""),
		FieldsKeyID: e.text("FIELDS_KEY_ID", ""), TokensKeyID: e.text("TOKENS_KEY_ID", ""),
		Sources:           readSources(os.Environ()),
		PatienceInitial:   time.Duration(e.number("ENRICHMENT_PATIENCE_INITIAL", 4*60*60)) * time.Second,
		PatienceDaily:     time.Duration(e.number("ENRICHMENT_PATIENCE_DAILY", 20*60)) * time.Second,
		ChunkBytes:        e.number("CHUNK_BYTES", 32<<20),
		ChunkRecords:      e.number("CHUNK_RECORDS", 2000),
		MaxConcurrency:    int(e.number("MAX_CONCURRENCY", 4)),
		LogEvents:         e.text("LOG_EVENTS", "false") == "true",
		LogLevel:          e.level("LOG_LEVEL"),
		DeadlineTimeZone:  e.text("DEADLINE_TIME_ZONE", "Europe/Paris"),
		DeadlineDaysBack:  int(e.number("DEADLINE_DAYS_BACK", 1)),
		AutomaticRedrives: int(e.number("AUTOMATIC_REDRIVES", 3)),
		RedriveDelay:      time.Duration(e.number("AUTOMATIC_REDRIVE_DELAY", 60)) * time.Second,
		RerunFunctionARN:  e.text("RERUN_FUNCTION_ARN", ""),
		ScheduleGroup:     e.text("REDRIVE_SCHEDULE_GROUP", ""),
		ScheduleRoleARN:   e.text("REDRIVE_SCHEDULE_ROLE_ARN", ""),
		NoHistory:         e.text("NO_HISTORY", "false") == "true",
		StagingRetention:  time.Duration(e.number("STAGING_RETENTION_DAYS", 30)) * 24 * time.Hour,
		MaxDailyRecords:   e.number("MAX_DAILY_RECORDS", 0),
		MaxFutureDays:     int(e.number("MAX_FUTURE_DAYS", 1)),
		InitialDeadline:   time.Duration(e.number("INITIAL_DEADLINE_HOURS", 24)) * time.Hour,
		RequireControl:    e.text("REQUIRE_CONTROL", "false") == "true",
		RejectBudget:      e.text("REJECT_BUDGET", ""),
		MaxShrink:         int(e.number("MAX_SHRINK", 50)),
		RevealPerDay:      int(e.number("REVEAL_PER_DAY", 1000)),
		MaxFileBytes:      e.number("MAX_FILE_BYTES", 0),
	}
	return env, e.err
}
