package phase

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// Published tells what became visible.
type Published struct {
	Tables map[string]TableChange `json:"tables"`
	Events int64                  `json:"events"`
}

// TableChange counts the rows of a target table.
type TableChange struct {
	Written int64 `json:"written"`        // inserted or updated
	Kept    int64 `json:"kept"`           // not overwritten, as they are of a later date
	Skipped bool  `json:"skipped"`        // a reload of an older date than the table's
	Rows    int64 `json:"rows,omitempty"` // of a skipped reload: those that it would have brought in
}

// readersLimit is how long an initial import waits for transactions that were
// open before its last row was loaded; the machine then tries again.
const readersLimit = 2 * time.Minute

// Alerter tells operators what they should treat.
type Alerter interface {
	// Alert sends one message; sending it again is harmless.
	Alert(ctx context.Context, alert message.Alert) error
}

// Publish makes the import visible, whole, in one transaction; then it checks
// the coherence of the published tables.
type Publish struct {
	Common
	DB        *postgres.DB
	Alerts    Alerter
	History   History
	Retention time.Duration // how long staging is kept for audit
}

// Run publishes the import once. Readers see all of it or nothing, at every
// isolation level: the initial mode swaps the content of all tables under one
// exclusive lock, after the transactions have ended whose snapshot is older than
// the loaded rows; the daily mode writes rows of its own transaction.
func (p *Publish) Run(ctx context.Context, in ImportIn) (Published, error) {
	started := p.Now()
	if err := recordAttempts(ctx, p.DB, p.History, in.Import, in.ExecutionARN, in.Attempt); err != nil {
		return Published{}, err
	}
	if in.Import.Mode == Initial {
		if err := postgres.WaitForOlderSnapshots(ctx, p.DB, readersLimit); err != nil {
			return Published{}, err
		}
	}
	out, err := postgres.Once(ctx, p.DB, in.Import.unit("Publish", "", 0), func(ctx context.Context, tx pgx.Tx) (Published, error) {
		return p.publish(ctx, tx, in.Import)
	})
	if err != nil {
		return Published{}, err
	}
	p.report(ctx, in.Import, out, started)
	if err := p.coherence(ctx, in.Import); err != nil {
		return Published{}, err
	}
	return out, postgres.PurgeStaging(ctx, p.DB, p.Now().Add(-p.Retention))
}

// publish makes the import visible in a transaction, in place of the generation
// that was published before, if a forced restart is to replace one.
func (p *Publish) publish(ctx context.Context, tx pgx.Tx, imp Import) (Published, error) {
	replaced, err := postgres.PublishedGeneration(ctx, tx, imp.ImportID)
	if err != nil {
		return Published{}, err
	}
	publish := p.daily
	if imp.Mode == Initial {
		publish = p.initial
	}
	out, err := publish(ctx, tx, imp, replaced > 0)
	if err != nil {
		return out, err
	}
	if replaced > 0 {
		if err := postgres.DropReplaced(ctx, tx, imp.ImportID, replaced); err != nil {
			return out, err
		}
	}
	tag, err := tx.Exec(ctx, `UPDATE etl.imports SET status = $2, published_generation = $3, failed_step = NULL, failed_reason = NULL,
		published_at = now(), updated_at = now() WHERE import_id = $1 AND generation = $3`, imp.ImportID, etl.StatusSucceeded, imp.Generation)
	if err == nil && tag.RowsAffected() != 1 {
		err = &fault.Superseded{ImportID: imp.ImportID, Generation: imp.Generation}
	}
	return out, err
}

// report logs what happened to each table.
func (p *Publish) report(ctx context.Context, imp Import, out Published, started time.Time) {
	log := p.Log.With(centrallog.ImportID(imp.ImportID), centrallog.Step(message.StepPersistence))
	for resource, change := range out.Tables {
		if change.Skipped {
			log.WarnContext(ctx, message.ReloadSkipped, slog.String("resource", resource))
		} else if change.Kept > 0 {
			log.WarnContext(ctx, message.NewerRowsKept(resource, change.Kept), slog.String("resource", resource))
		}
		p.done(ctx, imp, "", registry.Progress{
			State: "Publish", Resource: resource, Persisted: change.Written, Kept: change.Kept, Skipped: change.Rows,
		}, started, message.ImportPublished)
	}
}

// initial swaps the detached tables in. All parents are locked first, in one
// order, with a short timeout: a reader is never chosen as the victim of a
// deadlock, the machine tries again instead.
func (p *Publish) initial(ctx context.Context, tx pgx.Tx, imp Import, replace bool) (Published, error) {
	out := Published{Tables: map[string]TableChange{}}
	parents := []string{"final.events"}
	for _, r := range p.Contract.Resources {
		parents = append(parents, postgres.Leaf{Kind: postgres.Target, Resource: r.Name}.Parent())
	}
	if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '800ms'; LOCK TABLE `+strings.Join(parents, ", ")+` IN ACCESS EXCLUSIVE MODE; SET LOCAL lock_timeout = '30s'`); err != nil {
		return out, err
	}
	for _, r := range p.Contract.Resources {
		leaf := imp.leaf(postgres.Target, r.Name)
		if err := leaf.Swap(ctx, tx, len(r.Key)); err != nil {
			return out, err
		}
		var rows int64
		if err := tx.QueryRow(ctx, `SELECT (result->'events'->>$4)::bigint FROM etl.ledger
			WHERE import_id = $1 AND generation = $2 AND phase = $3 AND resource = ''`,
			imp.ImportID, imp.Generation, "Reconcile", r.Name).Scan(&rows); err != nil {
			return out, err
		}
		out.Tables[r.Name] = TableChange{Written: rows}
		out.Events += rows
	}
	if replace {
		if err := postgres.DropPublishedEvents(ctx, tx, imp.ImportID); err != nil {
			return out, err
		}
	}
	return out, imp.leaf(postgres.Events, "").AttachByImport(ctx, tx)
}

// daily empties and reloads, inserts or updates, in the order of dependency, and
// checks its own row counts.
func (p *Publish) daily(ctx context.Context, tx pgx.Tx, imp Import, replace bool) (Published, error) {
	out := Published{Tables: map[string]TableChange{}}
	if _, err := tx.Exec(ctx, `SET LOCAL work_mem = '256MB'`); err != nil {
		return out, err
	}
	for _, r := range p.Contract.InDependencyOrder() {
		leaf := imp.leaf(postgres.Target, r.Name)
		write := upsert
		if r.Load == contract.LoadReload {
			write = reload
		}
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
// [Index]), as rows of this transaction: a reader with an older snapshot sees none
// of them, but those that they replace, if there are such.
func publishEvents(ctx context.Context, tx pgx.Tx, imp Import, replace bool) (int64, error) {
	prepared, published := imp.leaf(postgres.Events, ""), imp.leaf(postgres.Published, "").Table()
	if replace {
		published = prepared.Parent() // the partition is that of the generation that made it
		if _, err := tx.Exec(ctx, `DELETE FROM `+published+` WHERE import_id = $1`, imp.ImportID); err != nil {
			return 0, err
		}
	}
	tag, err := tx.Exec(ctx, fmt.Sprintf(`INSERT INTO %s SELECT * FROM %s`, published, prepared.Table()))
	if err != nil {
		return 0, err
	}
	var want int64
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+prepared.Table()).Scan(&want); err != nil {
		return 0, err
	}
	if tag.RowsAffected() != want {
		return 0, &fault.Mismatch{ImportID: imp.ImportID, Reason: message.CountMismatch("événements publiés", eventsTable, want, tag.RowsAffected())}
	}
	return want, prepared.Drop(ctx, tx)
}

// reload empties a reference table and fills it again. DELETE, not TRUNCATE:
// readers with an older snapshot keep seeing the old rows.
func reload(ctx context.Context, tx pgx.Tx, imp Import, r *contract.Resource, leaf postgres.Leaf) (TableChange, error) {
	var newer bool
	var total int64
	if err := tx.QueryRow(ctx, fmt.Sprintf(`SELECT EXISTS (SELECT FROM %s WHERE file_date > $1), (SELECT count(*) FROM %s)`,
		leaf.Parent(), leaf.Table()), imp.FileDate).Scan(&newer, &total); err != nil {
		return TableChange{}, err
	}
	if newer {
		return TableChange{Skipped: true, Rows: total}, nil
	}
	if _, err := tx.Exec(ctx, `DELETE FROM `+leaf.Parent()); err != nil {
		return TableChange{}, err
	}
	written, err := insert(ctx, tx, r, leaf, "")
	if err != nil {
		return TableChange{}, err
	}
	if written != total {
		return TableChange{}, &fault.Mismatch{ImportID: imp.ImportID, Reason: message.CountMismatch("lignes publiées", r.Name, total, written)}
	}
	return TableChange{Written: written}, nil
}

// upsert inserts new rows and updates those of the same key, sorted by key so
// that the index is walked once. A row of a later date is kept.
func upsert(ctx context.Context, tx pgx.Tx, imp Import, r *contract.Resource, leaf postgres.Leaf) (TableChange, error) {
	key := strings.Join(r.KeyColumns(), ", ")
	var total, kept int64
	if err := tx.QueryRow(ctx, fmt.Sprintf(`SELECT (SELECT count(*) FROM %s),
		(SELECT count(*) FROM %s n JOIN %s t USING (%s) WHERE t.file_date > n.file_date)`,
		leaf.Table(), leaf.Table(), leaf.Parent(), key)).Scan(&total, &kept); err != nil {
		return TableChange{}, err
	}
	var set []string
	for _, c := range r.TargetColumns() {
		set = append(set, fmt.Sprintf("%[1]s = EXCLUDED.%[1]s", pgx.Identifier{c.Name}.Sanitize()))
	}
	written, err := insert(ctx, tx, r, leaf, fmt.Sprintf(` ON CONFLICT (%s) DO UPDATE SET %s WHERE t.file_date <= EXCLUDED.file_date`, key, strings.Join(set, ", ")))
	if err != nil {
		return TableChange{}, err
	}
	if written+kept != total {
		return TableChange{}, &fault.Mismatch{ImportID: imp.ImportID, Reason: message.CountMismatch("lignes publiées", r.Name, total-kept, written)}
	}
	return TableChange{Written: written, Kept: kept}, nil
}

func insert(ctx context.Context, tx pgx.Tx, r *contract.Resource, leaf postgres.Leaf, conflict string) (int64, error) {
	columns := make([]string, 0, len(r.TargetColumns()))
	for _, c := range r.TargetColumns() {
		columns = append(columns, pgx.Identifier{c.Name}.Sanitize())
	}
	list := strings.Join(columns, ", ")
	tag, err := tx.Exec(ctx, fmt.Sprintf(`INSERT INTO %s AS t (%s) SELECT %s FROM %s ORDER BY %s%s`,
		leaf.Parent(), list, list, leaf.Table(), strings.Join(r.KeyColumns(), ", "), conflict))
	return tag.RowsAffected(), err
}
