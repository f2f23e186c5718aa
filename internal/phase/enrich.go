package phase

import (
	"bytes"
	"context"
	"fmt"
	"io"

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
	"etl-dataloader/internal/staged"
)

// Enriched counts the answers of an external system for a chunk.
type Enriched struct {
	Resource string         `json:"resource"`
	Chunk    int            `json:"chunk"`
	Answers  answers.Counts `json:"answers"`
}

// Enricher queries the external system of a resource. It returns its answers in the
// order of the keys, retries within its own limits, and never fails as a whole.
type Enricher interface {
	Enrich(ctx context.Context, keys []string) []enrichment.Outcome
	// Window returns how many keys all its concurrent calls take together.
	Window() int
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
}

// Run writes the answers as a work object and commits its name to the ledger, where
// Transform finds it. A second run asks nothing if the ledger has the chunk. If the run
// before died between object and ledger, its answers stand.
func (p *Enrich) Run(ctx context.Context, in ChunkIn) (Enriched, error) {
	started := p.Now()
	r, err := p.resource(in.Chunk.Resource)
	if err != nil {
		return Enriched{}, err
	}
	if r.Enrichment == nil {
		return Enriched{}, fmt.Errorf("the contract does not enrich %s", r.Name)
	}
	unit := in.unit(etl.StateEnrich)
	from, answered, err := p.DB.LedgerObject(ctx, unit)
	if err != nil {
		return Enriched{}, err
	}
	asked := Enriched{Resource: r.Name, Chunk: in.Chunk.Range.Index}
	if !answered {
		var object objectstore.Object
		if object, asked.Answers, err = p.ask(ctx, in, r); err != nil {
			return Enriched{}, err
		}
		from = postgres.Object{Key: object.Key, VersionID: object.VersionID, Checksum: object.Checksum}
	}
	out, err := postgres.OnceFrom(ctx, p.DB, unit, from, func(ctx context.Context, _ *postgres.Tx) (Enriched, error) {
		return asked, p.logFailures(ctx, in, r, workObject(from), asked.Answers)
	})
	if err != nil {
		return Enriched{}, err
	}
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: etl.StateEnrich, Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: in.Chunk.Range.Records, Valid: out.Answers.Records,
		Enriched: out.Answers.Enriched, NotEnriched: out.Answers.NotEnriched,
	}, started, chunkEnriched)
	return out, nil
}

// ask writes the answers, or finds those of an earlier run, and counts them.
func (p *Enrich) ask(ctx context.Context, in ChunkIn, r *contract.Resource) (object objectstore.Object, counts answers.Counts, err error) {
	enricher, err := p.Enrichers(r.Enrichment.Source, in.Import.Mode)
	if err != nil {
		return object, counts, err
	}
	rows, err := p.validRows(ctx, p.DB, in, r)
	if err != nil {
		return object, counts, err
	}
	object, created, err := p.Work.PutOnce(ctx, in.object(answersKind), schemaOf(answers.Stream()), func(w io.Writer) error {
		values := &lateOpener{key: func() (protection.DataKey, error) { return openKey(ctx, p.KMS, p.FieldsKeyID, in.Import) }, scope: in.Import.scope(r.Name)}
		defer values.wipe()
		a := &asking{
			resource: r, enricher: enricher, rows: staged.NewReader(r, values.open), values: values, chunk: in.Chunk.Range.Index,
			answers: answers.NewWriter(w), places: map[string]int{},
		}
		defer a.rows.Wipe()
		if err := rows.each(ctx, func(line int64, row [][]byte) error { return a.add(ctx, line, row) }); err != nil {
			return err
		}
		if err := a.flush(ctx); err != nil {
			return err
		}
		counts = a.answers.Counts()
		return a.answers.Close()
	})
	if err != nil || bool(created) {
		return object, counts, err
	}
	object, err = p.Work.Read(ctx, object, func(stream io.Reader) (err error) {
		counts, err = answers.Each(stream, func(int64, event.Enrichment) error { return nil })
		return err
	})
	return object, counts, err
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

// lateOpener opens values. It asks KMS for the key at the first one, so that a chunk
// without a valid record costs no call.
type lateOpener struct {
	key    func() (protection.DataKey, error)
	scope  protection.Scope
	opened protection.DataKey
	opener *protection.Opener // nil until the first value
}

// open is a [staged.Open].
func (o *lateOpener) open(dst []byte, of protection.Record, column string, sealed []byte) ([]byte, error) {
	if _, err := o.dataKey(); err != nil {
		return nil, err
	}
	return o.opener.Open(dst, of, column, sealed)
}

// dataKey returns the key.
func (o *lateOpener) dataKey() (protection.DataKey, error) {
	if o.opener == nil {
		var err error
		if o.opened, err = o.key(); err != nil {
			return o.opened, err
		}
		o.opener = protection.NewOpener(o.opened, o.scope)
	}
	return o.opened, nil
}

// wipe clears the key from memory.
func (o *lateOpener) wipe() { o.opened.Wipe() }

// asking asks about the records of a chunk, as many distinct keys at a time as the
// enricher takes in all its concurrent calls. Keys are in clear in memory only; the
// strings that requests are made of are left to the garbage collector.
type asking struct {
	resource *contract.Resource
	enricher Enricher
	rows     *staged.Reader
	values   *lateOpener
	chunk    int
	sealer   *protection.Sealer // nil until there is something to seal
	answers  *answers.Writer

	lines  []int64
	bound  [][]byte // by line: the public key to which its record's values are bound
	keyOf  []int    // place among keys, by line
	keys   []string
	places map[string]int // of keys
}

// add decrypts the key of a record. Records with the same key share one question.
func (a *asking) add(ctx context.Context, line int64, row [][]byte) error {
	field := a.resource.Field(a.resource.Enrichment.Key[0])
	value, err := a.rows.Value(field, line, row)
	if err != nil {
		return err
	}
	key, _ := field.Canonical(value.Text)
	place, known := a.places[key]
	if !known {
		if len(a.keys) == a.enricher.Window() {
			if err := a.flush(ctx); err != nil {
				return err
			}
		}
		place = len(a.keys)
		a.keys, a.places[key] = append(a.keys, key), place
	}
	a.lines, a.keyOf = append(a.lines, line), append(a.keyOf, place)
	a.bound = append(a.bound, bytes.Clone(a.rows.Record(line, row).Key))
	return nil
}

// flush asks about the keys and writes the answers for their records.
func (a *asking) flush(ctx context.Context) error {
	if len(a.lines) == 0 {
		return nil
	}
	outcomes := a.enricher.Enrich(ctx, a.keys)
	if err := ctx.Err(); err != nil {
		// The function ran out of time, which says nothing about the source.
		return &fault.Transient{Op: "enrich " + a.resource.Name, Err: err}
	}
	if len(outcomes) != len(a.keys) {
		return fmt.Errorf("enrichment of %s: %d answers for %d keys", a.resource.Name, len(outcomes), len(a.keys))
	}
	for i, line := range a.lines {
		answer, err := a.answer(protection.Record{Line: line, Key: a.bound[i]}, outcomes[a.keyOf[i]])
		if err != nil {
			return err
		}
		if err := a.answers.Write(line, answer); err != nil {
			return err
		}
	}
	clear(a.keys)
	clear(a.places)
	a.lines, a.bound, a.keyOf, a.keys = a.lines[:0], a.bound[:0], a.keyOf[:0], a.keys[:0]
	return nil
}
