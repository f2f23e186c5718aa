package setrule

import (
	"context"
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
)

// sumRule applies a child rule to the sum over all valid records of one parent. It
// visits them once, parent by parent in line order, and tracks how much of the parent's
// value is taken so far, starting with what the published rows take. A record adds its
// own value minus that of the row it replaces. The aggregate etl.taken leaves out
// records that would take too much, and they are rejected. A row that the file moves to
// another parent still counts for the one it leaves.
func (w *writer) sumRule(ctx context.Context, rule contract.ChildRule) error {
	theirs, parents := w.parentValue(rule)
	relation := strings.Join(prefixed("c.", w.resource.StagingKey(w.resource.Relations[rule.Relation].Fields)), ", ")
	change := "c." + w.resource.StagingKey([]string{rule.Field})[0] + "::numeric"
	taken := "0::numeric"
	if w.published(w.resource) {
		change, taken = change+fmt.Sprintf(" - coalesce(own.%s, 0)", w.resource.Field(rule.Field).Target), "coalesce(others._sum, 0)"
		parents += w.publishedSums(rule)
	}
	return w.reject(ctx, rule.Field, rule.Name, rule.Message, fmt.Sprintf(`
		WITH valid AS (
			SELECT c.line_number, ROW(%[1]s) AS parent, %[2]s AS change, %[3]s::numeric AS most, %[4]s AS taken
			FROM %[5]s c %[6]s LEFT JOIN etl.rejects r ON %[7]s WHERE r.line_number IS NULL),
		walked AS (SELECT *, etl.taken(taken, change, most) OVER w AS after FROM valid
			WINDOW w AS (PARTITION BY parent ORDER BY line_number ROWS UNBOUNDED PRECEDING)),
		judged AS (SELECT line_number, change, most, coalesce(lag(after) OVER w, taken) AS before FROM walked
			WINDOW w AS (PARTITION BY parent ORDER BY line_number))
		SELECT line_number, NULL::bigint AS first_line FROM judged WHERE before + change > most`,
		relation, change, theirs, taken, w.leaf(w.resource.Name), parents, w.rejectOf(w.resource.Name, "c")))
}

// publishedSums returns the joins from a row c to the published row that it replaces
// for the same parent, and to the sum of all rows published for that parent.
func (w *writer) publishedSums(rule contract.ChildRule) string {
	fields := w.resource.Relations[rule.Relation].Fields
	table := postgres.Quote("final", w.resource.Name)
	staged, target := w.resource.StagingKey(fields), w.resource.TargetKey(fields)
	list, value := strings.Join(target, ", "), w.resource.Field(rule.Field).Target
	return fmt.Sprintf(`
		LEFT JOIN %[2]s own ON %[3]s AND %[4]s
		LEFT JOIN (SELECT %[5]s, sum(%[1]s) AS _sum FROM %[2]s o WHERE EXISTS (SELECT FROM %[6]s c WHERE %[7]s) GROUP BY %[5]s) others ON %[8]s`,
		value, table, pairs("own", w.resource.TargetKey(w.resource.Key), "c", w.resource.StagingKey(w.resource.Key)),
		pairs("own", target, "c", staged), list, w.leaf(w.resource.Name), pairs("o", target, "c", staged), pairs("others", target, "c", staged))
}

func prefixed(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = prefix + name
	}
	return out
}
