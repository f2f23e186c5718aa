package event

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/google/uuid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/jsonscan"
)

// Streams writes the events and the target rows of a chunk.
type Streams struct {
	builder *Builder
	targets *copybinary.Writer
	events  *copybinary.Writer
	summary *Summary
}

// NewStreams returns streams that write to targets and events, and count in summary.
func NewStreams(b *Builder, targets, events io.Writer, summary *Summary) *Streams {
	return &Streams{builder: b, targets: copybinary.NewWriter(targets), events: copybinary.NewWriter(events), summary: summary}
}

// Close ends both streams.
func (s *Streams) Close() error { return errors.Join(s.targets.Close(), s.events.Close()) }

// Write converts one staged row into an event and a target row. The record has
// passed every rule, so a value without a typed form is an error.
func (s *Streams) Write(line int64, row [][]byte, e Enrichment) error {
	if err := s.builder.target(s.targets, line, row); err != nil {
		return fmt.Errorf("%s, line %d: %w", s.builder.resource.Name, line, err)
	}
	id, err := s.builder.newID()
	if err != nil {
		return fmt.Errorf("event id: %w", err)
	}
	data, err := s.builder.json(row, e)
	if err != nil {
		return fmt.Errorf("%s, line %d: %w", s.builder.resource.Name, line, err)
	}
	s.builder.event(s.events, id, line, row, e, data)
	s.summary.add(id, line, s.builder.resource.EventType, e.Status, data)
	return errors.Join(s.targets.Err(), s.events.Err())
}

// target writes the typed row.
func (b *Builder) target(w *copybinary.Writer, line int64, row [][]byte) error {
	w.Row(b.columns)
	for i := range b.fields {
		f := &b.fields[i]
		cell := row[f.column]
		switch {
		case cell == nil:
			w.Null()
		case f.sealed:
			w.Bytea(cell)
		default:
			if err := typed(w, f.field, cell); err != nil {
				return err
			}
		}
		if f.token >= 0 {
			w.Field(row[f.token])
		}
	}
	w.Int8(line)
	return w.Err()
}

// errUntyped reports a value without a typed form. It never contains the value.
type errUntyped struct{ field string }

func (e errUntyped) Error() string {
	return "field " + e.field + " has no typed form, yet it passed validation"
}

// typed writes a public value in the type of its column.
func typed(w *copybinary.Writer, f *contract.Field, text []byte) error {
	switch f.Type {
	case contract.TypeInteger:
		if n, ok := contract.ParseInteger(text); ok {
			w.Int8(n)
			return nil
		}
	case contract.TypeNumber:
		if decimal, ok := f.DecimalText(text); ok {
			return w.Numeric(decimal)
		}
	case contract.TypeBoolean:
		if v, ok := contract.ParseBoolean(text); ok {
			w.Bool(v)
			return nil
		}
	case contract.TypeDate:
		if d, ok := contract.ParseDate(text); ok {
			w.Date(d)
			return nil
		}
	case contract.TypeDateTime:
		if d, ok := contract.ParseDateTime(text); ok {
			w.Timestamptz(d)
			return nil
		}
	default:
		w.Text(text)
		return nil
	}
	return errUntyped{f.Name}
}

// event writes the row of final.events.
func (b *Builder) event(w *copybinary.Writer, id uuid.UUID, line int64, row [][]byte, e Enrichment, data []byte) {
	w.Row(streamColumns)
	w.UUID(id)
	w.Timestamptz(b.now())
	w.String(b.resource.EventType)
	w.String(b.resource.Name)
	w.Int8(line)
	if b.client >= 0 {
		w.Field(row[b.client])
		w.Field(row[b.token])
	} else {
		w.Null()
		w.Null()
	}
	if e.Status == "" {
		w.Null()
	} else {
		w.String(string(e.Status))
	}
	w.JSON(data)
}

// json returns the event's data: the mapped fields under their target names, then the
// enriched ones. It is valid until the next call.
func (b *Builder) json(row [][]byte, e Enrichment) ([]byte, error) {
	out := append(b.data[:0], '{')
	for i := range b.fields {
		f := &b.fields[i]
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, f.name...)
		cell := row[f.column]
		switch {
		case cell == nil:
			out = append(out, "null"...)
		case f.sealed:
			out = append(out, '"')
			out = base64.StdEncoding.AppendEncode(out, cell)
			out = append(out, '"')
		default:
			var err error
			if out, err = appendValue(out, f.field, cell); err != nil {
				return nil, err
			}
		}
	}
	if members := bytes.TrimSuffix(bytes.TrimPrefix(e.Values, []byte("{")), []byte("}")); len(members) > 0 {
		out = append(out, ',')
		out = append(out, members...)
	}
	if e.Status == etl.EnrichmentFailed {
		out = append(out, ',')
		out = jsonscan.AppendName(out, ErrorMember)
		out = jsonscan.AppendString(out, []byte(e.Error))
	}
	b.data = append(out, '}')
	return b.data, nil
}

// appendValue writes a public value as JSON: numbers exactly, in canonical form.
func appendValue(out []byte, f *contract.Field, text []byte) ([]byte, error) {
	switch f.Type {
	case contract.TypeInteger:
		if n, ok := contract.ParseInteger(text); ok {
			return strconv.AppendInt(out, n, 10), nil
		}
	case contract.TypeNumber:
		if decimal, ok := f.DecimalText(text); ok {
			return append(out, decimal...), nil
		}
	case contract.TypeBoolean:
		if v, ok := contract.ParseBoolean(text); ok && v {
			return append(out, "true"...), nil
		} else if ok {
			return append(out, "false"...), nil
		}
	default:
		return jsonscan.AppendString(out, text), nil
	}
	return nil, errUntyped{f.Name}
}
