// Package control decides which import runs: it starts, follows, resumes,
// restarts and gives up imports.
//
// What is so is told by two sources: the registry for what was decided, and
// DescribeExecution for what Step Functions does. Notifications, the sweep and
// commands are only occasions to look. A decision is written to the registry
// first, in one conditional transaction, and carried out second by a call that
// may be repeated (an execution's name, a redrive's client token); whoever dies
// in between is made up for by the next sweep.
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
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// Executions runs the state machine; *executions.Machine is one. Errors are
// *fault.Transient where Step Functions did not answer.
type Executions interface {
	// Start starts the execution of a name. It may be repeated; started is false if
	// that execution is over.
	Start(ctx context.Context, name, input string) (started bool, err error)
	// Describe returns an execution; exists is false if there is none of that ARN (any
	// more).
	Describe(ctx context.Context, arn string) (e executions.Execution, exists bool, err error)
	// Redrive lets a failed execution go on. It may be repeated with the same token.
	// redriven is false if Step Functions does not allow it; at may be zero.
	Redrive(ctx context.Context, arn, token string) (at time.Time, redriven bool, err error)
	// Stop stops an execution, with the name of an error.
	Stop(ctx context.Context, arn, name string) error
}

// Histories finds out where an execution failed; *executions.Machine is one. The
// place is as exact as was found out before an error.
type Histories interface {
	Locate(ctx context.Context, e executions.Execution) (executions.Place, error)
}

// Definitions reports whether the state machine has another definition by now than
// an execution, which a redrive keeps; *executions.Machine is one.
type Definitions interface {
	DefinitionChanged(ctx context.Context, arn string) (bool, error)
}

// Fence shuts out everything that still works for an earlier generation of an
// import, in the database; *postgres.DB is one. Its methods work also for an import
// that never reached the database, and when they are called again because their
// answer was lost.
type Fence interface {
	// Restart ends the sessions of the generation that imp shows, makes the next one
	// current, drops what was partially imported, and returns the new generation. It
	// fails with *fault.Refused if that generation was published, unless force is set:
	// then it is seen until the new generation is published.
	Restart(ctx context.Context, imp registry.Import, force bool) (generation int, err error)
	// Abandon does the same for an import that is given up; the next generation is
	// current then.
	Abandon(ctx context.Context, imp registry.Import) error
	// RecordAttempts copies the attempts of an import to where SQL users find them.
	RecordAttempts(ctx context.Context, importID string, attempts []registry.Attempt) error
	// RecordState copies whether an import runs or has failed, where and why, to where
	// SQL users find it. It may be repeated and come late.
	RecordState(ctx context.Context, imp registry.Import) error
}

// WorkObjects is what imports have computed; phase.WorkObjects is one.
type WorkObjects interface {
	// Drop deletes what one generation of an import has computed and returns how
	// many objects that were. It may be repeated.
	Drop(ctx context.Context, importID string, generation int) (int, error)
}

// Reports writes the report of an import.
type Reports interface {
	// Write writes the report from the registry and returns where people find it.
	// It may be repeated.
	Write(ctx context.Context, importID string) (location string, err error)
}

// Landing takes in what lies in the landing bucket; *landing.Intake is one. Both
// take a bounded time, and return how many differences from the registry they
// found.
type Landing interface {
	// Look asks for the files of the dates from first to last.
	Look(ctx context.Context, mode etl.Mode, first, last string) (changed int, err error)
	// Walk goes on through the whole bucket where the last one stopped. It fails with
	// *landing.UntoldError if only an alert of badly named objects failed.
	Walk(ctx context.Context) (changed int, err error)
}

// Config is what a [Control] needs. Mandatory: Registry, Executions, Histories,
// Names, Alerts, Reports, Log, Now, StateMachineARN. Fence is needed by
// [Control.Rerun], Landing and Zone by [Control.Sweep]. Without Landing
// [Control.Advance] goes by notifications alone; without Later planned redrives are
// made by the sweep alone. Without Fence, Reruns makes what needs the database.
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
	Redrives        int            // automatic redrives after a failure that may pass, until there is progress; 0: none
	RedriveDelay    time.Duration  // before the first of them; the later ones wait longer
	MaxFutureDays   int            // days after today that a file's date may lie
	InitialDeadline time.Duration  // from the first file of an initial import until the others are missing; 0: none

	// Needed by [Control.Rerun], as Fence is.
	Definitions Definitions
	Work        WorkObjects
}

// Control is the state of no import: it holds only its configuration and is safe
// for concurrent use.
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

// executionARN is the ARN of the machine's execution of that name.
func (c *Control) executionARN(name string) string { return executions.ARN(c.StateMachineARN, name) }

var importName = regexp.MustCompile(`^(IMPORT_\d{8}_\d{6}_\d{3,})(?:-\d+)?$`)

// importOf is the import_id in the ARN of an execution, if it has one.
func importOf(executionARN string) (string, bool) {
	m := importName.FindStringSubmatch(executions.Name(executionARN))
	if m == nil {
		return "", false
	}
	return m[1], true
}

// rounds bounds the turns that one call takes: each starts an import or loses to
// somebody who did.
const rounds = 5

// Advance starts the import whose turn it is, if the slot is free, resumes the one
// whose missing files are now there, or has the one start over whose refused files
// are corrected. trigger names the occasion.
//
// The turn goes by the queue: initial before daily, then file dates ascending.
// An open import holds up the dates after it until it succeeds or is abandoned;
// so does a date that still misses files, unless a later date is already
// published or it belongs to an initial import. No daily date starts before the
// initial import succeeded (unless NoHistory), and no initial one after anything
// was published. Before it starts one it asks the landing bucket for the files of
// that date and of those before it that are not published: notifications may be
// late, and an earlier date may be there, too.
//
// It may be called at any time by any number of callers; one of them acts. It
// fails with *fault.Transient where DynamoDB or Step Functions did not answer.
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
			continue // also if somebody else recorded what was found
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

// next decides whose turn it is, and takes dates out of the queue that have no
// file any more. last is the latest date that is published; empty for none.
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

// input is the input of an execution. A redrive repeats it, so it holds nothing
// that may change.
type input struct {
	ImportID   string   `json:"import_id"`
	Generation int      `json:"generation"`
	Mode       etl.Mode `json:"mode"`
	FileDate   string   `json:"file_date"`
}

// start starts the current execution of an import, which may already run.
func (c *Control) start(ctx context.Context, imp registry.Import, trigger etl.Trigger) error {
	body, err := json.Marshal(input{imp.ImportID, imp.Generation, imp.Mode, imp.FileDate})
	if err != nil {
		return fmt.Errorf("control: encode the input of %s: %w", imp.ImportID, err)
	}
	started, err := c.Executions.Start(ctx, executions.Name(imp.ExecutionARN), string(body))
	if err != nil || !started {
		return err
	}
	c.Log.InfoContext(ctx, message.LogStarted, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepLoading),
		slog.String("mode", string(imp.Mode)), slog.String("file_date", imp.FileDate),
		slog.Int("generation", imp.Generation), slog.String("trigger", string(trigger)))
	return nil
}
