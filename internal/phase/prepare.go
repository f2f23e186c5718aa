package phase

import (
	"context"
	"io"
	"log/slog"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// PrepareIn is a chunk with its events and typed rows.
type PrepareIn struct {
	ChunkIn
	Transformed Transformed `json:"transformed"`
}

// Prepared counts the rows of a chunk in the detached tables.
type Prepared struct {
	Resource string        `json:"resource"`
	Chunk    int           `json:"chunk"`
	Summary  event.Summary `json:"summary"`
}

// Prepare pipes the events and the typed rows of a chunk into the detached
// tables of the import, byte for byte, in one transaction.
type Prepare struct {
	Common
	DB        *postgres.DB
	LogEvents bool // one log line per event (requirement R6.5)
}

// Run persists the chunk once; a second run returns the stored result.
func (p *Prepare) Run(ctx context.Context, in PrepareIn) (Prepared, error) {
	started := p.Now()
	r, err := p.resource(in.Chunk.Resource)
	if err != nil {
		return Prepared{}, err
	}
	events := in.Transformed.Events
	from := ledgerObject(events)
	out, err := postgres.OnceFrom(ctx, p.DB, in.unit(etl.StatePrepare), from, func(ctx context.Context, tx *postgres.Tx) (Prepared, error) {
		if err := p.pipe(ctx, tx, in, in.Transformed.Targets, in.Import.leaf(postgres.Target, r.Name), r.TargetStream()); err != nil {
			return Prepared{}, err
		}
		if err := p.pipe(ctx, tx, in, events, in.Import.leaf(postgres.Events, ""), event.Stream()); err != nil {
			return Prepared{}, err
		}
		return Prepared{Resource: r.Name, Chunk: in.Chunk.Range.Index, Summary: in.Transformed.Summary}, nil
	})
	if err != nil {
		return Prepared{}, err
	}
	if p.LogEvents {
		if err := p.logEvents(ctx, in); err != nil {
			return Prepared{}, err
		}
	}
	s := out.Summary
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: etl.StatePrepare, Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: in.Chunk.Range.Records, Valid: s.Events,
		Enriched: s.Enriched, NotEnriched: s.NotEnriched, Persisted: s.Events,
	}, started, chunkPrepared, slog.String("first_event", s.FirstEvent.String()), slog.String("last_event", s.LastEvent.String()))
	return out, nil
}

// pipe copies one stream into a detached table and checks its rows and content.
func (p *Prepare) pipe(ctx context.Context, tx *postgres.Tx, in PrepareIn, object objectstore.Object, leaf postgres.Leaf, columns []contract.Column) error {
	body, err := openStream(ctx, p.Work, object, columns)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	content := newHashed(body, object)
	rows, err := tx.Copy(ctx, leaf, columns, content)
	if err != nil {
		return err
	}
	if rows != in.Transformed.Summary.Events {
		return &fault.Mismatch{ImportID: in.Import.ImportID, Reason: CountMismatch(countRowsStored, leaf.Name(), in.Transformed.Summary.Events, rows)}
	}
	return content.check()
}

// logEvents writes one line of the central log for each event of the chunk.
func (p *Prepare) logEvents(ctx context.Context, in PrepareIn) error {
	log := p.Log.With(centrallog.ImportID(in.Import.ImportID), centrallog.File(in.Chunk.File.File), centrallog.Step(etl.StepPersistence))
	_, err := p.Work.Read(ctx, in.Transformed.Events, func(stream io.Reader) error {
		return copybinary.Each(stream, func(row [][]byte) error {
			id, line, err := event.Identify(row)
			if err != nil {
				return err
			}
			log.InfoContext(ctx, EventPersisted, centrallog.Line(line), slog.String("event_id", id.String()))
			return nil
		})
	})
	return err
}
