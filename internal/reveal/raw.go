package reveal

import (
	"context"
	"unicode/utf8"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/staged"
)

// rawSource is one rejected line.
type rawSource struct {
	r    *Revealer
	line Line
}

func (s *rawSource) fields() []string { return nil }

func (s *rawSource) event() string { return "" }

// load finds the line: its sealed text if it is malformed, otherwise the staged record.
func (s *rawSource) load(ctx context.Context) ([]sealed, error) {
	found, ok, err := s.r.config.Store.Rejected(ctx, s.line.ImportID, s.line.File, s.line.Line)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refused(RefusedNoLine)
	}
	res, err := s.r.resource(found.Resource)
	if err != nil {
		return nil, err
	}
	line := &sealedLine{resource: res, line: found}
	if found.Raw == nil {
		if line.cells, err = s.r.config.Store.Staged(ctx, found, res.StagingStream()); err != nil {
			return nil, err
		}
		if line.cells == nil {
			return nil, refused(RefusedPurged)
		}
	}
	return []sealed{line}, nil
}

// sealedLine is a rejected line.
type sealedLine struct {
	resource *contract.Resource
	line     postgres.RejectedLine
	cells    [][]byte // of the staged record, if it is well-formed
}

func (s *sealedLine) origin() postgres.Origin { return s.line.Origin }

func (s *sealedLine) open(ctx context.Context, box *box) (Record, error) {
	o, err := box.opener(ctx, s.origin(), s.resource)
	if err != nil {
		return Record{}, err
	}
	record := newRecord(s.origin())
	if s.cells == nil {
		plain, err := o.unseal(protection.RawColumn, s.line.Raw)
		if err != nil {
			return Record{}, err
		}
		if record.Raw = string(plain); !utf8.Valid(plain) {
			record.Raw, record.RawBytes = "", plain
		}
		return record, nil
	}
	reader := staged.NewReader(s.resource, o.open)
	defer reader.Wipe()
	values, err := reader.Values(s.cells, s.line.Line)
	if err != nil {
		return Record{}, refused(RefusedDamaged)
	}
	for i, f := range s.resource.Fields {
		v := Value{Field: f.Name}
		if !values[i].Missing {
			plain := string(values[i].Text)
			v.Text = &plain
		}
		record.Values = append(record.Values, v)
	}
	return record, nil
}
