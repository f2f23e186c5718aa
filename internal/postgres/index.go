package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"etl-dataloader/internal/contract"
)

// IndexStaging indexes and analyzes what rules over more than one record look up
// in a staging leaf: the keys, with the line number.
func (t *Tx) IndexStaging(ctx context.Context, leaf Leaf, r *contract.Resource) error {
	for _, key := range append([][]string{r.Key}, r.Unique...) {
		if _, err := t.tx.Exec(ctx, fmt.Sprintf(`CREATE INDEX ON %s (%s, line_number)`, leaf.Table(), strings.Join(r.StagingKey(key), ", "))); err != nil {
			return err
		}
	}
	_, err := t.tx.Exec(ctx, fmt.Sprintf(`ANALYZE %s (%s)`, leaf.Table(), strings.Join(comparedColumns(r), ", ")))
	return err
}

// comparedColumns are the staging columns that rules over more than one record
// compare: they alone need statistics.
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
