package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/fault"
)

// LockTargets locks the events and the targets of these resources exclusively, in a
// fixed order and with a short timeout: instead of a reader being chosen as the victim
// of a deadlock, the caller tries again.
func (t *Tx) LockTargets(ctx context.Context, resources []*contract.Resource) error {
	parents := []string{"final.events"}
	for _, r := range resources {
		parents = append(parents, Leaf{Kind: Target, Resource: r.Name}.Parent())
	}
	_, err := t.tx.Exec(ctx, `SET LOCAL lock_timeout = '800ms'; LOCK TABLE `+strings.Join(parents, ", ")+` IN ACCESS EXCLUSIVE MODE; SET LOCAL lock_timeout = '30s'`)
	return err
}

// RefuseOverPublished fails with *[fault.Refused] if another import is published, which
// the initial import of the unit would wipe out. The registry refuses that too, but only
// knows the imports of its own stack. The caller holds the exclusive lock on the events,
// so that no other import is published meanwhile.
func (t *Tx) RefuseOverPublished(ctx context.Context) error {
	var other string
	err := t.tx.QueryRow(ctx, `SELECT import_id FROM etl.imports WHERE import_id <> $1 AND published_generation IS NOT NULL
		ORDER BY published_at, import_id LIMIT 1`, t.unit.ImportID).Scan(&other)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return &fault.Refused{ImportID: t.unit.ImportID, Reason: overPublished(other)}
}

// PublishSettings gives the statements that write published rows memory for sorting.
func (t *Tx) PublishSettings(ctx context.Context) error {
	_, err := t.tx.Exec(ctx, `SET LOCAL work_mem = '256MB'`)
	return err
}

// Change counts the rows of a target table that a publication changes.
type Change struct {
	Total   int64 // rows of the leaf
	Written int64 // inserted or updated
	Kept    int64 // of a later date, so not overwritten
	Skipped bool  // the reload is of an older date than the table
}

// Reload empties a target table and fills it from a leaf, unless it has rows of a
// later date than fileDate. DELETE, not TRUNCATE: readers with an older snapshot
// keep seeing the old rows.
func (t *Tx) Reload(ctx context.Context, leaf Leaf, r *contract.Resource, fileDate string) (Change, error) {
	var c Change
	if err := t.tx.QueryRow(ctx, fmt.Sprintf(`SELECT EXISTS (SELECT FROM %s WHERE file_date > $1), (SELECT count(*) FROM %s)`,
		leaf.Parent(), leaf.Table()), fileDate).Scan(&c.Skipped, &c.Total); err != nil || c.Skipped {
		return c, err
	}
	if _, err := t.tx.Exec(ctx, `DELETE FROM `+leaf.Parent()); err != nil {
		return c, err
	}
	var err error
	c.Written, err = t.insert(ctx, r, leaf, "")
	return c, err
}

// Upsert inserts new rows and updates those with the same key, in key order so that
// the index is walked once. A row of a later date is kept.
func (t *Tx) Upsert(ctx context.Context, leaf Leaf, r *contract.Resource) (Change, error) {
	key := strings.Join(r.KeyColumns(), ", ")
	var c Change
	if err := t.tx.QueryRow(ctx, fmt.Sprintf(`SELECT (SELECT count(*) FROM %s),
		(SELECT count(*) FROM %s n JOIN %s t USING (%s) WHERE t.file_date > n.file_date)`,
		leaf.Table(), leaf.Table(), leaf.Parent(), key)).Scan(&c.Total, &c.Kept); err != nil {
		return c, err
	}
	var set []string
	for _, column := range r.TargetColumns() {
		set = append(set, fmt.Sprintf("%[1]s = EXCLUDED.%[1]s", Quote(column.Name)))
	}
	var err error
	c.Written, err = t.insert(ctx, r, leaf, fmt.Sprintf(` ON CONFLICT (%s) DO UPDATE SET %s WHERE t.file_date <= EXCLUDED.file_date`, key, strings.Join(set, ", ")))
	return c, err
}

func (t *Tx) insert(ctx context.Context, r *contract.Resource, leaf Leaf, conflict string) (int64, error) {
	columns := make([]string, 0, len(r.TargetColumns()))
	for _, c := range r.TargetColumns() {
		columns = append(columns, Quote(c.Name))
	}
	list := strings.Join(columns, ", ")
	tag, err := t.tx.Exec(ctx, fmt.Sprintf(`INSERT INTO %s AS t (%s) SELECT %s FROM %s ORDER BY %s%s`,
		leaf.Parent(), list, list, leaf.Table(), strings.Join(r.KeyColumns(), ", "), conflict))
	return tag.RowsAffected(), err
}

// PublishEvents copies prepared events into the leaf of the import's published
// events, as rows of this transaction: a reader with an older snapshot sees none of
// them. If replace is set, the import has already published events, in the partition
// of the generation that created it, and they are deleted.
func (t *Tx) PublishEvents(ctx context.Context, prepared, published Leaf, replace bool) (c Change, err error) {
	into := published.Table()
	if replace {
		into = prepared.Parent()
		if _, err := t.tx.Exec(ctx, `DELETE FROM `+into+` WHERE import_id = $1`, t.unit.ImportID); err != nil {
			return c, err
		}
	}
	tag, err := t.tx.Exec(ctx, fmt.Sprintf(`INSERT INTO %s SELECT * FROM %s`, into, prepared.Table()))
	if err != nil {
		return c, err
	}
	c.Written = tag.RowsAffected()
	c.Total, err = t.Count(ctx, `SELECT count(*) FROM `+prepared.Table())
	return c, err
}

// MarkPublished records that readers see the unit's generation of the import.
func (t *Tx) MarkPublished(ctx context.Context) error {
	var current bool
	err := t.tx.QueryRow(ctx, `SELECT etl.mark_published($1, $2)`, t.unit.ImportID, t.unit.Generation).Scan(&current)
	if err == nil && !current {
		err = &fault.Superseded{ImportID: t.unit.ImportID, Generation: t.unit.Generation}
	}
	return err
}

// TableRows returns how many rows the target table of a resource has, and reports
// whether any is of a later date than the import that would replace them.
func (db *DB) TableRows(ctx context.Context, importID, resource, fileDate string) (rows int64, newer bool, err error) {
	err = db.Query(ctx, "tables that "+importID+" replaces", func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, fmt.Sprintf(`SELECT count(*), coalesce(bool_or(file_date > $1), false) FROM final.%s`, Quote(resource)),
			fileDate).Scan(&rows, &newer)
	})
	return rows, newer, err
}
