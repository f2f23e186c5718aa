package postgres

import (
	"context"
	"slices"

	"etl-dataloader/internal/contract"
)

// indexSettings are the settings of a transaction that builds indexes: enough memory
// to sort some five million keys without a temporary file, and a single process,
// because two tables are indexed at a time. With two processes per index the whole
// takes 1.5 to 2 times as long.
const indexSettings = `SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL max_parallel_maintenance_workers = 0`

// IndexStaging indexes and analyzes the columns of a staging leaf that rules over more
// than one record look up (the keys, with the line number), and attaches the leaf.
func (t *Tx) IndexStaging(ctx context.Context, leaf Leaf, r *contract.Resource) error {
	if _, err := t.tx.Exec(ctx, indexSettings); err != nil {
		return err
	}
	for _, key := range append([][]string{r.Key}, r.Unique...) {
		if err := t.index(ctx, leaf, append(r.StagingKey(key), "line_number")); err != nil {
			return err
		}
	}
	if err := t.analyze(ctx, leaf, comparedColumns(r)); err != nil {
		return err
	}
	return leaf.AttachByImport(ctx, t)
}

// IndexTarget gives a filled leaf of the targets or events its primary key.
func (t *Tx) IndexTarget(ctx context.Context, leaf Leaf, key []string) error {
	if _, err := t.tx.Exec(ctx, indexSettings); err != nil {
		return err
	}
	return t.call(ctx, `etl.key_leaf($1, $2, $3, $4, $5)`, leaf.Kind, leaf.Resource, leaf.ImportID, leaf.Generation, key)
}

// Analyze collects planner statistics for a filled leaf.
func (t *Tx) Analyze(ctx context.Context, leaf Leaf) error { return t.analyze(ctx, leaf, []string{}) }

// analyze collects statistics for some columns, for all if there are none.
func (t *Tx) analyze(ctx context.Context, leaf Leaf, columns []string) error {
	return t.call(ctx, `etl.analyze_leaf($1, $2, $3, $4, $5)`, leaf.Kind, leaf.Resource, leaf.ImportID, leaf.Generation, columns)
}

func (t *Tx) index(ctx context.Context, leaf Leaf, columns []string) error {
	return t.call(ctx, `etl.index_leaf($1, $2, $3, $4, $5)`, leaf.Kind, leaf.Resource, leaf.ImportID, leaf.Generation, columns)
}

// comparedColumns returns the staging columns that rules over more than one record
// compare. Only they need statistics.
func comparedColumns(r *contract.Resource) []string {
	fields := slices.Clone(r.Key)
	for _, key := range r.Unique {
		fields = append(fields, key...)
	}
	for _, relation := range r.Relations {
		fields = append(fields, relation.Fields...)
	}
	for _, f := range r.StagedKeys() {
		fields = append(fields, f.Name)
	}
	columns := append(r.StagingKey(fields), "line_number")
	slices.Sort(columns)
	return slices.Compact(columns)
}
