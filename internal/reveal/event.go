package reveal

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/staged"
)

// eventSource is one event.
type eventSource struct {
	r     *Revealer
	id    string
	names []string // of the fields asked for, each once; empty for all that are sensitive
	asked []*contract.Field
}

// eventSource checks a request for an event. Its table is not known yet, so each field
// has to be one of any table.
func (r *Revealer) eventSource(request Request) (source, error) {
	id, err := uuid.Parse(request.Event)
	if err != nil {
		return nil, refused(RefusedEvent)
	}
	for _, name := range request.Fields {
		if !slices.ContainsFunc(r.config.Contract.Resources, func(res *contract.Resource) bool { return named(res.EventFields(), name) != nil }) {
			return nil, refused(RefusedNoField(name))
		}
	}
	return &eventSource{r: r, id: id.String(), names: slices.Compact(slices.Sorted(slices.Values(request.Fields)))}, nil
}

func (s *eventSource) fields() []string {
	if s.asked == nil {
		return s.names
	}
	return names(s.asked)
}

func (s *eventSource) event() string { return s.id }

func (s *eventSource) load(ctx context.Context) ([]sealed, error) {
	e, ok, err := s.r.config.Store.Event(ctx, s.id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refused(RefusedNoEvent)
	}
	res, err := s.r.resource(e.Resource)
	if err != nil {
		return nil, err
	}
	if s.asked, err = sensitive(res.Name, "events", res.EventFields(), s.names); err != nil {
		return nil, err
	}
	return []sealed{&sealedEvent{resource: res, asked: s.asked, event: e}}, nil
}

// sealedEvent is an event whose data hold sealed values.
type sealedEvent struct {
	resource *contract.Resource
	asked    []*contract.Field
	event    postgres.SealedEvent
}

func (s *sealedEvent) origin() postgres.Origin { return s.event.Origin }

func (s *sealedEvent) open(ctx context.Context, box *box) (Record, error) {
	var data map[string]json.RawMessage
	if err := json.Unmarshal(s.event.Data, &data); err != nil {
		return Record{}, fmt.Errorf("reveal: the data of an event of %s, line %d, is no object", s.event.ImportID, s.event.Line)
	}
	o, err := box.opener(ctx, s.origin(), s.resource)
	if err != nil {
		return Record{}, err
	}
	for _, f := range s.resource.KeyFields() {
		if !f.Sensitive() {
			o.bind(f, text(data[f.Target]))
		}
	}
	if s.ofClient() {
		if err := o.check(ctx, s.resource, func(f *contract.Field) staged.StoredKey {
			return staged.StoredKey{Sealed: bytesIn(data[f.Target]), Token: s.event.ClientToken}
		}); err != nil {
			return Record{}, err
		}
	}
	record := newRecord(s.origin())
	for _, f := range s.asked {
		if err := o.value(&record, f, bytesIn(data[f.Target])); err != nil {
			return Record{}, err
		}
	}
	return record, nil
}

// ofClient reports whether the client is the key of the event's record. An event has no
// other token, and names no other record than its own.
func (s *sealedEvent) ofClient() bool {
	key := s.resource.KeyFields()
	return len(key) == 1 && key[0].Sensitive() && key[0].Domain == clientDomain
}

// clientDomain is the domain of the token that events have in a column.
const clientDomain = "client_id"

// text returns a member as text: a string without its quotes, anything else as it is;
// nil for null and for none.
func text(member json.RawMessage) []byte {
	var s *string
	switch {
	case member == nil || string(member) == "null":
		return nil
	case json.Unmarshal(member, &s) == nil && s != nil:
		return []byte(*s)
	default:
		return member
	}
}

// bytesIn returns the bytes that a member holds as base64; nil for null and for none.
func bytesIn(member json.RawMessage) []byte {
	encoded := text(member)
	if encoded == nil {
		return nil
	}
	sealed, err := base64.StdEncoding.DecodeString(string(encoded))
	if err != nil {
		return encoded // it does not open
	}
	return sealed
}
