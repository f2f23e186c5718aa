package control

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// auditLimit bounds the time that one entry of the audit may take: a redrive must also
// be possible while the database is down.
const auditLimit = 3 * time.Second

// details are what the audit records of a re-execution besides its kind and import.
type details struct {
	Force   bool     `json:"force,omitempty"`
	Accept  []string `json:"accept,omitempty"`
	Source  string   `json:"source,omitempty"`  // of a replay
	Attempt int      `json:"attempt,omitempty"` // the redrive in the console that it is about
	Console bool     `json:"console,omitempty"`
}

// audited carries out a person's request and records it before and after: in the log,
// and in etl.audit if the database answers.
func (r *Rerunner) audited(ctx context.Context, by caller.Identity, request Request) (Answer, error) {
	e := audit.Entry{
		RequestID: uuid.NewString(), Stage: audit.Asked, Action: string(request.Mode), ImportID: request.ImportID,
		Details: encoded(details{Force: request.Force, Accept: request.Accept, Source: message.Text(request.Source)}),
	}.By(by)
	log := r.config.Log.With(centrallog.ImportID(message.Text(request.ImportID)), centrallog.Step(etl.StepRerun), slog.String("request_id", e.RequestID),
		slog.String("mode", message.Text(e.Action)), slog.String("by", by.String()), slog.String("request", message.Text(string(e.Details))))
	log.InfoContext(ctx, LogAsked)
	r.keep(ctx, log, e)
	answer, err := r.recorded(ctx, by, request)
	e.Stage, e.Outcome = audit.Done, outcome(answer, err)
	log.InfoContext(ctx, LogAnswered, slog.String("outcome", e.Outcome))
	r.keep(context.WithoutCancel(ctx), log, e)
	return answer, err
}

// outcome tells what became of a request.
func outcome(answer Answer, err error) string {
	if err != nil {
		err = fault.Lift(err)
		return fmt.Sprintf("%s: %s", fault.Name(err), err.Error())
	}
	return fmt.Sprintf("%s: %s", answer.Kind, answer.Message)
}

// keep writes an entry into etl.audit. If it cannot, it logs that; the log has what the
// entry says.
func (r *Rerunner) keep(ctx context.Context, log *slog.Logger, e audit.Entry) {
	ctx, cancel := context.WithTimeout(ctx, auditLimit)
	defer cancel()
	if err := r.config.Audit.Audit(ctx, e); err != nil {
		log.WarnContext(ctx, LogNotAudited, centrallog.Details(err.Error()))
	}
}

// auditConsole records a redrive in the console whose author has become known. Of a
// repeated call, all entries have one request id.
func (r *Rerunner) auditConsole(ctx context.Context, request Request) error {
	attempts, err := r.config.Registry.Attempts(ctx, request.ImportID)
	if err != nil || request.Attempt < 1 || request.Attempt > len(attempts) {
		return err
	}
	a := attempts[request.Attempt-1]
	if a.Trigger != etl.TriggerConsole || !a.Caller.Verified() {
		return nil
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s#%d", request.ImportID, a.Number))
	e := audit.Entry{
		RequestID: id.String(), Stage: audit.Done, Action: string(a.Kind), ImportID: request.ImportID, Outcome: consoleOutcome(a),
		Details: encoded(details{Attempt: a.Number, Console: true}),
	}
	return r.config.Audit.Audit(ctx, e.By(a.Caller))
}

// consoleOutcome tells of a redrive in the console.
func consoleOutcome(a registry.Attempt) string {
	return fmt.Sprintf("%s: %s", a.Kind, textConsole(a.At))
}

func encoded(d details) json.RawMessage {
	text, err := json.Marshal(d)
	if err != nil {
		return nil // strings, numbers and booleans always can
	}
	return text
}
