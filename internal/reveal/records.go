package reveal

import (
	"context"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/staged"
)

// source is where the records of a request come from.
type source interface {
	// load finds the records; nothing is decrypted yet.
	load(ctx context.Context) ([]sealed, error)
	// fields returns the names of the fields asked for; empty for a whole line, and
	// before an event is loaded of which all are asked for.
	fields() []string
	event() string // the event_id; "" if it is no event
}

// sealed is a record that is still encrypted.
type sealed interface {
	origin() postgres.Origin
	// open decrypts what was asked for.
	open(ctx context.Context, box *box) (Record, error)
}

// tableSource is the records of a target table that match a condition.
type tableSource struct {
	r          *Revealer
	resource   *contract.Resource
	asked      []*contract.Field
	where      postgres.Match
	whereField *contract.Field
	columns    []contract.Column
	layout     layout
}

// layout says at which cell of a stored record its values are.
type layout struct {
	values  []int          // of the fields asked for
	public  map[int]int    // of the public fields of the primary key, by field index
	private map[int][2]int // of the sensitive ones: value and token
}

// tableSource checks a request for records of a table.
func (r *Revealer) tableSource(request Request) (source, error) {
	res, err := r.resource(request.Table)
	if err != nil {
		return nil, err
	}
	s := &tableSource{r: r, resource: res}
	if len(request.Fields) == 0 {
		return nil, refused(RefusedShape)
	}
	for _, name := range request.Fields {
		if res.Field(name) == nil && named(res.EventFields(), name) != nil {
			return nil, refused(RefusedInEvents(name))
		}
	}
	if s.asked, err = sensitive(res.Name, res.Name, res.Fields, request.Fields); err != nil {
		return nil, err
	}
	by := res.Field(request.Where.Field)
	switch {
	case by == nil:
		return nil, refused(RefusedField(request.Where.Field, res.Name))
	case by.Sensitive() && by.Sensitivity != contract.Token:
		return nil, refused(RefusedSearch(by.Name))
	}
	if s.where.Value, err = canonical(by, request.Where.Value); err != nil {
		return nil, err
	}
	if s.where.Column, err = columnOf(res.TargetColumns(), res.TargetKey([]string{by.Name})[0]); err != nil {
		return nil, err
	}
	return s, s.plan(by)
}

// plan lists the columns to read.
func (s *tableSource) plan(by *contract.Field) error {
	s.layout = layout{public: map[int]int{}, private: map[int][2]int{}}
	all := s.resource.TargetColumns()
	add := func(name string) (int, error) {
		c, err := columnOf(all, name)
		s.columns = append(s.columns, c)
		return len(s.columns) - 1, err
	}
	for _, f := range s.asked {
		at, err := add(f.Target)
		if err != nil {
			return err
		}
		s.layout.values = append(s.layout.values, at)
	}
	for _, f := range s.resource.KeyFields() {
		at, err := add(f.Target)
		if err != nil {
			return err
		}
		if !f.Sensitive() {
			s.layout.public[f.Index] = at
			continue
		}
		token, err := add(f.Target + contract.TokenSuffix)
		if err != nil {
			return err
		}
		s.layout.private[f.Index] = [2]int{at, token}
	}
	s.whereField = by
	return nil
}

func (s *tableSource) fields() []string { return names(s.asked) }

func (s *tableSource) event() string { return "" }

// load finds the records. A value that is sensitive is looked up by its token.
func (s *tableSource) load(ctx context.Context) ([]sealed, error) {
	where := s.where
	if s.whereField.Sensitive() {
		token, err := s.r.token(ctx, s.whereField, where.Value)
		clear(where.Value)
		if err != nil {
			return nil, err
		}
		where.Value = token
	}
	rows, err := s.r.config.Store.Sealed(ctx, s.resource.Name, where, s.columns, MaxRecords+1)
	if err != nil {
		return nil, err
	}
	found := make([]sealed, len(rows))
	for i, row := range rows {
		found[i] = &sealedRow{resource: s.resource, asked: s.asked, layout: s.layout, row: row}
	}
	return found, nil
}

// sealedRow is a record of a target table.
type sealedRow struct {
	resource *contract.Resource
	asked    []*contract.Field
	layout   layout
	row      postgres.SealedRow
}

func (s *sealedRow) origin() postgres.Origin { return s.row.Origin }

func (s *sealedRow) open(ctx context.Context, box *box) (Record, error) {
	o, err := box.opener(ctx, s.origin(), s.resource)
	if err != nil {
		return Record{}, err
	}
	for _, f := range s.resource.KeyFields() {
		if at, ok := s.layout.public[f.Index]; ok {
			o.bind(f, s.row.Cells[at])
		}
	}
	if err := o.check(ctx, s.resource, func(f *contract.Field) staged.StoredKey {
		at := s.layout.private[f.Index]
		return staged.StoredKey{Sealed: s.row.Cells[at[0]], Token: s.row.Cells[at[1]]}
	}); err != nil {
		return Record{}, err
	}
	record := newRecord(s.origin())
	for i, f := range s.asked {
		if err := o.value(&record, f, s.row.Cells[s.layout.values[i]]); err != nil {
			return Record{}, err
		}
	}
	return record, nil
}

// newRecord returns a record without values.
func newRecord(o postgres.Origin) Record {
	return Record{ImportID: o.ImportID, Resource: o.Resource, Line: o.Line}
}

func names(fields []*contract.Field) []string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.Name
	}
	return list
}
