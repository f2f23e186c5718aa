package phase

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
)

// setRules writes the rules of one resource as SQL over the staged rows. Every
// statement inserts the errors it finds and rejects their records.
type setRules struct {
	tx       pgx.Tx
	imp      Import
	pkg      *contract.Package
	resource *contract.Resource
	rejected int64 // records that no rule had rejected before
}

// reject inserts an error, and the reject, for each row (line_number, first_line)
// that query yields; first_line stands in details where [message.FirstLine] does.
func (s *setRules) reject(ctx context.Context, field, rule, details, query string) error {
	tag, err := s.tx.Exec(ctx, `
		WITH found AS MATERIALIZED (`+query+`),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING`,
		s.imp.ImportID, s.imp.Generation, s.resource.Name, field, rule, message.StepValidation, details, message.FirstLine)
	s.rejected += tag.RowsAffected()
	return err
}

func (s *setRules) leaf(resource string) string {
	return s.imp.leaf(postgres.Staging, resource).Table()
}

// unique rejects every record whose key stands on an earlier line; the first
// line counts even if it is rejected for something else. In the order of the index
// over key and line a duplicate follows its like; the first line is looked up for
// duplicates alone. A leaf holds the records of one file.
func (s *setRules) unique(ctx context.Context, rule string, key []string) error {
	columns := stagedKeyColumns(s.resource, key)
	list := strings.Join(columns, ", ")
	before := make([]string, len(columns))
	for i, c := range columns {
		before[i] = "lag(" + c + ") OVER w"
	}
	field := strings.Join(key, ", ")
	return s.reject(ctx, field, rule, message.DuplicateTemplate(key), fmt.Sprintf(`
		SELECT line_number, (SELECT min(f.line_number) FROM %[2]s f WHERE %[5]s) AS first_line FROM (
			SELECT line_number, %[1]s, (%[1]s) = (%[4]s) AS again FROM %[2]s WHERE %[3]s WINDOW w AS (ORDER BY %[1]s, line_number)
		) d WHERE again`, list, s.leaf(s.resource.Name), notNull("", list), strings.Join(before, ", "), pairs("f", columns, "d", columns)))
}

// notNull is the condition that none of the columns is NULL.
func notNull(alias, columns string) string {
	parts := strings.Split(columns, ", ")
	for i, c := range parts {
		parts[i] = alias + c + " IS NOT NULL"
	}
	return strings.Join(parts, " AND ")
}

// pairs joins two lists of columns by equality.
func pairs(leftAlias string, left []string, rightAlias string, right []string) string {
	parts := make([]string, len(left))
	for i := range left {
		parts[i] = fmt.Sprintf("%s.%s = %s.%s", leftAlias, left[i], rightAlias, right[i])
	}
	return strings.Join(parts, " AND ")
}

// rejectOf is the condition that a row r of etl.rejects, or of etl.errors, is that
// of a staged row of a resource.
func (s *setRules) rejectOf(resource, row string) string {
	return fmt.Sprintf(`r.import_id = %s AND r.generation = %d AND r.resource = %s AND r.line_number = %s.line_number`,
		postgres.QuoteLiteral(s.imp.ImportID), s.imp.Generation, postgres.QuoteLiteral(resource), row)
}

// published tells whether records of a resource may have their parents of a
// relation in the target table: it keeps what earlier imports brought. An initial
// import replaces it.
func (s *setRules) published(parent *contract.Resource) bool {
	return parent.Load == contract.LoadUpsert && s.imp.Mode != Initial
}

// orphan is the condition that a row c of the resource has no parent: neither a
// valid record of the same import, nor a row of a target table that is inserted
// or updated.
func (s *setRules) orphan(relation contract.Relation) string {
	parent := s.pkg.Resource(relation.Resource)
	child := stagedKeyColumns(s.resource, relation.Fields)
	staged := stagedKeyColumns(parent, relation.ParentFields)
	condition := fmt.Sprintf(`NOT EXISTS (SELECT FROM %s p LEFT JOIN etl.rejects r ON %s WHERE %s AND r.line_number IS NULL)`,
		s.leaf(parent.Name), s.rejectOf(parent.Name, "p"), pairs("p", staged, "c", child))
	if s.published(parent) {
		condition += fmt.Sprintf(` AND NOT EXISTS (SELECT FROM final.%s f WHERE %s)`,
			pgx.Identifier{parent.Name}.Sanitize(), pairs("f", targetKeyColumns(parent, relation.ParentFields), "c", child))
	}
	return condition
}

// targetKeyColumns are the columns of the target table by which fields are compared.
func targetKeyColumns(r *contract.Resource, fields []string) []string {
	columns := make([]string, len(fields))
	for i, name := range fields {
		f := r.Field(name)
		columns[i] = f.Target
		if f.Sensitivity == contract.Token {
			columns[i] += contract.TokenSuffix
		}
	}
	return columns
}

// relation rejects the records whose parent, of another resource, was rejected or
// does not exist.
func (s *setRules) relation(ctx context.Context, relation contract.Relation) error {
	columns := strings.Join(stagedKeyColumns(s.resource, relation.Fields), ", ")
	return s.reject(ctx, strings.Join(relation.Fields, ", "), contract.RuleForeignKey, message.UnknownParent(relation.Fields, relation.Resource), fmt.Sprintf(`
		SELECT c.line_number, NULL::bigint AS first_line FROM %s c WHERE %s AND %s`,
		s.leaf(s.resource.Name), notNull("c.", columns), s.orphan(relation)))
}

// childRule compares a field with a field of the record's parent: the valid one
// of this import if there is one, else the published one.
func (s *setRules) childRule(ctx context.Context, rule contract.ChildRule) error {
	theirs, parents := s.parentValue(rule)
	return s.reject(ctx, rule.Field, rule.Name, rule.Message, fmt.Sprintf(`
		SELECT c.line_number, NULL::bigint AS first_line FROM %s c %s WHERE NOT (c.%s %s %s)`,
		s.leaf(s.resource.Name), parents, stagedKeyColumns(s.resource, []string{rule.Field})[0], rule.Comparison, theirs))
}

// parentValue returns the expression of what a child rule compares a row c with,
// and the joins that find it. A key is that of one valid record, so no record of
// the file comes twice.
func (s *setRules) parentValue(rule contract.ChildRule) (theirs, joins string) {
	relation := s.resource.Relations[rule.Relation]
	parent := s.pkg.Resource(relation.Resource)
	child := stagedKeyColumns(s.resource, relation.Fields)
	theirs = "p." + stagedKeyColumns(parent, []string{rule.ParentField})[0]
	joins = fmt.Sprintf(`LEFT JOIN (SELECT p.* FROM %s p LEFT JOIN etl.rejects r ON %s WHERE r.line_number IS NULL) p ON %s`,
		s.leaf(parent.Name), s.rejectOf(parent.Name, "p"), pairs("p", stagedKeyColumns(parent, relation.ParentFields), "c", child))
	if s.published(parent) {
		theirs = fmt.Sprintf("coalesce(%s, f.%s)", theirs, parent.Field(rule.ParentField).Target)
		joins += fmt.Sprintf(" LEFT JOIN final.%s f ON %s", pgx.Identifier{parent.Name}.Sanitize(),
			pairs("f", targetKeyColumns(parent, relation.ParentFields), "c", child))
	}
	return theirs, joins
}
