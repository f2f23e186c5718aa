package setrule

import (
	"context"
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
)

// writer writes the rules of one resource as SQL over the staged rows. Every
// statement inserts the errors it finds and rejects their records.
type writer struct {
	tx       Transaction
	scope    Scope
	pkg      *contract.Package
	resource *contract.Resource
	rejected int64 // records that no rule had rejected before
}

// reject inserts an error and a reject for each row (line_number, first_line) that
// query yields. In details, first_line replaces firstLine.
func (w *writer) reject(ctx context.Context, field, rule, details, query string) error {
	rows, err := w.tx.Execute(ctx, `
		WITH found AS MATERIALIZED (`+query+`),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING`,
		w.scope.ImportID, w.scope.Generation, w.resource.Name, field, rule, etl.StepValidation, details, firstLine)
	w.rejected += rows
	return err
}

// leaf returns the table with the staged rows of a resource.
func (w *writer) leaf(resource string) string { return w.table(postgres.Staging, resource) }

func (w *writer) table(kind postgres.Kind, resource string) string {
	return postgres.Leaf{Kind: kind, Resource: resource, ImportID: w.scope.ImportID, Generation: w.scope.Generation}.Table()
}

// unique rejects every record whose key occurs on an earlier line. The first line
// counts even if it is rejected for another reason. Duplicates are adjacent in index
// order (key, line); the first line is looked up for them alone. A leaf holds the
// records of one file.
func (w *writer) unique(ctx context.Context, rule string, key []string) error {
	columns := w.resource.StagingKey(key)
	list := strings.Join(columns, ", ")
	before := make([]string, len(columns))
	for i, c := range columns {
		before[i] = "lag(" + c + ") OVER w"
	}
	field := strings.Join(key, ", ")
	return w.reject(ctx, field, rule, DuplicateTemplate(key), fmt.Sprintf(`
		SELECT line_number, (SELECT min(f.line_number) FROM %[2]s f WHERE %[5]s) AS first_line FROM (
			SELECT line_number, %[1]s, (%[1]s) = (%[4]s) AS again FROM %[2]s WHERE %[3]s WINDOW w AS (ORDER BY %[1]s, line_number)
		) d WHERE again`, list, w.leaf(w.resource.Name), notNull("", list), strings.Join(before, ", "), pairs("f", columns, "d", columns)))
}

// notNull returns the condition that none of the columns is NULL.
func notNull(alias, columns string) string {
	parts := strings.Split(columns, ", ")
	for i, c := range parts {
		parts[i] = alias + c + " IS NOT NULL"
	}
	return strings.Join(parts, " AND ")
}

// pairs returns the condition that two lists of columns are equal, pair by pair.
func pairs(leftAlias string, left []string, rightAlias string, right []string) string {
	parts := make([]string, len(left))
	for i := range left {
		parts[i] = fmt.Sprintf("%s.%s = %s.%s", leftAlias, left[i], rightAlias, right[i])
	}
	return strings.Join(parts, " AND ")
}

// rejectOf returns the condition that a row r of etl.rejects or etl.errors belongs to
// a staged row of a resource.
func (w *writer) rejectOf(resource, row string) string {
	return fmt.Sprintf(`r.import_id = %s AND r.generation = %d AND r.resource = %s AND r.line_number = %s.line_number`,
		postgres.QuoteLiteral(w.scope.ImportID), w.scope.Generation, postgres.QuoteLiteral(resource), row)
}

// published reports whether records may have their parents in the target table of
// a resource. The table keeps what earlier imports published, unless an initial
// import replaces it.
func (w *writer) published(parent *contract.Resource) bool {
	return parent.Load == contract.LoadUpsert && !w.scope.Initial
}

// orphan returns the condition that a row c of the resource has no parent: neither a
// valid record of the same import, nor a row of a target table whose rows are inserted
// or updated.
func (w *writer) orphan(relation contract.Relation) string {
	parent := w.pkg.Resource(relation.Resource)
	child := w.resource.StagingKey(relation.Fields)
	staged := parent.StagingKey(relation.ParentFields)
	condition := fmt.Sprintf(`NOT EXISTS (SELECT FROM %s p LEFT JOIN etl.rejects r ON %s WHERE %s AND r.line_number IS NULL)`,
		w.leaf(parent.Name), w.rejectOf(parent.Name, "p"), pairs("p", staged, "c", child))
	if w.published(parent) {
		condition += fmt.Sprintf(` AND NOT EXISTS (SELECT FROM final.%s f WHERE %s)`,
			postgres.Quote(parent.Name), pairs("f", parent.TargetKey(relation.ParentFields), "c", child))
	}
	return condition
}

// relation rejects the records whose parent, of another resource, was rejected or
// does not exist.
func (w *writer) relation(ctx context.Context, relation contract.Relation) error {
	columns := strings.Join(w.resource.StagingKey(relation.Fields), ", ")
	return w.reject(ctx, strings.Join(relation.Fields, ", "), contract.RuleForeignKey, UnknownParentText(relation.Fields, relation.Resource), fmt.Sprintf(`
		SELECT c.line_number, NULL::bigint AS first_line FROM %s c WHERE %s AND %s`,
		w.leaf(w.resource.Name), notNull("c.", columns), w.orphan(relation)))
}

// childRule compares a field with a field of the record's parent: the valid parent in
// this import if there is one, else the published one.
func (w *writer) childRule(ctx context.Context, rule contract.ChildRule) error {
	theirs, parents := w.parentValue(rule)
	return w.reject(ctx, rule.Field, rule.Name, rule.Message, fmt.Sprintf(`
		SELECT c.line_number, NULL::bigint AS first_line FROM %s c %s WHERE NOT (c.%s %s %s)`,
		w.leaf(w.resource.Name), parents, w.resource.StagingKey([]string{rule.Field})[0], rule.Comparison, theirs))
}

// parentValue returns the expression with which a child rule compares a row c, and the
// joins that find it. At most one valid record has a given key, so no record of the
// file appears twice.
func (w *writer) parentValue(rule contract.ChildRule) (theirs, joins string) {
	relation := w.resource.Relations[rule.Relation]
	parent := w.pkg.Resource(relation.Resource)
	child := w.resource.StagingKey(relation.Fields)
	theirs = "p." + parent.StagingKey([]string{rule.ParentField})[0]
	joins = fmt.Sprintf(`LEFT JOIN (SELECT p.* FROM %s p LEFT JOIN etl.rejects r ON %s WHERE r.line_number IS NULL) p ON %s`,
		w.leaf(parent.Name), w.rejectOf(parent.Name, "p"), pairs("p", parent.StagingKey(relation.ParentFields), "c", child))
	if w.published(parent) {
		theirs = fmt.Sprintf("coalesce(%s, f.%s)", theirs, parent.Field(rule.ParentField).Target)
		joins += fmt.Sprintf(" LEFT JOIN final.%s f ON %s", postgres.Quote(parent.Name),
			pairs("f", parent.TargetKey(relation.ParentFields), "c", child))
	}
	return theirs, joins
}
