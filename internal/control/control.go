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
// Four services share the work, one for each function that controls imports:
//
//   - [Advancer] starts the import whose turn it is (functions/intake);
//   - [Tracker] follows an execution and reports its end (functions/track);
//   - [Sweeper] makes up for what was lost, and notices deadlines (functions/sweep);
//   - [Rerunner] resumes, restarts and abandons imports (functions/rerun).
//
// Imports run one at a time in the order of the queue: start with
// [Advancer.Advance], which the other three services call, too. They share three
// parts as well: runner moves an import from one execution to the next, watcher
// observes how its execution fares, and concluder reports its end.
package control

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/registry"
)

// Common is what all services need, as each of them lets the next import start. Its
// fields are mandatory unless their comments say otherwise.
type Common struct {
	Registry   *registry.Registry
	Executions Executions
	Names      *landing.Names
	Landing    Landing
	Log        *slog.Logger
	Now        func() time.Time
	Zone       *time.Location // in which a day begins

	StateMachineARN string
	NoHistory       bool // optional: there is no initial import to wait for
	MaxFutureDays   int  // optional: days after today that a file's date may lie
}

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

// Landing records what is in the landing bucket; *landing.Recorder implements it.
// Both methods take a bounded time and return how many differences from the registry
// they found.
type Landing interface {
	// Look looks for the files of the dates from first to last.
	Look(ctx context.Context, mode etl.Mode, first, last string) (changed int, err error)
	// Walk works through the whole bucket, starting where the previous walk stopped. It
	// fails with *landing.UntoldError if all that failed is the alert about badly named
	// objects.
	Walk(ctx context.Context) (changed int, err error)
}

// Reruns passes re-executions to the function that has access to the database.
type Reruns interface {
	// Ask delivers the request soon, at least once. It fails with *fault.Transient if
	// the service did not answer.
	Ask(ctx context.Context, request Request) error
}

// horizon returns the bounds of the dates that files may have.
func (c Common) horizon() landing.Horizon {
	return landing.Horizon{Now: c.Now, Zone: c.Zone, Days: c.MaxFutureDays}
}

// executionARN returns the ARN of the machine's execution called name.
func (c Common) executionARN(name string) string { return executions.ARN(c.StateMachineARN, name) }

// field is a mandatory field of a configuration.
type field struct {
	name string
	set  bool
}

func (c Common) mandatory() []field {
	return []field{
		{"Registry", c.Registry != nil},
		{"Executions", c.Executions != nil},
		{"Names", c.Names != nil},
		{"Landing", c.Landing != nil},
		{"Log", c.Log != nil},
		{"Now", c.Now != nil},
		{"Zone", c.Zone != nil},
		{"StateMachineARN", c.StateMachineARN != ""},
	}
}

// check fails if a service's configuration lacks a mandatory field of its own or one
// of those in common, and names all that it lacks.
func check(service string, common Common, own ...[]field) error {
	var missing []string
	for _, f := range slices.Concat(common.mandatory(), slices.Concat(own...)) {
		if !f.set {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("control: the configuration of the %s lacks %s", service, strings.Join(missing, ", "))
	}
	if !strings.Contains(common.StateMachineARN, ":stateMachine:") {
		return fmt.Errorf("control: %q is no ARN of a state machine", common.StateMachineARN)
	}
	return nil
}
