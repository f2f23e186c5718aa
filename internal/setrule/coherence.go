package setrule

import (
	"context"
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
)

// Orphans records in etl.incoherences the missing parents of a relation among the
// published rows, each with the number of rows that refer to it, and returns the total
// of those rows.
func Orphans(ctx context.Context, tx Transaction, scope Scope, pkg *contract.Package, r *contract.Resource, relation contract.Relation) (rows int64, err error) {
	parent := pkg.Resource(relation.Resource)
	child := r.TargetKey(relation.Fields)
	key := strings.Join(prefixed("c.", child), ", ")
	return tx.Count(ctx, fmt.Sprintf(`WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', %[1]s), count(*) FROM final.%[2]s c
			WHERE %[3]s AND NOT EXISTS (SELECT FROM final.%[4]s f WHERE %[5]s) GROUP BY %[1]s
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing`,
		key, postgres.Quote(r.Name), notNull("c.", strings.Join(child, ", ")),
		postgres.Quote(parent.Name), pairs("f", parent.TargetKey(relation.ParentFields), "c", child)),
		scope.ImportID, scope.Generation, r.Name, strings.Join(relation.Fields, ", "), parent.Name)
}
