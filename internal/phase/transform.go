package phase

import (
	"context"
	"fmt"
	"io"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/staged"
	"github.com/google/uuid"
)

// Transformed locates and counts the events and the typed rows of a chunk.
type Transformed struct {
	Events  objectstore.Object `json:"events"`
	Targets objectstore.Object `json:"targets"`
	Summary event.Summary      `json:"summary"`
}

// Enricher queries the external system of a resource. It returns its answers in the
// order of the keys, retries within its own limits, and never fails as a whole.
type Enricher interface {
	Enrich(ctx context.Context, keys []string) []enrichment.Outcome
	// Window returns how many keys all its concurrent calls take together.
	Window() int
}

// Transform produces the events and the typed target rows of the valid records of a
// chunk, enriched by the external systems.
type Transform struct {
	Common
	DB          *postgres.DB
	KMS         protection.KMS
	FieldsKeyID string
	// Enrichers returns the enricher of a source for a mode. It fails if the source is
	// not configured.
	Enrichers func(source string, mode etl.Mode) (Enricher, error)
	NewID     func() (uuid.UUID, error) // time-ordered ids (UUIDv7)
}

// Run writes the two work objects of the chunk. The target rows depend only on the
// staged records; the events of the first run stay.
func (p *Transform) Run(ctx context.Context, in ChunkIn) (Transformed, error) {
	started := p.Now()
	r, err := p.resource(in.Chunk.Resource)
	if err != nil {
		return Transformed{}, err
	}
	job, err := p.job(ctx, in, r)
	if err != nil {
		return Transformed{}, err
	}
	defer job.key.Wipe()
	var out Transformed
	var eventsNew objectstore.Created
	targets, targetsNew, err := p.Work.PutOnce(ctx, in.object("targets"), schemaOf(r.TargetStream()), func(targets io.Writer) (err error) {
		out.Events, eventsNew, err = p.Work.PutOnce(ctx, in.object("events"), schemaOf(event.Stream()), func(events io.Writer) error {
			return p.produce(ctx, job, targets, events, &out.Summary)
		})
		return err
	})
	if err != nil {
		return Transformed{}, err
	}
	out.Targets = targets
	if !targetsNew {
		if out.Targets, err = p.Work.Read(ctx, targets, func(io.Reader) error { return nil }); err != nil {
			return Transformed{}, err
		}
	}
	if !eventsNew {
		if out.Events, err = p.Work.Read(ctx, out.Events, func(stream io.Reader) error {
			out.Summary = event.Summary{}
			return copybinary.Each(stream, out.Summary.AddRow)
		}); err != nil {
			return Transformed{}, err
		}
	}
	s := out.Summary
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: etl.StateTransform, Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: in.Chunk.Range.Records, Valid: s.Events,
		Enriched: s.Enriched, NotEnriched: s.NotEnriched,
	}, started, chunkTransformed)
	return out, nil
}

// transformJob is what the records of a chunk are transformed with.
type transformJob struct {
	in       ChunkIn
	resource *contract.Resource
	object   objectstore.Object // of the staged rows
	rejected []int64            // ascending
	key      protection.DataKey // zero if the resource is not enriched
	rows     *staged.Reader
	builder  *event.Builder
	enricher Enricher // nil if the resource is not enriched
}

// job looks up the staged object in the ledger, the rejects, and the keys.
func (p *Transform) job(ctx context.Context, in ChunkIn, r *contract.Resource) (*transformJob, error) {
	j := &transformJob{in: in, resource: r}
	object, found, err := p.DB.LedgerObject(ctx, in.unit(etl.StateStage))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &fault.Superseded{ImportID: in.Import.ImportID, Generation: in.Import.Generation}
	}
	j.object = objectstore.Object{Key: object.Key, VersionID: object.VersionID, Checksum: object.Checksum}
	if j.rejected, err = p.DB.Rejects(ctx, in.unit(etl.StateTransform), in.Chunk.lines()); err != nil {
		return nil, err
	}
	open := func([]byte, protection.Record, string, []byte) ([]byte, error) {
		return nil, fmt.Errorf("%s is not enriched, so nothing is decrypted", r.Name)
	}
	if r.Enrichment != nil {
		if j.enricher, err = p.Enrichers(r.Enrichment.Source, in.Import.Mode); err != nil {
			return nil, err
		}
		if j.key, err = openKey(ctx, p.KMS, p.FieldsKeyID, in.Import); err != nil {
			return nil, err
		}
		open = protection.NewOpener(j.key, in.Import.scope(r.Name)).Open
	}
	j.rows = staged.NewReader(r, open)
	j.builder = event.NewBuilder(r, p.Now, p.NewID)
	return j, nil
}

// produce writes both streams from the staged rows.
func (p *Transform) produce(ctx context.Context, j *transformJob, targets, events io.Writer, summary *event.Summary) error {
	body, err := openStream(ctx, p.Work, j.object, j.resource.StagingStream())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	*summary = event.Summary{}
	streams := event.NewStreams(j.builder, targets, events, summary)
	content := newHashed(body, j.object)
	batch := &batch{}
	next := 0
	err = copybinary.Each(content, func(row [][]byte) error {
		line, err := staged.Line(row)
		if err != nil {
			return err
		}
		if next < len(j.rejected) && j.rejected[next] == line {
			next++
			return nil
		}
		if staged.Sealed(row) { // such a record must have been rejected
			return &fault.Mismatch{ImportID: j.in.Import.ImportID, Reason: notRejected(j.resource.Name, line)}
		}
		if j.enricher == nil {
			return streams.Write(line, row, event.Enrichment{})
		}
		if err := batch.add(j, line, row); err != nil {
			return err
		}
		if len(batch.lines) < j.enricher.Window() {
			return nil
		}
		return p.flush(ctx, j, batch, streams)
	})
	if err != nil {
		return err
	}
	if err := p.flush(ctx, j, batch, streams); err != nil {
		return err
	}
	if next != len(j.rejected) {
		return &fault.Mismatch{ImportID: j.in.Import.ImportID, Reason: CountMismatch("rejets", j.resource.Name, len(j.rejected), next)}
	}
	if err := streams.Close(); err != nil {
		return err
	}
	return content.check()
}

// batch holds copies of the rows that are enriched together, in memory that the next
// rows reuse.
type batch struct {
	lines []int64
	keys  []string
	cells [][]byte // of all rows, one after the other
	block []byte
	plain []byte
}

// blockBytes is how much memory for rows is allocated at a time.
const blockBytes = 1 << 20

// add copies a row and decrypts its key, which stays in memory.
func (b *batch) add(j *transformJob, line int64, row [][]byte) error {
	field := j.resource.Field(j.resource.Enrichment.Key[0])
	value, err := j.rows.Value(b.plain[:0], field, line, row)
	if err != nil {
		return err
	}
	b.plain = value.Text[:0]
	key, _ := field.Canonical(value.Text)
	for _, cell := range row {
		b.cells = append(b.cells, b.keep(cell))
	}
	b.lines, b.keys = append(b.lines, line), append(b.keys, key)
	return nil
}

// keep copies a cell into the block, or into a new one if it is full.
func (b *batch) keep(cell []byte) []byte {
	if cell == nil {
		return nil
	}
	if len(b.block)+len(cell) > cap(b.block) {
		b.block = make([]byte, 0, max(blockBytes, len(cell)))
	}
	start := len(b.block)
	b.block = append(b.block, cell...)
	return b.block[start:len(b.block):len(b.block)]
}

// row returns the copy of the row at i.
func (b *batch) row(i int) [][]byte {
	width := len(b.cells) / len(b.lines)
	return b.cells[i*width : (i+1)*width]
}

// reset forgets the rows.
func (b *batch) reset() {
	clear(b.cells)
	b.lines, b.keys, b.cells, b.block = b.lines[:0], b.keys[:0], b.cells[:0], b.block[:0]
}

// flush enriches the batch and writes its rows. A record that could not be enriched is
// logged and still becomes an event.
func (p *Transform) flush(ctx context.Context, j *transformJob, b *batch, streams *event.Streams) error {
	if len(b.lines) == 0 {
		return nil
	}
	outcomes := j.enricher.Enrich(ctx, b.keys)
	if err := ctx.Err(); err != nil {
		// The function ran out of time, which says nothing about the source.
		return &fault.Transient{Op: "enrich " + j.resource.Name, Err: err}
	}
	if len(outcomes) != len(b.lines) {
		return fmt.Errorf("enrichment of %s: %d answers for %d records", j.resource.Name, len(outcomes), len(b.lines))
	}
	for i, o := range outcomes {
		e := event.Enrichment{Status: o.Status, Error: string(o.Code), Values: o.Values}
		if e.Status == etl.EnrichmentFailed {
			p.Log.ErrorContext(ctx, EnrichmentError, centrallog.ImportID(j.in.Import.ImportID), centrallog.File(j.in.Chunk.File.File),
				centrallog.Line(b.lines[i]), centrallog.Details(NotEnriched(j.resource.Enrichment.Source, string(o.Code))),
				centrallog.Step(etl.StepTransformation))
		}
		if err := streams.Write(b.lines[i], b.row(i), e); err != nil {
			return err
		}
	}
	b.reset()
	return nil
}
