package control

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// Request asks for a re-execution.
type Request struct {
	ImportID string      `json:"import_id"`
	Mode     etl.Kind    `json:"mode"`
	Force    bool        `json:"force,omitempty"`   // restart even after success, to replace what was published
	Trigger  etl.Trigger `json:"trigger,omitempty"` // empty: console
	Attempt  int         `json:"attempt,omitempty"` // number of the failed attempt that this was planned for; 0: not planned

	// Accept names limits that a resumed import may exceed, such as "shrink=produits";
	// see registry.Acceptance.
	Accept []string `json:"accept,omitempty"`
	By     string   `json:"by,omitempty"` // identity of the person who accepts; empty: unknown
}

// Answer is the result of a re-execution.
type Answer struct {
	ImportID   string     `json:"import_id"`
	Kind       etl.Kind   `json:"kind"` // resume, continue, restart or abandon
	Status     etl.Status `json:"status"`
	Generation int        `json:"generation"`
	Execution  string     `json:"execution"` // ARN of the current execution
	Message    string     `json:"message"`   // in French, for people

	// The state machine's definition has changed since the execution started. A
	// redrive still runs the old one; only a continuation or a restart runs the new.
	DefinitionChanged bool `json:"definition_changed,omitempty"`
}

// Rerun resumes, restarts or abandons an import. It fails with *fault.Refused if
// the import's state does not allow it, and with *fault.Transient if a service did
// not answer; it may then be called again. If the import's state no longer allows a
// planned redrive, that is not an error: the answer has no kind, and its message
// gives the reason.
func (c *Control) Rerun(ctx context.Context, request Request) (Answer, error) {
	a, err := c.rerun(ctx, request)
	if err == nil {
		err = c.record(ctx, request)
	}
	if refused, ok := errors.AsType[*fault.Refused](err); ok && request.Attempt != 0 {
		c.Log.InfoContext(ctx, logAutomaticVoid, centrallog.ImportID(request.ImportID), centrallog.Step(etl.StepRerun),
			slog.String("error_details", refused.Reason))
		return Answer{ImportID: request.ImportID, Message: refused.Reason}, nil
	}
	return a, err
}

// record copies the attempts and the state of an import into the database, which
// may be down. A failure is logged; it fails the request only if the request asked
// for nothing else.
func (c *Control) record(ctx context.Context, request Request) error {
	imp, err := c.Registry.Import(ctx, request.ImportID)
	if err == nil {
		err = c.Fence.RecordState(ctx, imp)
	}
	var attempts []registry.Attempt
	if err == nil {
		attempts, err = c.Registry.Attempts(ctx, imp.ImportID)
	}
	if err == nil {
		err = c.Fence.RecordAttempts(ctx, imp.ImportID, attempts)
	}
	if err == nil {
		err = c.Registry.MarkRecorded(ctx, imp)
	}
	if err == nil || request.Mode == etl.KindRecord {
		return err
	}
	c.Log.WarnContext(ctx, LogAttemptsLater, centrallog.ImportID(request.ImportID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	return nil
}

// dropLimit bounds the time spent deleting work objects before the next generation
// starts. It is enough for some hundred thousand of them.
const dropLimit = 2 * time.Minute

// drop deletes the work objects of a generation that is fenced off. Nobody reads
// what it leaves behind or what a late twin writes afterwards, and the bucket's
// lifecycle rule deletes it. A failure is therefore logged as a warning and stops
// nothing.
func (c *Control) drop(ctx context.Context, importID string, generation int) {
	ctx, cancel := context.WithTimeout(ctx, dropLimit)
	defer cancel()
	log := c.Log.With(centrallog.ImportID(importID), centrallog.Step(etl.StepRerun), slog.Int("generation", generation))
	deleted, err := c.Work.Drop(ctx, importID, generation)
	if err != nil {
		log.WarnContext(ctx, LogWorkLeft, centrallog.Details(err.Error()), slog.Int("deleted", deleted))
		return
	}
	log.InfoContext(ctx, logWorkDropped, slog.Int("deleted", deleted))
}

func (c *Control) rerun(ctx context.Context, request Request) (Answer, error) {
	asked, err := c.asked(request)
	if err != nil {
		return Answer{}, err
	}
	imp, err := c.Registry.Import(ctx, request.ImportID)
	if errors.Is(err, registry.ErrNotFound) {
		return Answer{}, refused(request, message.RefusedUnknown)
	}
	if err != nil {
		return Answer{}, err
	}
	if request.Mode == etl.KindRecord {
		return answer(imp, "", ""), nil
	}
	imp, ended, err := c.follow(ctx, imp)
	if err != nil {
		return Answer{}, err
	}
	if ended {
		_ = c.tell(ctx, imp) // it logs a failure, which does not stop the request
	}
	if stale(request, imp) {
		return Answer{}, refused(request, RefusedOvertaken)
	}
	if request.Mode == etl.KindAbandon && imp.Status == etl.StatusAbandoned {
		c.goOn(ctx, imp.ImportID)
		return answer(imp, etl.KindAbandon, textAbandoned(imp.ImportID)), nil
	}
	if err := c.admit(ctx, request, imp); err != nil {
		return Answer{}, err
	}
	return c.act(ctx, request, imp, asked)
}

func refused(request Request, reason string) error {
	return &fault.Refused{ImportID: request.ImportID, Reason: reason}
}

// asked checks a request before anything is read, and returns what the registry
// will record about it.
func (c *Control) asked(request Request) (registry.Pending, error) {
	if c.Fence == nil || c.Definitions == nil || c.Work == nil {
		return registry.Pending{}, errors.New("control: a re-execution needs the fence, the definitions and the work objects")
	}
	switch request.Mode {
	case etl.KindResume, etl.KindContinue, etl.KindRestart, etl.KindAbandon, etl.KindRecord:
	default:
		return registry.Pending{}, refused(request, RefusedMode)
	}
	trigger := request.Trigger
	if trigger == "" {
		trigger = etl.TriggerConsole
	}
	accepted, err := c.acceptances(request, trigger)
	return registry.Pending{Trigger: trigger, Accepted: accepted}, err
}

// admit refuses a request that does not fit the status of its import.
func (c *Control) admit(ctx context.Context, request Request, imp registry.Import) error {
	switch {
	case request.Force && request.Mode != etl.KindRestart:
		return refused(request, RefusedForce)
	case imp.Status == etl.StatusSucceeded && !request.Force:
		if request.Mode == etl.KindRestart {
			if err := c.replaceable(ctx, imp); err != nil {
				return err // force would not help either
			}
		}
		return refused(request, RefusedSucceeded)
	case imp.Status == etl.StatusRunning:
		return refused(request, RefusedRunning)
	case imp.Status == etl.StatusAbandoned && (request.Mode == etl.KindResume || request.Mode == etl.KindContinue):
		return refused(request, RefusedAbandoned)
	default:
		return nil
	}
}

// act carries out an admitted request.
func (c *Control) act(ctx context.Context, request Request, imp registry.Import, asked registry.Pending) (Answer, error) {
	switch request.Mode {
	case etl.KindContinue:
		return c.continueAnew(ctx, imp, asked, ContinuedAsAsked)
	case etl.KindResume:
		a, err := c.resume(ctx, imp, asked)
		if err == nil && a.Kind == etl.KindResume && c.definitionChanged(ctx, imp) {
			a.DefinitionChanged = true
			a.Message += textDefinitionChanged(imp.ImportID)
		}
		return a, err
	case etl.KindRestart:
		if asked.Trigger == etl.TriggerFile {
			if corrected, err := c.corrected(ctx, imp); err != nil || !corrected {
				return Answer{}, errors.Join(err, refused(request, RefusedNotCorrected))
			}
		}
		return c.restart(ctx, imp, asked.Trigger, request.Force)
	default:
		return c.abandon(ctx, imp, asked.Trigger)
	}
}

func answer(imp registry.Import, kind etl.Kind, text string) Answer {
	return Answer{
		ImportID: imp.ImportID, Kind: kind, Status: imp.Status, Generation: imp.Generation,
		Execution: imp.ExecutionARN, Message: text,
	}
}

// claim claims an import for a re-execution. If something prevents that, it fails
// with a refusal that people understand.
func (c *Control) claim(ctx context.Context, imp registry.Import, p registry.Pending) (registry.Import, error) {
	claimed, err := c.Registry.Claim(ctx, imp, p)
	return claimed, refusal(imp.ImportID, err)
}

func refusal(importID string, err error) error {
	if taken, ok := errors.AsType[*registry.TakenError](err); ok {
		return &fault.Refused{ImportID: importID, Reason: RefusedTaken(taken.Holder)}
	}
	if pending, ok := errors.AsType[*registry.PendingError](err); ok {
		return &fault.Refused{ImportID: importID, Reason: refusedPending(pending.Kind)}
	}
	if _, ok := errors.AsType[*registry.ChangedError](err); ok {
		return &fault.Refused{ImportID: importID, Reason: refusedChanged}
	}
	return err
}

// begin moves a claimed import to a new execution and starts it.
func (c *Control) begin(ctx context.Context, claimed registry.Import, generation int) (registry.Import, error) {
	begun, err := c.Registry.Begin(ctx, claimed, generation, c.executionARN)
	if err != nil {
		return claimed, refusal(claimed.ImportID, err)
	}
	c.logAttempt(ctx, begun.ImportID, registry.Attempt{
		Number: begun.Attempts, Kind: claimed.Pending.Kind, Trigger: claimed.Pending.Trigger,
		Generation: begun.Generation, FailedStep: claimed.Step, FailedReason: claimed.Reason,
	})
	return begun, c.start(ctx, begun, claimed.Pending.Trigger)
}

// replaceable refuses to restart an initial import once a daily import, or another
// initial one, is published.
func (c *Control) replaceable(ctx context.Context, imp registry.Import) error {
	if imp.Mode != etl.ModeInitial {
		return nil
	}
	published, err := c.Registry.Published(ctx)
	if err != nil {
		return err
	}
	for _, p := range published {
		switch {
		case p.Mode == etl.ModeDaily:
			return &fault.Refused{ImportID: imp.ImportID, Reason: RefusedInitialOver}
		case p.ImportID != imp.ImportID:
			return &fault.Refused{ImportID: imp.ImportID, Reason: RefusedInitialOther(p.ImportID)}
		}
	}
	return nil
}

// restart fences off the generation that failed, or with force the one that was
// published, and starts a new one.
func (c *Control) restart(ctx context.Context, imp registry.Import, trigger etl.Trigger, force bool) (Answer, error) {
	if err := c.replaceable(ctx, imp); err != nil {
		return Answer{}, err
	}
	claimed, err := c.claim(ctx, imp, registry.Pending{Kind: etl.KindRestart, Trigger: trigger})
	if err != nil {
		return Answer{}, err
	}
	if err := c.replaceable(ctx, imp); err != nil { // check again: from here on nothing else can be published
		return Answer{}, c.giveUp(ctx, claimed, err)
	}
	generation, err := c.Fence.Restart(ctx, imp, force)
	if err != nil {
		return Answer{}, c.giveUp(ctx, claimed, err)
	}
	if err := c.stop(ctx, imp); err != nil {
		return Answer{}, c.giveUp(ctx, claimed, err)
	}
	c.drop(ctx, imp.ImportID, imp.Generation)
	begun, err := c.begin(ctx, claimed, generation)
	return answer(begun, etl.KindRestart,
		textRestarted(imp.ImportID, executions.Name(begun.ExecutionARN), begun.Generation, imp.Status == etl.StatusSucceeded)), err
}

// giveUp withdraws a claim after a failure, so that the request can be repeated
// at once. It has a time limit of its own, since the failure may be a timeout.
func (c *Control) giveUp(ctx context.Context, claimed registry.Import, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawLimit)
	defer cancel()
	return errors.Join(err, c.Registry.Withdraw(ctx, claimed))
}

// withdrawLimit bounds the time in which a claim is withdrawn.
const withdrawLimit = 5 * time.Second

// unfinished withdraws a claim whose owner died before the re-execution began, as
// the claim may hold the slot. The import stays as it was and may be claimed again.
func (c *Control) unfinished(ctx context.Context, imp registry.Import) error {
	if imp.Status == etl.StatusRunning || imp.Pending.Kind == "" || c.Now().Sub(imp.Pending.At) < registry.PendingFor {
		return nil
	}
	return c.Registry.Withdraw(ctx, imp)
}

// stop stops the execution of a fenced-off generation, which somebody may have
// redriven in the console meanwhile.
func (c *Control) stop(ctx context.Context, imp registry.Import) error {
	e, exists, err := c.Executions.Describe(ctx, imp.ExecutionARN)
	if err != nil || !exists || e.Status != executions.Running {
		return err
	}
	return c.Executions.Stop(ctx, imp.ExecutionARN, "Superseded")
}

// abandon gives up an import and lets the next date start.
func (c *Control) abandon(ctx context.Context, imp registry.Import, trigger etl.Trigger) (Answer, error) {
	claimed, err := c.claim(ctx, imp, registry.Pending{Kind: etl.KindAbandon, Trigger: trigger})
	if err != nil {
		return Answer{}, err
	}
	if err := c.Fence.Abandon(ctx, imp); err != nil {
		return Answer{}, c.giveUp(ctx, claimed, err)
	}
	if err := c.stop(ctx, imp); err != nil {
		return Answer{}, c.giveUp(ctx, claimed, err)
	}
	c.drop(ctx, imp.ImportID, imp.Generation)
	gone, err := c.Registry.Abandon(ctx, claimed, imp.Generation+1)
	if err != nil {
		return Answer{}, refusal(imp.ImportID, err)
	}
	c.logAttempt(ctx, gone.ImportID, registry.Attempt{
		Number: gone.Attempts, Kind: etl.KindAbandon, Trigger: trigger,
		Generation: gone.Generation, FailedStep: imp.Step, FailedReason: imp.Reason,
	})
	c.goOn(ctx, gone.ImportID)
	_ = c.tell(ctx, gone) // it logs a failure; the import is abandoned regardless
	return answer(gone, etl.KindAbandon, textAbandoned(imp.ImportID)), nil
}

// goOn lets the next date start once an import is abandoned. If it cannot, it logs
// that: the sweep will start the date, and abandoning has not failed.
func (c *Control) goOn(ctx context.Context, importID string) {
	if err := c.Advance(ctx, etl.TriggerAutomatic); err != nil {
		c.Log.WarnContext(ctx, logNextLater, centrallog.ImportID(importID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	}
}
