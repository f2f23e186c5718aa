package phase

import (
	"context"
	"log/slog"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// Published counts what became visible.
type Published struct {
	Tables map[string]TableChange `json:"tables"`
	Events int64                  `json:"events"`
	// NotEnriched is how many events have no enriched fields, by source and cause.
	NotEnriched map[string]map[string]int64 `json:"not_enriched,omitempty"`
}

// TableChange counts the rows of a target table.
type TableChange struct {
	Written int64 `json:"written"`        // inserted or updated
	Kept    int64 `json:"kept"`           // of a later date, so not overwritten
	Skipped bool  `json:"skipped"`        // the reload is of an older date than the table
	Rows    int64 `json:"rows,omitempty"` // of a skipped reload: rows that it would have loaded
}

// readersLimit is how long an initial import waits for transactions that were open
// before its last row was loaded. After that the machine tries again.
const readersLimit = 2 * time.Minute

// Alerter tells operators what needs their attention.
type Alerter interface {
	// Alert sends one message; sending it again is harmless.
	Alert(ctx context.Context, alert alert.Alert) error
}

// Publish makes the import visible, whole, in one transaction; then it checks
// the coherence of the published tables, and tells what was published without
// enrichment.
type Publish struct {
	Common
	DB        *postgres.DB
	Alerts    Alerter
	History   History
	Retention time.Duration // how long staging is kept for audit
}

// Run publishes the import once. Readers see all of it or nothing, at every isolation
// level. In initial mode it swaps the content of all tables under one exclusive lock,
// once no transaction has a snapshot older than the loaded rows. In daily mode all rows
// are written by its own transaction.
func (p *Publish) Run(ctx context.Context, in ImportIn) (Published, error) {
	started := p.Now()
	if err := recordAttempts(ctx, p.DB, p.History, in.Import, in.ExecutionARN, in.Attempt); err != nil {
		return Published{}, err
	}
	if in.Import.Mode == etl.ModeInitial {
		if err := postgres.WaitForOlderSnapshots(ctx, p.DB, readersLimit); err != nil {
			return Published{}, err
		}
	}
	out, err := postgres.Once(ctx, p.DB, in.Import.unit(etl.StatePublish, "", 0), func(ctx context.Context, tx *postgres.Tx) (Published, error) {
		return p.publish(ctx, tx, in.Import)
	})
	if err != nil {
		return Published{}, err
	}
	p.report(ctx, in.Import, out, started)
	if err := p.coherence(ctx, in.Import); err != nil {
		return Published{}, err
	}
	if err := p.tellNotEnriched(ctx, in.Import, out.NotEnriched); err != nil {
		return Published{}, err
	}
	return out, postgres.PurgeStaging(ctx, p.DB, p.Now().Add(-p.Retention))
}

// publish makes the import visible in a transaction. After a forced restart it
// replaces the generation that was published before.
func (p *Publish) publish(ctx context.Context, tx *postgres.Tx, imp Import) (Published, error) {
	replaced, err := tx.PublishedGeneration(ctx)
	if err != nil {
		return Published{}, err
	}
	publish := p.daily
	if imp.Mode == etl.ModeInitial {
		publish = p.initial
	}
	out, err := publish(ctx, tx, imp, replaced > 0)
	if err != nil {
		return out, err
	}
	if out.NotEnriched, err = notEnriched(ctx, tx); err != nil {
		return out, err
	}
	if replaced > 0 {
		if err := tx.DropReplaced(ctx, replaced); err != nil {
			return out, err
		}
	}
	return out, tx.MarkPublished(ctx)
}

// report logs what happened to each table.
func (p *Publish) report(ctx context.Context, imp Import, out Published, started time.Time) {
	log := p.Log.With(centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepPersistence))
	for resource, change := range out.Tables {
		if change.Skipped {
			log.WarnContext(ctx, registry.ReloadSkipped, slog.String("resource", resource))
		} else if change.Kept > 0 {
			log.WarnContext(ctx, NewerRowsKept(resource, change.Kept), slog.String("resource", resource))
		}
		p.done(ctx, imp, "", registry.Progress{
			State: etl.StatePublish, Resource: resource, Persisted: change.Written, Kept: change.Kept, Skipped: change.Rows,
		}, started, importPublished)
	}
}

// initial swaps the detached tables in, under one exclusive lock on all parents. It
// refuses to replace what another import has published.
func (p *Publish) initial(ctx context.Context, tx *postgres.Tx, imp Import, replace bool) (Published, error) {
	out := Published{Tables: map[string]TableChange{}}
	if err := tx.LockTargets(ctx, p.Contract.Resources); err != nil {
		return out, err
	}
	if err := tx.RefuseOverPublished(ctx); err != nil {
		return out, err
	}
	for _, r := range p.Contract.Resources {
		leaf := imp.leaf(postgres.Target, r.Name)
		if err := leaf.Swap(ctx, tx); err != nil {
			return out, err
		}
		rows, err := tx.ReconciledEvents(ctx, r.Name)
		if err != nil {
			return out, err
		}
		out.Tables[r.Name] = TableChange{Written: rows}
		out.Events += rows
	}
	if replace {
		if err := tx.DropPublishedEvents(ctx); err != nil {
			return out, err
		}
	}
	return out, imp.leaf(postgres.Events, "").AttachByImport(ctx, tx)
}

// daily reloads the target tables, or inserts and updates their rows, in the order of
// dependency, and checks its own row counts.
func (p *Publish) daily(ctx context.Context, tx *postgres.Tx, imp Import, replace bool) (Published, error) {
	out := Published{Tables: map[string]TableChange{}}
	if err := tx.PublishSettings(ctx); err != nil {
		return out, err
	}
	for _, r := range p.Contract.InDependencyOrder() {
		leaf := imp.leaf(postgres.Target, r.Name)
		change, err := write(ctx, tx, imp, r, leaf)
		if err != nil {
			return out, err
		}
		out.Tables[r.Name] = change
		if err := leaf.Drop(ctx, tx); err != nil {
			return out, err
		}
	}
	var err error
	out.Events, err = publishEvents(ctx, tx, imp, replace)
	return out, err
}

// publishEvents copies the proven events into the import's partition (see
// [Index]).
func publishEvents(ctx context.Context, tx *postgres.Tx, imp Import, replace bool) (int64, error) {
	prepared := imp.leaf(postgres.Events, "")
	change, err := tx.PublishEvents(ctx, prepared, imp.leaf(postgres.Published, ""), replace)
	if err != nil {
		return 0, err
	}
	if change.Written != change.Total {
		return 0, &fault.Mismatch{ImportID: imp.ImportID, Reason: CountMismatch(countEventsPublished, eventsTable, change.Total, change.Written)}
	}
	return change.Total, prepared.Drop(ctx, tx)
}

// write reloads a target table, or inserts and updates its rows.
func write(ctx context.Context, tx *postgres.Tx, imp Import, r *contract.Resource, leaf postgres.Leaf) (TableChange, error) {
	var change postgres.Change
	var err error
	if r.Load == contract.LoadReload {
		change, err = tx.Reload(ctx, leaf, r, imp.FileDate)
	} else {
		change, err = tx.Upsert(ctx, leaf, r)
	}
	if err != nil {
		return TableChange{}, err
	}
	if change.Skipped {
		return TableChange{Skipped: true, Rows: change.Total}, nil
	}
	if want := change.Total - change.Kept; change.Written != want {
		return TableChange{}, &fault.Mismatch{ImportID: imp.ImportID, Reason: CountMismatch(countRowsPublished, r.Name, want, change.Written)}
	}
	return TableChange{Written: change.Written, Kept: change.Kept}, nil
}
