package control

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// RerunnerConfig is what a [Rerunner] needs; the interfaces are mandatory. It makes no
// schedules: the sweep makes the redrives that it plans.
type RerunnerConfig struct {
	Common
	Outcomes
	Definitions Definitions
	Fence       Fence
	Work        WorkObjects
	Audit       audit.Trail
	Replays     Replays
	Sources     []string // optional: of enrichment, by their names
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

// Rerunner re-executes imports. It alone has access to the database.
type Rerunner struct {
	config    RerunnerConfig
	runner    runner
	advancer  *Advancer
	watcher   watcher
	concluder concluder
	replayer  replayer
}

// NewRerunner returns a rerunner; it fails if a mandatory field is missing.
func NewRerunner(config RerunnerConfig) (*Rerunner, error) {
	if err := check("rerunner", config.Common, config.Outcomes.mandatory(), config.Replays.mandatory(),
		[]field{{"Definitions", config.Definitions != nil}, {"Fence", config.Fence != nil}, {"Work", config.Work != nil}, {"Audit", config.Audit != nil}}); err != nil {
		return nil, err
	}
	r := &Rerunner{
		config:    config,
		runner:    runner{config.Common},
		watcher:   watcher{runner{config.Common}, config.Histories},
		concluder: concluder{config.Common, config.Outcomes, noSchedules{}},
		replayer:  replayer{config.Common, config.Outcomes, config.Replays},
	}
	r.advancer = newAdvancer(config.Common, atOnce{r})
	return r, nil
}

// atOnce carries out the re-executions that the rerunner's own advancer asks for.
type atOnce struct{ rerunner *Rerunner }

// Ask implements [Reruns].
func (a atOnce) Ask(ctx context.Context, request Request) error {
	_, err := a.rerunner.Rerun(ctx, caller.Identity{}, request)
	return err
}

// Request asks for a re-execution. It does not say who asks: see [Rerunner.Rerun].
type Request struct {
	ImportID string   `json:"import_id"`
	Mode     etl.Kind `json:"mode"`
	Force    bool     `json:"force,omitempty"` // restart even after success, to replace what was published

	// Attempt is the number of the failed attempt for which the system planned this
	// request; 0: a person asks. The registry knows what was planned, and a request
	// that was not has no effect. With the mode [etl.KindRecord], the number of a
	// redrive in the console whose author has become known.
	Attempt int `json:"attempt,omitempty"`

	Source string `json:"source,omitempty"` // of [etl.KindEnrich]: the only source to ask; empty: all

	// Of [etl.KindTurn], which only the state machine of replays asks for: the number of the
	// replay, and how often it has asked.
	Replay int `json:"replay,omitempty"`
	Loops  int `json:"loops,omitempty"`

	// Accept names limits that a resumed import may exceed, such as "shrink=produits";
	// see registry.Acceptance.
	Accept []string `json:"accept,omitempty"`
}

// Answer is the result of a re-execution.
type Answer struct {
	ImportID   string     `json:"import_id"`
	Kind       etl.Kind   `json:"kind"` // resume, continue, restart, abandon, enrich or turn
	Status     etl.Status `json:"status"`
	Generation int        `json:"generation"`
	Execution  string     `json:"execution"` // ARN of the current execution
	Message    string     `json:"message"`   // in French, for people

	// The state machine's definition has changed since the execution started. A
	// redrive still runs the old one; only a continuation or a restart runs the new.
	DefinitionChanged bool `json:"definition_changed,omitempty"`

	Turn *Turn `json:"turn,omitempty"` // of [etl.KindTurn]
}

// Rerun resumes, restarts or abandons an import, or asks its sources again. by is who asks, as AWS vouches for it;
// a verified person's request is never a planned one. Rerun fails with *fault.Refused if
// the import's state does not allow it, and with *fault.Transient if a service did
// not answer; it may then be called again. If the import's state does not, or no
// longer, allow a planned re-execution, that is not an error: the answer has no kind,
// and its message gives the reason.
func (r *Rerunner) Rerun(ctx context.Context, by caller.Identity, request Request) (Answer, error) {
	if request.Mode == etl.KindTurn && !by.Verified() {
		return r.turn(ctx, request)
	}
	if by.Verified() {
		request.Attempt = 0
	}
	if request.Attempt != 0 || (request.Mode == etl.KindRecord && !by.Verified()) {
		return r.recorded(ctx, by, request)
	}
	if err := r.bounded(request); err != nil {
		return Answer{}, err
	}
	return r.audited(ctx, by, request)
}

// recorded carries out a request and copies what became of it into the database.
func (r *Rerunner) recorded(ctx context.Context, by caller.Identity, request Request) (Answer, error) {
	a, err := r.rerun(ctx, by, request)
	if err == nil {
		err = r.record(ctx, request)
	}
	if refused, ok := errors.AsType[*fault.Refused](err); ok && request.Attempt != 0 {
		r.config.Log.InfoContext(ctx, logAutomaticVoid, centrallog.ImportID(request.ImportID), centrallog.Step(etl.StepRerun),
			slog.String("error_details", refused.Reason))
		return Answer{ImportID: request.ImportID, Message: refused.Reason}, nil
	}
	return a, err
}

// record copies the attempts and the state of an import into the database, which
// may be down. A failure is logged; it fails the request only if the request asked
// for nothing else.
func (r *Rerunner) record(ctx context.Context, request Request) error {
	imp, err := r.config.Registry.Import(ctx, request.ImportID)
	if err == nil {
		err = r.config.Fence.RecordState(ctx, imp)
	}
	var attempts []registry.Attempt
	if err == nil {
		attempts, err = r.config.Registry.Attempts(ctx, imp.ImportID)
	}
	if err == nil {
		err = r.config.Fence.RecordAttempts(ctx, imp.ImportID, attempts)
	}
	if err == nil {
		err = r.config.Registry.MarkRecorded(ctx, imp)
	}
	if err == nil || request.Mode == etl.KindRecord {
		return err
	}
	r.config.Log.WarnContext(ctx, LogAttemptsLater, centrallog.ImportID(request.ImportID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	return nil
}

func (r *Rerunner) rerun(ctx context.Context, by caller.Identity, request Request) (Answer, error) {
	asked, err := r.asked(by, request)
	if err != nil {
		return Answer{}, err
	}
	imp, err := r.config.Registry.Import(ctx, request.ImportID)
	if errors.Is(err, registry.ErrNotFound) {
		return Answer{}, refused(request, message.RefusedUnknown)
	}
	if err != nil {
		return Answer{}, err
	}
	if request.Mode == etl.KindRecord {
		return answer(imp, "", ""), r.auditConsole(ctx, request)
	}
	imp, ended, err := r.watcher.follow(ctx, imp)
	if err != nil {
		return Answer{}, err
	}
	if ended {
		_ = r.concluder.tell(ctx, imp) // it logs a failure, which does not stop the request
	}
	if request.Attempt != 0 && !r.planned(request, imp) {
		return Answer{}, refused(request, RefusedOvertaken)
	}
	if request.Mode == etl.KindAbandon && imp.Status == etl.StatusAbandoned {
		r.goOn(ctx, imp.ImportID)
		return answer(imp, etl.KindAbandon, textAbandoned(imp.ImportID)), nil
	}
	if request.Mode == etl.KindEnrich {
		return r.enrich(ctx, request, imp, asked)
	}
	if err := r.admit(ctx, request, imp); err != nil {
		return Answer{}, err
	}
	return r.act(ctx, request, imp, asked)
}

func refused(request Request, reason string) error {
	return &fault.Refused{ImportID: request.ImportID, Reason: reason}
}

// asked checks a request before anything is read, and returns what the registry
// will record about it.
func (r *Rerunner) asked(by caller.Identity, request Request) (registry.Pending, error) {
	switch request.Mode {
	case etl.KindResume, etl.KindContinue, etl.KindRestart, etl.KindAbandon, etl.KindEnrich:
	case etl.KindRecord:
		if by.Verified() { // the system alone asks for it
			return registry.Pending{}, refused(request, RefusedMode)
		}
	default:
		return registry.Pending{}, refused(request, RefusedMode)
	}
	asked := registry.Pending{Trigger: etl.TriggerCommand, By: by.String()}
	switch {
	case request.Attempt != 0 && request.Mode == etl.KindResume:
		asked.Trigger, asked.By = etl.TriggerAutomatic, ""
	case request.Attempt != 0 && request.Mode == etl.KindRestart:
		asked.Trigger, asked.By = etl.TriggerFile, ""
	}
	var err error
	asked.Accepted, err = r.acceptances(request, asked)
	return asked, err
}

// early is how much before its time a planned redrive may be requested: clocks differ.
const early = 10 * time.Second

// planned reports whether the system itself would now do what a request asks for: the
// redrive that the registry has planned for the import's last failure, or the restart
// once all its refused files are replaced, which [Rerunner.act] checks. Otherwise the
// request comes too late, or somebody pretends to be the system.
func (r *Rerunner) planned(request Request, imp registry.Import) bool {
	if request.Attempt != imp.Attempts || imp.Status != etl.StatusFailed || request.Force || len(request.Accept) > 0 {
		return false
	}
	switch request.Mode {
	case etl.KindResume:
		return !imp.Automatic.At.IsZero() && !r.config.Now().Add(early).Before(imp.Automatic.At)
	case etl.KindRestart:
		return true
	default:
		return false
	}
}

// admit refuses a request that does not fit the status of its import.
func (r *Rerunner) admit(ctx context.Context, request Request, imp registry.Import) error {
	switch {
	case request.Force && request.Mode != etl.KindRestart:
		return refused(request, RefusedForce)
	case imp.Status == etl.StatusSucceeded && !request.Force:
		if request.Mode == etl.KindRestart {
			if err := r.replaceable(ctx, imp); err != nil {
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
func (r *Rerunner) act(ctx context.Context, request Request, imp registry.Import, asked registry.Pending) (Answer, error) {
	switch request.Mode {
	case etl.KindContinue:
		return r.runner.continueAnew(ctx, imp, asked, ContinuedAsAsked)
	case etl.KindResume:
		a, err := r.runner.resume(ctx, imp, asked)
		if err == nil && a.Kind == etl.KindResume && r.definitionChanged(ctx, imp) {
			a.DefinitionChanged = true
			a.Message += textDefinitionChanged(imp.ImportID)
		}
		return a, err
	case etl.KindRestart:
		if asked.Trigger == etl.TriggerFile {
			if corrected, err := r.corrected(ctx, imp); err != nil || !corrected {
				return Answer{}, errors.Join(err, refused(request, RefusedNotCorrected))
			}
		}
		return r.restart(ctx, imp, asked, request.Force)
	default:
		return r.abandon(ctx, imp, asked)
	}
}

// definitionChanged reports whether the state machine's definition has changed since
// the execution of imp started; a redrive keeps the old one. If the lookup fails, it
// logs a warning and returns false.
func (r *Rerunner) definitionChanged(ctx context.Context, imp registry.Import) bool {
	changed, err := r.config.Definitions.DefinitionChanged(ctx, imp.ExecutionARN)
	if err != nil {
		r.config.Log.WarnContext(ctx, LogNoDefinition, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	}
	return changed
}

func answer(imp registry.Import, kind etl.Kind, text string) Answer {
	return Answer{
		ImportID: imp.ImportID, Kind: kind, Status: imp.Status, Generation: imp.Generation,
		Execution: imp.ExecutionARN, Message: text,
	}
}
