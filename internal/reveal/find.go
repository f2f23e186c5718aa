package reveal

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
)

// FindRequest asks where a person's data is: the value of a field that has a token, in
// every table that has the field.
type FindRequest struct {
	Condition
	Reason string `json:"reason,omitempty"` // optional: no value is shown
}

// Found says where a value is. It holds counts and the names of files, no values.
type Found struct {
	RequestID string  `json:"request_id"` // in etl.audit
	Places    []Place `json:"places"`
}

// Place is where a value is in one table.
type Place struct {
	Resource string             `json:"resource"`
	Field    string             `json:"field"`
	Rows     int64              `json:"rows"`    // of final
	Events   int64              `json:"events"`  // of final.events
	Staged   int64              `json:"staged"`  // of staging
	Rejects  int64              `json:"rejects"` // of the staged records
	Errors   int64              `json:"errors"`  // rows of etl.errors about the staged records
	Files    []postgres.Version `json:"files"`   // of the landing bucket
}

// Find says where a value is. The request is in the audit before it is answered. Find
// fails as [Revealer.Reveal] does.
func (r *Revealer) Find(ctx context.Context, by caller.Identity, request FindRequest) (Found, error) {
	e := audit.Entry{RequestID: uuid.NewString(), Action: actionFind}.By(by)
	return audited(ctx, r, &e, func(ctx context.Context) (Found, string, error) {
		found, err := r.find(ctx, by, request, &e)
		return found, fmt.Sprintf("%s: %d", outcomeFound, len(found.Places)), err
	})
}

func (r *Revealer) find(ctx context.Context, by caller.Identity, request FindRequest, e *audit.Entry) (Found, error) {
	if !by.Verified() {
		return Found{}, refused(RefusedUnverified)
	}
	if request.Reason != "" {
		if err := checkReason(request.Reason, request.Value); err != nil {
			return Found{}, err
		}
	}
	fields := r.joined(request.Field)
	if len(fields) == 0 {
		return Found{}, refused(RefusedUnknown(request.Field))
	}
	text, err := canonical(fields[0].field, request.Value)
	if err != nil {
		return Found{}, err
	}
	defer clear(text)
	if e.Details, err = json.Marshal(details{By: fields[0].field.Domain, Reason: message.Text(request.Reason)}); err != nil {
		return Found{}, fmt.Errorf("reveal: encode what is asked: %w", err)
	}
	e.Stage = audit.Asked
	if err := r.config.Trail.Audit(ctx, *e); err != nil {
		return Found{}, err
	}
	r.log(*e).InfoContext(ctx, LogRevealed, slog.String("field", fields[0].field.Domain))
	token, err := r.token(ctx, fields[0].field, text)
	if err != nil {
		return Found{}, err
	}
	found := Found{RequestID: e.RequestID, Places: []Place{}}
	for _, j := range fields {
		place, err := r.trace(ctx, j, token)
		if err != nil {
			return Found{}, err
		}
		found.Places = append(found.Places, place)
	}
	return found, nil
}

// joined is a field with a token.
type joinedField struct {
	resource *contract.Resource
	field    *contract.Field
}

// joined returns the fields of all tables whose tokens are comparable with those of the
// fields of that name.
func (r *Revealer) joined(name string) (all []joinedField) {
	domain := ""
	for _, res := range r.config.Contract.Resources {
		if f := res.Field(name); f != nil && f.Sensitivity == contract.Token {
			domain = f.Domain
		}
	}
	if domain == "" {
		return nil
	}
	for _, res := range r.config.Contract.Resources {
		for _, f := range res.Fields {
			if f.Sensitivity == contract.Token && f.Domain == domain {
				all = append(all, joinedField{res, f})
			}
		}
	}
	return all
}

func (r *Revealer) trace(ctx context.Context, j joinedField, token []byte) (Place, error) {
	target := postgres.Match{Column: contract.Column{Name: j.field.Target + contract.TokenSuffix, SQLType: "bytea"}, Value: token}
	stagedAs := postgres.Match{Column: contract.Column{Name: j.field.Name + contract.TokenSuffix, SQLType: "bytea"}, Value: token}
	t, err := r.config.Tracer.Trace(ctx, j.resource.Name, target, stagedAs, j.field.Domain == clientDomain)
	return Place{
		Resource: j.resource.Name, Field: j.field.Name, Rows: t.Rows, Events: t.Events, Staged: t.Staged,
		Rejects: t.Rejects, Errors: t.Errors, Files: t.Files,
	}, err
}
