// Package reveal reads what is stored encrypted, for people who may.
//
// A [Revealer] answers requests that their author signed (package gateway). It enters
// identity, reason, table and fields into the audit, finds the records while they are
// still encrypted, enters these, too, and only then asks KMS for the data keys. Without
// the entries there is no answer, not even that nothing was found. The records of a call
// and of a day are bounded.
//
// Values are in the answer and nowhere else: not in a log line, an error, an alert or
// the audit.
package reveal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
)

// MaxRecords is the most records that one call reveals.
const MaxRecords = 100

// Times. API Gateway waits 30 seconds, and the function ends after 29.
const (
	// StatementTimeout is when a statement of the database ends.
	StatementTimeout = 20 * time.Second
	// Spare is what a request leaves of its function's time for the last entry.
	Spare     = 3 * time.Second
	lastEntry = 2500 * time.Millisecond // that this entry may take
)

// The actions in the audit.
const (
	actionReveal = "reveal"
	actionFind   = "find"
)

// Store finds stored records; *postgres.DB implements it. Errors are *fault.Transient
// if the database did not answer.
type Store interface {
	// Sealed returns at most so many records of a target table that match.
	Sealed(ctx context.Context, table string, where postgres.Match, columns []contract.Column, most int) ([]postgres.SealedRow, error)
	Event(ctx context.Context, id string) (e postgres.SealedEvent, ok bool, err error)
	Rejected(ctx context.Context, importID, file string, line int64) (r postgres.RejectedLine, ok bool, err error)
	// Staged returns the cells of a rejected record; nil if they were purged.
	Staged(ctx context.Context, of postgres.RejectedLine, columns []contract.Column) ([][]byte, error)
}

// Tracer counts where a value is; *postgres.DB implements it.
type Tracer interface {
	Trace(ctx context.Context, resource string, target, staged postgres.Match, client bool) (postgres.Trace, error)
}

// Trail is the audit; *postgres.DB implements it.
type Trail interface {
	audit.Trail
	// AuditReveal enters the records of a request unless the principal would then have
	// asked for more than the most of a day; used is what it has asked for today.
	AuditReveal(ctx context.Context, e audit.Entry, principal string, records, most int) (used int, entered bool, err error)
}

// Keys are the keys that open values and make tokens; [KMSKeys] implements it. The
// caller wipes them after use.
type Keys interface {
	DataKey(ctx context.Context, importID string) (protection.DataKey, error)
	TokenKey(ctx context.Context, domain string) (protection.TokenKey, error)
}

// Alerter tells operators.
type Alerter interface {
	Alert(ctx context.Context, a alert.Alert) error
}

// Config is what a [Revealer] needs; all of it is mandatory.
type Config struct {
	Contract *contract.Package
	Store    Store
	Tracer   Tracer
	Trail    Trail
	Keys     Keys
	Alerts   Alerter
	Log      *slog.Logger
	PerDay   int // records that one principal may reveal in a day (UTC)
}

// Revealer answers requests for values. It is safe for concurrent use.
type Revealer struct{ config Config }

// New returns a revealer; it fails if a field of its configuration is missing.
func New(config Config) (*Revealer, error) {
	if config.Contract == nil || config.Store == nil || config.Tracer == nil || config.Trail == nil || config.Keys == nil ||
		config.Alerts == nil || config.Log == nil || config.PerDay < 1 {
		return nil, errors.New("reveal: the configuration is incomplete")
	}
	return &Revealer{config}, nil
}

// Reveal answers a request for values. It fails with *fault.Refused if the request may
// not or cannot be answered, and with *fault.Transient if a service did not answer.
func (r *Revealer) Reveal(ctx context.Context, by caller.Identity, request Request) (Answer, error) {
	e := audit.Entry{RequestID: uuid.NewString(), Action: actionReveal}.By(by)
	return audited(ctx, r, &e, func(ctx context.Context) (Answer, string, error) {
		answer, err := r.reveal(ctx, by, request, &e)
		return answer, fmt.Sprintf("%s: %d", outcomeRevealed, len(answer.Records)), err
	})
}

// audited carries out a request, and enters what became of it. The request ends early
// enough for that entry.
func audited[Out any](ctx context.Context, r *Revealer, e *audit.Entry, do func(context.Context) (out Out, outcome string, err error)) (Out, error) {
	early, cancel := ctx, context.CancelFunc(func() {})
	if ends, ok := ctx.Deadline(); ok {
		early, cancel = context.WithDeadline(ctx, ends.Add(-Spare))
	}
	defer cancel()
	out, outcome, err := do(early)
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), lastEntry)
	defer cancelLast()
	if err == nil {
		err = r.done(last, *e, outcome)
	} else {
		r.failed(last, *e, err)
	}
	if err != nil {
		return *new(Out), err
	}
	return out, nil
}

func (r *Revealer) reveal(ctx context.Context, by caller.Identity, request Request, e *audit.Entry) (Answer, error) {
	if !by.Verified() {
		return Answer{}, refused(RefusedUnverified)
	}
	source, err := r.source(request)
	if err != nil {
		return Answer{}, err
	}
	d, err := r.ask(ctx, request, source, e)
	if err != nil {
		return Answer{}, err
	}
	found, err := source.load(ctx)
	if err != nil {
		return Answer{}, err
	}
	if len(found) > MaxRecords {
		return Answer{}, refused(RefusedMany())
	}
	if err := r.enter(ctx, by, d, source.fields(), found, e); err != nil {
		return Answer{}, err
	}
	answer := Answer{RequestID: e.RequestID, Records: []Record{}}
	box := newBox(r.config.Keys)
	defer box.wipe()
	for _, s := range found {
		record, err := s.open(ctx, box)
		if err != nil {
			return Answer{}, err
		}
		answer.Records = append(answer.Records, record)
	}
	return answer, nil
}

// details are what the audit holds of a request besides who made it.
type details struct {
	Table   string            `json:"table,omitempty"`
	By      string            `json:"by,omitempty"` // the field that the records are found by, never its value
	Event   string            `json:"event,omitempty"`
	Raw     *Line             `json:"raw,omitempty"`
	Fields  []string          `json:"fields,omitempty"`
	Records []postgres.Origin `json:"records,omitempty"`
	Reason  string            `json:"reason"`
}

// ask enters a request into the audit before anything is looked up. It fails if it
// cannot.
func (r *Revealer) ask(ctx context.Context, request Request, source source, e *audit.Entry) (details, error) {
	d := details{Table: request.Table, Event: source.event(), Fields: source.fields(), Reason: message.Text(request.Reason)}
	if request.Where != nil {
		d.By = request.Where.Field
	}
	if raw := request.Raw; raw != nil {
		d.Raw = &Line{ImportID: message.Text(raw.ImportID), File: message.Text(raw.File), Line: raw.Line}
	}
	var err error
	if e.Details, err = json.Marshal(d); err != nil {
		return d, fmt.Errorf("reveal: encode what is asked: %w", err)
	}
	e.Stage = audit.Asked
	return d, r.config.Trail.Audit(ctx, *e)
}

// enter enters the records found into the audit, and counts them. It fails if it cannot,
// and with *fault.Refused and an alert beyond the bound of a day.
func (r *Revealer) enter(ctx context.Context, by caller.Identity, d details, fields []string, found []sealed, e *audit.Entry) error {
	d.Fields = fields
	for _, s := range found {
		d.Records = append(d.Records, s.origin())
		e.ImportID = s.origin().ImportID
	}
	if len(found) != 1 {
		e.ImportID = ""
	}
	var err error
	if e.Details, err = json.Marshal(d); err != nil {
		return fmt.Errorf("reveal: encode what is asked: %w", err)
	}
	e.Stage = audit.Asked
	principal, _ := by.Session() // whoever opens a session chooses its name
	used, entered, err := r.config.Trail.AuditReveal(ctx, *e, principal, len(found), r.config.PerDay)
	if err != nil {
		return err
	}
	r.log(*e).InfoContext(ctx, LogRevealed, slog.Int("records", len(found)), slog.Int("today", used))
	if entered {
		return nil
	}
	if err := r.config.Alerts.Alert(ctx, alert.RevealBound(by.String(), used, r.config.PerDay)); err != nil {
		r.log(*e).WarnContext(ctx, logNoAlert, centrallog.Details(err.Error()))
	}
	return refused(RefusedDay(used, r.config.PerDay))
}

// done enters what became of a request. It fails if it cannot.
func (r *Revealer) done(ctx context.Context, e audit.Entry, outcome string) error {
	e.Stage, e.Outcome = audit.Done, outcome
	if err := r.config.Trail.Audit(ctx, e); err != nil {
		r.failed(ctx, e, err)
		return err
	}
	r.log(e).InfoContext(ctx, LogAnswered, slog.String("outcome", outcome))
	return nil
}

// failed enters and logs that a request got no answer; there is nothing to withhold if
// the entry fails.
func (r *Revealer) failed(ctx context.Context, e audit.Entry, err error) {
	err = fault.Lift(err)
	e.Stage, e.Outcome = audit.Done, string(fault.Name(err))+": "+err.Error()
	log := r.log(e)
	log.WarnContext(ctx, LogAnswered, slog.String("outcome", e.Outcome))
	if err := r.config.Trail.Audit(ctx, e); err != nil {
		log.WarnContext(ctx, logNotAudited, centrallog.Details(err.Error()))
	}
}

func (r *Revealer) log(e audit.Entry) *slog.Logger {
	return r.config.Log.With(centrallog.ImportID(e.ImportID), slog.String("request_id", e.RequestID), slog.String("action", e.Action),
		slog.String("by", caller.Identity{ARN: e.Identity, AccessKey: e.AccessKeyID}.String()))
}

func refused(reason string) error { return &fault.Refused{Reason: reason} }
