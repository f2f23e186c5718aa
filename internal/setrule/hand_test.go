package setrule

import (
	"context"
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
)

// measuredRule is a rule, the product's way to apply it, and other ways that a
// person would write, for these tables and nothing else.
type measuredRule struct {
	name, resource string
	product        ruleRun
	hand           map[string]ruleRun
}

// measuredRules are the rules over more than one record of clients and sales.
func measuredRules(pkg *contract.Package) []measuredRule {
	var rules []measuredRule
	for _, name := range []string{"clients", "ventes"} {
		r := pkg.Resource(name)
		for i, key := range append([][]string{r.Key}, r.Unique...) {
			rule := "unique"
			if i == 0 {
				rule = "primaryKey"
			}
			rules = append(rules, measuredRule{
				name: name + "/" + rule + "/" + strings.Join(key, ","), resource: name,
				product: func(ctx context.Context, w *writer) error { return w.unique(ctx, rule, key) },
				hand:    uniqueByHand(r, rule, key),
			})
		}
		for _, relation := range r.Relations {
			rules = append(rules, measuredRule{
				name: name + "/foreignKey/" + relation.Fields[0], resource: name,
				product: func(ctx context.Context, w *writer) error { return w.relation(ctx, relation) },
				hand:    relationByHand(pkg, r, relation),
			})
		}
	}
	return rules
}

// byHand makes a run of a statement that yields (line_number, error_details) for
// the rows of one file; what it finds is stored as the product stores it, since
// that is part of the result.
func byHand(field, rule, query string) ruleRun {
	return func(ctx context.Context, w *writer) error {
		_, err := w.tx.Execute(ctx, fmt.Sprintf(`WITH found AS MATERIALIZED (%[1]s),
			logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
				SELECT '%[2]s', 1, '%[3]s', '%[3]s.csv', line_number, '%[4]s', '%[5]s', error_details, '%[6]s' FROM found)
			INSERT INTO etl.rejects SELECT '%[2]s', 1, '%[3]s', line_number FROM found ON CONFLICT DO NOTHING`,
			strings.ReplaceAll(query, "@leaf", w.leaf(w.resource.Name)), w.scope.ImportID, w.resource.Name, field, rule, etl.StepValidation))
		return err
	}
}

// uniqueByHand are ways to find the records whose key stands on an earlier line.
func uniqueByHand(r *contract.Resource, rule string, key []string) map[string]ruleRun {
	column := r.StagingKey(key)[0]
	text := fmt.Sprintf("replace(%s, %s, first::text) AS error_details", postgres.QuoteLiteral(DuplicateTemplate(key)), postgres.QuoteLiteral(firstLine))
	queries := map[string]string{
		"GROUP BY": `SELECT t.line_number, ` + text + ` FROM @leaf t JOIN (
			SELECT %[1]s, min(line_number) AS first FROM @leaf WHERE %[1]s IS NOT NULL GROUP BY 1 HAVING count(*) > 1) g USING (%[1]s) WHERE line_number > first`,
		"lag": `SELECT line_number, ` + text + ` FROM (SELECT line_number, %[1]s = lag(%[1]s) OVER w AS same, first_value(line_number) OVER (PARTITION BY %[1]s ORDER BY line_number) AS first
			FROM @leaf WHERE %[1]s IS NOT NULL WINDOW w AS (ORDER BY %[1]s, line_number)) d WHERE same`,
		"lag, then look up": `SELECT d.line_number, ` + text + ` FROM (SELECT %[1]s, line_number, %[1]s = lag(%[1]s) OVER (ORDER BY %[1]s, line_number) AS same
			FROM @leaf WHERE %[1]s IS NOT NULL) d, LATERAL (SELECT min(line_number) AS first FROM @leaf f WHERE f.%[1]s = d.%[1]s) f WHERE same`,
		"EXISTS": `SELECT d.line_number, ` + text + ` FROM @leaf d, LATERAL (SELECT min(line_number) AS first FROM @leaf f WHERE f.%[1]s = d.%[1]s) f
			WHERE EXISTS (SELECT FROM @leaf e WHERE e.%[1]s = d.%[1]s AND e.line_number < d.line_number)`,
	}
	runs := map[string]ruleRun{}
	for name, query := range queries {
		runs[name] = byHand(strings.Join(key, ", "), rule, fmt.Sprintf(query, column))
	}
	return runs
}

// relationByHand are ways to find the records whose parent is not valid and, for
// a table that is inserted or updated, not published.
func relationByHand(pkg *contract.Package, r *contract.Resource, relation contract.Relation) map[string]ruleRun {
	parent := pkg.Resource(relation.Resource)
	child, key := r.StagingKey(relation.Fields)[0], parent.StagingKey(relation.ParentFields)[0]
	valid := `SELECT p.` + key + ` FROM @parent p WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE r.resource = '` + parent.Name + `'
		AND r.import_id = '@id' AND r.generation = 1 AND r.line_number = p.line_number) AND p.` + key + ` IS NOT NULL`
	if parent.Load == contract.LoadUpsert {
		valid += ` UNION ALL SELECT ` + parent.TargetKey(relation.ParentFields)[0] + ` FROM final.` + parent.Name
	}
	text := postgres.QuoteLiteral(UnknownParentText(relation.Fields, relation.Resource)) + " AS error_details"
	queries := map[string]string{
		"anti-join":     `SELECT c.line_number, ` + text + ` FROM @leaf c LEFT JOIN (` + valid + `) v ON v.` + key + ` = c.` + child + ` WHERE v.` + key + ` IS NULL AND c.` + child + ` IS NOT NULL`,
		"NOT EXISTS":    `SELECT c.line_number, ` + text + ` FROM @leaf c WHERE c.` + child + ` IS NOT NULL AND NOT EXISTS (SELECT FROM (` + valid + `) v WHERE v.` + key + ` = c.` + child + `)`,
		"NOT IN":        `SELECT c.line_number, ` + text + ` FROM @leaf c WHERE c.` + child + ` NOT IN (` + valid + `)`,
		"distinct keys": `SELECT c.line_number, ` + text + ` FROM @leaf c JOIN (SELECT DISTINCT ` + child + ` FROM @leaf WHERE ` + child + ` IS NOT NULL EXCEPT (` + valid + `)) o USING (` + child + `)`,
	}
	runs := map[string]ruleRun{}
	for name, query := range queries {
		runs[name] = func(ctx context.Context, w *writer) error {
			query := strings.ReplaceAll(strings.ReplaceAll(query, "@parent", w.leaf(parent.Name)), "@id", w.scope.ImportID)
			return byHand(relation.Fields[0], "foreignKey", query)(ctx, w)
		}
	}
	return runs
}
