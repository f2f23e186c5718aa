package phase

import (
	"context"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// IndexIn names the table to index.
type IndexIn struct {
	Import   Import `json:"import"`
	Resource string `json:"resource"` // or "events"
	Kind     string `json:"kind"`     // "staging" or "target"
	Attempt  int    `json:"attempt"`
}

// IndexOut is the table that was indexed.
type IndexOut struct {
	Resource string `json:"resource"`
}

// Index gives the detached tables their indexes and statistics once they are loaded,
// and attaches the staging tables, which only auditors read.
type Index struct {
	Common
	DB *postgres.DB
}

// Run indexes one table, once.
func (p *Index) Run(ctx context.Context, in IndexIn) (IndexOut, error) {
	started := p.Now()
	state, text, index := in.State(), stagingIndexed, p.staging
	if in.Kind == string(postgres.Target) {
		text, index = targetIndexed, p.target
	}
	out, err := postgres.Once(ctx, p.DB, in.Import.unit(state, in.Resource, 0), func(ctx context.Context, tx *postgres.Tx) (IndexOut, error) {
		return IndexOut{Resource: in.Resource}, index(ctx, tx, in)
	})
	if err != nil {
		return IndexOut{}, err
	}
	progress := registry.Progress{State: state, Resource: in.Resource}
	if in.Resource == eventsTable {
		progress.Resource = "" // there is no file of that name
	}
	p.done(ctx, in.Import, "", progress, started, text)
	return out, nil
}

// staging indexes the columns that the rules over more than one record look up.
func (p *Index) staging(ctx context.Context, tx *postgres.Tx, in IndexIn) error {
	r, err := p.resource(in.Resource)
	if err != nil {
		return err
	}
	return tx.IndexStaging(ctx, in.Import.leaf(postgres.Staging, r.Name), r)
}

// target gives a detached table the primary key under which it is published. In
// daily mode the rows are copied into the published tables instead, for which the
// events get their partition here.
func (p *Index) target(ctx context.Context, tx *postgres.Tx, in IndexIn) error {
	leaf, key := in.Import.leaf(postgres.Events, ""), []string{"event_id", "import_id"}
	if in.Resource != eventsTable {
		r, err := p.resource(in.Resource)
		if err != nil {
			return err
		}
		leaf, key = in.Import.leaf(postgres.Target, r.Name), r.KeyColumns()
	}
	switch {
	case in.Import.Mode == etl.ModeInitial:
		if err := tx.IndexTarget(ctx, leaf, key); err != nil {
			return err
		}
	case in.Resource == eventsTable:
		if err := p.published(ctx, tx, in.Import, key); err != nil {
			return err
		}
	}
	return tx.Analyze(ctx, leaf)
}

// published creates the partition into which a daily import's events are copied when
// they are published, and attaches it while it is empty. If the publishing transaction
// attached it, a reader could see that transaction's rows in the other tables before it
// knew of the new partition. An import that replaces what it published before already
// has its partition.
func (p *Index) published(ctx context.Context, tx *postgres.Tx, imp Import, key []string) error {
	if replaced, err := tx.PublishedGeneration(ctx); err != nil || replaced > 0 {
		return err
	}
	leaf := imp.leaf(postgres.Published, "")
	if err := leaf.Create(ctx, tx, postgres.Source{FileDate: imp.FileDate}); err != nil {
		return err
	}
	if err := tx.IndexTarget(ctx, leaf, key); err != nil {
		return err
	}
	return leaf.AttachByImport(ctx, tx)
}
