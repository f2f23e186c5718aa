package setrule

import (
	"context"
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres"
)

// sumRule holds the valid records of one parent to a child rule together. They are
// gone through once, parent by parent in order of line, with what is taken of the
// parent's value so far: at first what the published rows take. A record changes
// that by its own value less that of the row it replaces; the aggregate etl.taken
// leaves out those that would take too much, and they are rejected. A row that the
// file moves to another parent still counts for the one it leaves.
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

// publishedSums joins a row c with the published row that it replaces for the same
// parent, and with the sum of all that are published for that parent.
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
