package phase

import (
	"context"
	"errors"
	"io"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
	"github.com/google/uuid"
)

// Transformed locates and counts the events and the typed rows of a chunk.
type Transformed struct {
	Events  objectstore.Object `json:"events"`
	Targets objectstore.Object `json:"targets"`
	Summary event.Summary      `json:"summary"`
}

// Transform produces the events and the typed target rows of the valid records of a
// chunk. It merges what Enrich was answered by line. It decrypts nothing and reaches no
// network but S3 and PostgreSQL.
type Transform struct {
	Common
	DB    *postgres.DB
	NewID func() (uuid.UUID, error) // time-ordered ids (UUIDv7)
}

// Run writes the two work objects of the chunk. The target rows depend only on the
// staged records; the events of the first run stay. If Enrich has not run, because the
// execution is of an older state machine, it fails with *[fault.Incompatible].
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
	rows    *validRows
	answers objectstore.Object // empty if the resource is not enriched
	builder *event.Builder
}

// job looks up the answers and the staged object in the ledger, and the rejects.
func (p *Transform) job(ctx context.Context, in ChunkIn, r *contract.Resource) (j *transformJob, err error) {
	j = &transformJob{builder: event.NewBuilder(r, p.Now, p.NewID)}
	var object postgres.Object
	var answered bool
	if r.Enrichment != nil {
		if object, answered, err = p.DB.LedgerObject(ctx, in.unit(etl.StateEnrich)); err != nil {
			return nil, err
		}
		j.answers = workObject(object)
	}
	if j.rows, err = p.validRows(ctx, p.DB, in, r); err != nil {
		return nil, err
	}
	if r.Enrichment != nil && !answered {
		return nil, &fault.Incompatible{Object: in.object(answersKind), Reason: olderMachine, Continue: true}
	}
	return j, nil
}

// produce writes both streams from the staged rows and the answers.
func (p *Transform) produce(ctx context.Context, j *transformJob, targets, events io.Writer, summary *event.Summary) error {
	*summary = event.Summary{}
	streams := event.NewStreams(j.builder, targets, events, summary)
	a, err := p.openAnswers(ctx, j)
	if err != nil {
		return err
	}
	defer a.close()
	if err := j.rows.each(ctx, func(line int64, row [][]byte) error {
		answer, err := a.of(line)
		if err != nil {
			return err
		}
		return streams.Write(line, row, answer)
	}); err != nil {
		return err
	}
	if err := a.end(); err != nil {
		return err
	}
	return streams.Close()
}

// answered are the answers for a chunk, in step with its valid rows.
type answered struct {
	rows    *validRows
	body    io.Closer
	content *hashed
	reader  *answers.Reader // nil if the resource is not enriched
}

func (p *Transform) openAnswers(ctx context.Context, j *transformJob) (*answered, error) {
	if j.answers.Key == "" {
		return &answered{}, nil
	}
	body, err := openStream(ctx, p.Work, j.answers, answers.Stream())
	if err != nil {
		return nil, err
	}
	content := newHashed(body, j.answers)
	return &answered{rows: j.rows, body: body, content: content, reader: answers.NewReader(content)}, nil
}

func (a *answered) close() {
	if a.body != nil {
		_ = a.body.Close()
	}
}

// of returns the answer for the next valid record; it is valid until the next call.
func (a *answered) of(line int64) (event.Enrichment, error) {
	if a.reader == nil {
		return event.Enrichment{}, nil
	}
	found, answer, err := a.reader.Next()
	if errors.Is(err, io.EOF) || err == nil && found != line {
		return answer, a.rows.mismatch(otherAnswers(a.rows.resource.Name, line))
	}
	return answer, err
}

// end checks that no answer is left, and that the object is the one that Enrich
// committed.
func (a *answered) end() error {
	if a.reader == nil {
		return nil
	}
	line, _, err := a.reader.Next()
	if err == nil {
		return a.rows.mismatch(otherAnswers(a.rows.resource.Name, line))
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	return a.content.check()
}
