// Package control decides which import runs: it starts, follows, resumes,
// restarts and abandons imports.
//
// Two sources are authoritative: the registry for what was decided, and
// DescribeExecution for what Step Functions does. Notifications, the sweep and
// commands only prompt a look at them. A decision is first written to the registry,
// in one conditional transaction, and then carried out by an idempotent call (by an
// execution's name or a redrive's client token). If the process dies in between,
// the next sweep finishes the work.
//
// Imports run one at a time in the order of the queue, see [Control.Advance].
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// Executions runs the state machine; *executions.Machine implements it. Errors are
// *fault.Transient if Step Functions did not answer.
type Executions interface {
	// Start starts the execution called name. It may be repeated; started is false if
	// that execution has ended.
	Start(ctx context.Context, name, input string) (started bool, err error)
	// Describe returns an execution; exists is false if no execution has that ARN, or
	// none has it any longer.
	Describe(ctx context.Context, arn string) (e executions.Execution, exists bool, err error)
	// Redrive resumes a failed execution. It may be repeated with the same token.
	// redriven is false if Step Functions does not allow it; at may be zero.
	Redrive(ctx context.Context, arn, token string) (at time.Time, redriven bool, err error)
	// Stop stops an execution; name is the error that it then shows.
	Stop(ctx context.Context, arn, name string) error
}

// Histories locates the failure of an execution; *executions.Machine implements
// it. If there is an error, the place is as precise as was established before it.
type Histories interface {
	Locate(ctx context.Context, e executions.Execution) (executions.Place, error)
}

// Definitions reports whether the state machine's definition has changed since an
// execution started. A redrive keeps the old one. *executions.Machine implements it.
type Definitions interface {
	DefinitionChanged(ctx context.Context, arn string) (bool, error)
}

// Fence keeps whatever still works for an earlier generation of an import from
// writing to the database; *postgres.DB implements it. Its methods also work for an
// import that never reached the database, and may be called again if their answer
// was lost.
type Fence interface {
	// Restart ends the sessions of imp's generation, makes the next generation
	// current, drops what was partially imported, and returns the new generation. It
	// fails with *fault.Refused if imp's generation was published, unless force is
	// set: then readers see it until the new generation is published.
	Restart(ctx context.Context, imp registry.Import, force bool) (generation int, err error)
	// Abandon does the same for an import that is given up. It, too, makes the next
	// generation current.
	Abandon(ctx context.Context, imp registry.Import) error
	// RecordAttempts copies the attempts of an import into the database for SQL users.
	RecordAttempts(ctx context.Context, importID string, attempts []registry.Attempt) error
	// RecordState copies the state of an import (running, or failed, where and why)
	// into the database for SQL users. It may be repeated and may come late.
	RecordState(ctx context.Context, imp registry.Import) error
}

// WorkObjects are the intermediate results of imports; phase.WorkObjects implements
// it.
type WorkObjects interface {
	// Drop deletes the work objects of one generation of an import and returns how
	// many there were. It may be repeated.
	Drop(ctx context.Context, importID string, generation int) (int, error)
}

// Reports writes the report of an import.
type Reports interface {
	// Write writes the report from the registry and returns its location, for people.
	// It may be repeated.
	Write(ctx context.Context, importID string) (location string, err error)
}

// Landing records what is in the landing bucket; *landing.Intake implements it. Both
// methods take a bounded time and return how many differences from the registry they
// found.
type Landing interface {
	// Look looks for the files of the dates from first to last.
	Look(ctx context.Context, mode etl.Mode, first, last string) (changed int, err error)
	// Walk works through the whole bucket, starting where the previous walk stopped. It
	// fails with *landing.UntoldError if all that failed is the alert about badly named
	// objects.
	Walk(ctx context.Context) (changed int, err error)
}

// Config is what a [Control] needs. Mandatory: Registry, Executions, Histories,
// Names, Alerts, Reports, Log, Now, StateMachineARN. [Control.Rerun] needs Fence;
// [Control.Sweep] needs Landing and Zone. Without Landing, [Control.Advance] relies
// on notifications alone. Without Later, only the sweep makes planned redrives.
// Without Fence, Reruns carries out what needs the database.
type Config struct {
	Registry   *registry.Registry
	Executions Executions
	Histories  Histories
	Names      *landing.Names
	Alerts     landing.Alerter
	Reports    Reports
	Fence      Fence
	Landing    Landing
	Later      Later
	Reruns     Reruns
	Log        *slog.Logger
	Now        func() time.Time

	StateMachineARN string
	NoHistory       bool           // there is no initial import to wait for
	Zone            *time.Location // in which the deadline's date is taken
	DaysBack        int            // days from the due date to the deadline's local date
	Redrives        int            // automatic redrives without progress after a transient failure; 0: none
	RedriveDelay    time.Duration  // before the first of them; the later ones wait longer
	MaxFutureDays   int            // days after today that a file's date may lie
	InitialDeadline time.Duration  // from the first file of an initial import until the others count as missing; 0: none

	// Needed by [Control.Rerun], as Fence is.
	Definitions Definitions
	Work        WorkObjects
}

// Control holds only its configuration, no state of any import. It is safe for
// concurrent use.
type Control struct{ Config }

// New returns a control; it fails if a mandatory field is missing.
func New(config Config) (*Control, error) {
	if config.Registry == nil || config.Executions == nil || config.Histories == nil || config.Names == nil ||
		config.Alerts == nil || config.Reports == nil || config.Log == nil || config.Now == nil {
		return nil, errors.New("control: a mandatory field of the configuration is missing")
	}
	if !strings.Contains(config.StateMachineARN, ":stateMachine:") {
		return nil, fmt.Errorf("control: %q is no ARN of a state machine", config.StateMachineARN)
	}
	return &Control{Config: config}, nil
}

// executionARN returns the ARN of the machine's execution called name.
func (c *Control) executionARN(name string) string { return executions.ARN(c.StateMachineARN, name) }

var importName = regexp.MustCompile(`^(IMPORT_\d{8}_\d{6}_\d{3,})(?:-\d+)?$`)

// importOf returns the import_id in the ARN of an execution, if there is one.
func importOf(executionARN string) (string, bool) {
	m := importName.FindStringSubmatch(executions.Name(executionARN))
	if m == nil {
		return "", false
	}
	return m[1], true
}

// rounds bounds the turns of one call. In each turn the call starts an import or
// finds that somebody else did.
const rounds = 5

// Advance starts the next import in the queue if the slot is free, resumes an import
// whose missing files have arrived, or restarts one whose refused files were
// corrected. trigger names the occasion.
//
// The queue puts initial dates before daily ones, then sorts by file date. An open
// import holds up the dates after it until it succeeds or is abandoned. So does a
// date that still lacks files, unless a later date is already published or it
// belongs to an initial import. No daily date starts before the initial import has
// succeeded (unless NoHistory), and no initial one after anything was published.
// Before starting a date, Advance looks in the landing bucket for the files of that
// date and of unpublished dates before it: notifications may be late, and an earlier
// date may be complete, too.
//
// Any number of callers may call it at any time; one of them acts. It fails with
// *fault.Transient if DynamoDB or Step Functions did not answer.
func (c *Control) Advance(ctx context.Context, trigger etl.Trigger) error {
	looked := c.Landing == nil
	for range rounds {
		v, last, err := c.next(ctx)
		if err != nil {
			return err
		}
		switch v.Action {
		case queue.StartOver:
			return c.ask(ctx, restartCorrected(v.Import))
		case queue.Resume:
			_, err := c.resume(ctx, v.Import, registry.Pending{Trigger: etl.TriggerFile})
			if _, refused := errors.AsType[*fault.Refused](err); refused {
				return nil
			}
			return err
		case queue.Start:
		default:
			return nil
		}
		if !looked {
			looked = true
			if err := c.lookFor(ctx, v.Date, last); err != nil {
				return err
			}
			continue // even if somebody else recorded the change
		}
		reason := trigger
		if len(v.Missing) > 0 {
			reason = etl.TriggerDeadline
		}
		imp, ok, err := c.Registry.Allot(ctx, v.Date, reason, c.executionARN)
		if err != nil {
			return err
		}
		if ok {
			return c.start(ctx, imp, reason)
		}
		if holder, err := c.Registry.Slot(ctx); err != nil || holder != "" {
			return err
		}
	}
	return nil
}

// next decides which date is next, and removes dates from the queue that no longer
// have any file. last is the latest published date; empty for none.
func (c *Control) next(ctx context.Context) (v queue.Verdict, last string, err error) {
	reader := queue.Reader{Source: c.Registry, Missing: c.Names.Missing}
	s, err := reader.Snapshot(ctx)
	if err != nil {
		return v, "", err
	}
	s.NoHistory, s.Latest = c.NoHistory, c.horizon().Latest()
	for {
		v, err := reader.Decide(ctx, s)
		if err != nil || v.Action != queue.Leave {
			return v, queue.Last(s.Published), err
		}
		left, err := c.Registry.LeaveEmpty(ctx, v.Date.Mode, v.Date.FileDate)
		switch {
		case err != nil:
			return queue.Verdict{}, "", err
		case left:
			s = s.Without(v.Date)
		default:
			s.Files[v.Date.Order()] = queue.Files{Missing: v.Missing, Stays: true}
		}
	}
}

// input is the input of an execution. A redrive reuses it, so it holds nothing that
// may change.
type input struct {
	ImportID   string   `json:"import_id"`
	Generation int      `json:"generation"`
	Mode       etl.Mode `json:"mode"`
	FileDate   string   `json:"file_date"`
}

// start starts the current execution of an import. The execution may already be
// running.
func (c *Control) start(ctx context.Context, imp registry.Import, trigger etl.Trigger) error {
	body, err := json.Marshal(input{imp.ImportID, imp.Generation, imp.Mode, imp.FileDate})
	if err != nil {
		return fmt.Errorf("control: encode the input of %s: %w", imp.ImportID, err)
	}
	started, err := c.Executions.Start(ctx, executions.Name(imp.ExecutionARN), string(body))
	if err != nil || !started {
		return err
	}
	c.Log.InfoContext(ctx, logStarted, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepLoading),
		slog.String("mode", string(imp.Mode)), slog.String("file_date", imp.FileDate),
		slog.Int("generation", imp.Generation), slog.String("trigger", string(trigger)))
	return nil
}
