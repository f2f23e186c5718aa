package phase

import (
	"context"
	"fmt"
	"io"
	"time"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/registry"
)

// EnrichIn is a chunk to enrich, and what the run before returned.
type EnrichIn struct {
	ChunkIn
	Progress Enriched `json:"progress"` // zero at first
}

// Enriched tells how far a chunk has come. The machine hands it to the next run, which
// it starts after WaitSeconds, until Done is set.
type Enriched struct {
	Resource    string         `json:"resource"`
	Chunk       int            `json:"chunk"`
	Done        bool           `json:"done"`
	WaitSeconds int            `json:"wait_seconds"` // until the next run, because the source is down
	Runs        int            `json:"runs"`         // so far
	Waits       int            `json:"waits"`        // in a row, since the source last answered
	Silent      Silent         `json:"silent"`
	Calls       int64          `json:"calls"`   // once Done: by the runs that persisted what they were answered
	Dropped     int64          `json:"dropped"` // once Done: members of the answers that the contract does not name
	Answers     answers.Counts `json:"answers"` // once Done
}

// Silent sums up the waits of a unit for a source that is down.
type Silent struct {
	Waits   int64 `json:"waits"`
	Seconds int64 `json:"seconds"`
}

// Enricher asks the external system of a resource; *[enrichment.Enricher] implements it.
type Enricher interface {
	// Start begins a run over the keys of a unit.
	Start(keys []string) *enrichment.Run
	// BatchSize is the largest number of keys in a call.
	BatchSize() int
	// Reserve is how long a call that has begun may take at most.
	Reserve() time.Duration
}

// Attempts tells which attempt of an import is under way; *registry.Registry implements
// it.
type Attempts interface {
	Import(ctx context.Context, importID string) (registry.Import, error)
}

// Shares divide the calls that a source takes among the functions at work;
// *registry.Registry implements it.
type Shares interface {
	// TakeShare returns how many of a source's calls in flight a unit may use during the
	// lease; 0 if the others have not yet given any up.
	TakeShare(ctx context.Context, source, unit string, total int, lease time.Duration) (calls int, err error)
	// ReturnShare gives back the share of a unit.
	ReturnShare(ctx context.Context, source, unit string) error
}

// Enrich asks the external system of a resource about the valid records of a chunk. Of
// the states after CrossCheck it alone decrypts, and only the keys. It seals what is
// sensitive of an answer before anything is persisted.
type Enrich struct {
	Common
	DB          *postgres.DB
	KMS         protection.KMS
	FieldsKeyID string
	// Enrichers returns the enricher of a source for a mode. It fails if the source is
	// not configured.
	Enrichers func(source string, mode etl.Mode) (Enricher, error)
	Attempts  Attempts
	Shares    Shares
	Alerts    Alerter
	// Patience is how long, in all, a source may give an import of a mode no answer
	// until what remains is recorded as not enriched. A redrive renews it.
	Patience func(etl.Mode) time.Duration
	// PartKeys and PartTime bound a part, which is what a killed function asks for again.
	PartKeys int           // 0 is 20,000
	PartTime time.Duration // 0 is 20 s
}

// Bounds of a part by default, and of a unit.
const (
	partKeys = 20_000
	partTime = 20 * time.Second
	// maxRuns keeps the history of a child execution redrivable: a run takes some ten
	// of the 25,000 events that Step Functions allows.
	maxRuns = 1000
)

// Run asks for the distinct keys of a chunk, part by part. A part is persisted with its
// answers as a write-once object, and is never asked for again. When time is up or the
// source is down, Run returns how far it came. Once all keys have an answer, or the
// patience with the source is spent, it joins the parts to the answers object that
// Transform reads, in the order of the lines, and commits its name to the ledger.
//
// It fails with *[fault.Incompatible] after 1,000 runs: a new execution then goes on.
func (p *Enrich) Run(ctx context.Context, in EnrichIn) (Enriched, error) {
	started := p.Now()
	r, err := p.resource(in.Chunk.Resource)
	if err != nil {
		return Enriched{}, err
	}
	if r.Enrichment == nil {
		return Enriched{}, fmt.Errorf("the contract does not enrich %s", r.Name)
	}
	out := in.Progress
	out.Resource, out.Chunk, out.Runs, out.WaitSeconds = r.Name, in.Chunk.Range.Index, in.Progress.Runs+1, 0
	unit := in.unit(etl.StateEnrich)
	from, answered, err := p.DB.LedgerObject(ctx, unit)
	if err != nil {
		return Enriched{}, err
	}
	var a *asking
	if !answered {
		if in.Progress.Runs >= maxRuns {
			return Enriched{}, &fault.Incompatible{Object: in.object(answersKind), Reason: historyFull, Continue: true}
		}
		var object objectstore.Object
		if a, object, err = p.enrich(ctx, in, r, &out); err != nil || !out.Done {
			return out, err
		}
		from = ledgerObject(object)
	}
	out, err = postgres.OnceFrom(ctx, p.DB, unit, from, func(ctx context.Context, tx *postgres.Tx) (Enriched, error) {
		if a.justAnswered() {
			if err := tx.SourceAnswered(ctx, r.Enrichment.Source, p.Now()); err != nil {
				return out, err
			}
		}
		return out, p.logFailures(ctx, in.ChunkIn, r, workObject(from), out.Answers)
	})
	if err != nil {
		return Enriched{}, err
	}
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: etl.StateEnrich, Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: in.Chunk.Range.Records, Valid: out.Answers.Records,
		Enriched: out.Answers.Enriched, NotEnriched: out.Answers.NotEnriched,
		Enrichment: &registry.Asked{
			Source: r.Enrichment.Source, Asked: out.Answers.Records, Answered: out.Answers.Enriched, NotFound: out.Answers.NotFound, Failed: out.Answers.Failed,
			Calls: out.Calls, Waits: out.Silent.Waits, WaitSeconds: float64(out.Silent.Seconds), Dropped: out.Dropped,
		},
	}, started, chunkEnriched)
	return out, nil
}

// enrich asks for what is left, and joins the parts once nothing is.
func (p *Enrich) enrich(ctx context.Context, in EnrichIn, r *contract.Resource, out *Enriched) (a *asking, object objectstore.Object, err error) {
	values := p.opener(ctx, in.Import, r)
	defer values.wipe()
	keys, err := p.keysOf(ctx, in.ChunkIn, r, values)
	if err != nil {
		return nil, object, err
	}
	a = &asking{Enrich: p, answerSealer: answerSealer{resource: r, values: values, chunk: in.Chunk.Range.Index}, in: in, keys: keys, out: out}
	if err := a.resume(ctx); err != nil {
		return nil, object, err
	}
	if err := a.ask(ctx); err != nil || a.next < len(keys.distinct) {
		return a, object, err
	}
	object, out.Answers, err = a.join(ctx)
	out.Done, out.Calls, out.Dropped = err == nil, a.calls, a.dropped
	return a, object, err
}

// opener returns what opens the values of a resource.
func (p *Enrich) opener(ctx context.Context, imp Import, r *contract.Resource) *lateOpener {
	return &lateOpener{key: func() (protection.DataKey, error) { return openKey(ctx, p.KMS, p.FieldsKeyID, imp) }, scope: imp.scope(r.Name)}
}

// logFailures logs each record that could not be enriched, as the stored answers tell.
// Such a record still becomes an event.
func (p *Enrich) logFailures(ctx context.Context, in ChunkIn, r *contract.Resource, object objectstore.Object, counts answers.Counts) error {
	if counts.NotEnriched == 0 {
		return nil
	}
	_, err := p.Work.Read(ctx, object, func(stream io.Reader) error {
		_, err := answers.Each(stream, func(line int64, answer event.Enrichment) error {
			if answer.Status == etl.EnrichmentFailed {
				p.Log.ErrorContext(ctx, EnrichmentError, centrallog.ImportID(in.Import.ImportID), centrallog.File(in.Chunk.File.File),
					centrallog.Line(line), centrallog.Details(NotEnriched(r.Enrichment.Source, answer.Error)), centrallog.Step(etl.StepTransformation))
			}
			return nil
		})
		return err
	})
	return err
}
