package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/staged"
)

// reading collects what an import has left, as lines of text in the clear that
// name neither the import nor its generation, so that those of two imports of
// the same files are the same.
type reading struct {
	system *system
	db     *pgx.Conn
	imp    stack.Import
	lines  []string

	keys map[string]protection.DataKey // by import
}

// content reads everything that an import has left, and what is left of other
// generations of it.
func (s *system) content(ctx context.Context, imp stack.Import) (lines, orphans []string, err error) {
	db, err := pgx.Connect(ctx, s.Env["DATABASE_URL"])
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = db.Close(ctx) }()
	r := &reading{system: s, db: db, imp: imp, keys: map[string]protection.DataKey{}}
	for _, read := range []func(context.Context) error{r.targets, r.events, r.records, r.inserts, r.objects} {
		if err := read(ctx); err != nil {
			return nil, nil, err
		}
	}
	orphans, err = r.orphans(ctx)
	return r.lines, orphans, err
}

func (r *reading) add(cells ...any) {
	text := strings.TrimSuffix(fmt.Sprintln(cells...), "\n")
	r.lines = append(r.lines, strings.ReplaceAll(text, r.imp.ImportID, "IMPORT"))
}

// targets reads every row of the target tables.
func (r *reading) targets(ctx context.Context) error {
	for _, resource := range r.system.contract.Resources {
		columns := make([]string, len(resource.Fields))
		for i, f := range resource.Fields {
			columns[i] = pgx.Identifier{f.Target}.Sanitize()
			if !f.Sensitive() {
				columns[i] += "::text"
			}
		}
		err := r.query(ctx, fmt.Sprintf(`SELECT import_id, generation, line_number, file_date::text, %s FROM final.%s`,
			strings.Join(columns, ", "), pgx.Identifier{resource.Name}.Sanitize()), func(values []any) error {
			return r.target(ctx, resource, values)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) target(ctx context.Context, resource *contract.Resource, values []any) error {
	importID, _ := values[0].(string)
	generation, _ := values[1].(int32)
	line, _ := values[2].(int64)
	cells := []any{"target", resource.Name, line, values[3]}
	if importID != r.imp.ImportID {
		cells = append(cells, "of an earlier import")
	}
	of := protection.Record{Line: line}
	for _, f := range staged.PublicKey(resource) {
		of.Key = staged.AppendKey(of.Key, f, fmt.Append(nil, values[4+f.Index]))
	}
	for i, f := range resource.Fields {
		cell := values[4+i]
		if sealed, ok := cell.([]byte); ok {
			plain, err := r.open(ctx, protection.Scope{ImportID: importID, Generation: int(generation), Resource: resource.Name}, of, f.Name, sealed)
			if err != nil {
				return err
			}
			cell = plain
		}
		cells = append(cells, cell)
	}
	r.add(cells...)
	return nil
}

// events reads the events of the import.
func (r *reading) events(ctx context.Context) error {
	return r.query(ctx, `SELECT resource, generation, line_number, event_type, f.file, file_date::text, coalesce(enrichment, ''), data::text
		FROM final.events JOIN etl.files f USING (import_id, generation, resource) WHERE import_id = '`+r.imp.ImportID+`'`, func(values []any) error {
		name, _ := values[0].(string)
		generation, _ := values[1].(int32)
		line, _ := values[2].(int64)
		text, _ := values[7].(string)
		resource := r.system.contract.Resource(name)
		var data map[string]any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&data); err != nil {
			return err
		}
		scope := protection.Scope{ImportID: r.imp.ImportID, Generation: int(generation), Resource: name}
		of := protection.Record{Line: line}
		for _, f := range staged.PublicKey(resource) {
			of.Key = staged.AppendKey(of.Key, f, fmt.Append(nil, data[f.Target]))
		}
		for _, f := range resource.EventFields() {
			sealed, ok := data[f.Target].(string)
			if !ok || !f.Sensitive() {
				continue
			}
			ciphertext, err := base64.StdEncoding.DecodeString(sealed)
			if err != nil {
				return err
			}
			if data[f.Target], err = r.open(ctx, scope, of, f.Name, ciphertext); err != nil {
				return err
			}
		}
		r.add("event", name, line, values[3], values[4], values[5], values[6], data) // maps print in the order of their keys
		return nil
	})
}

// records reads what the import has noted of itself, and its tables.
func (r *reading) records(ctx context.Context) error {
	id := `'` + r.imp.ImportID + `'`
	current := fmt.Sprintf(`import_id = %s AND generation = %d`, id, r.imp.Generation)
	suffix := strings.ToLower(strings.TrimPrefix(r.imp.ImportID, "IMPORT_"))
	queries := []string{
		`SELECT 'error', resource, file, chunk, line_number, field, rule, error_details, processing_step FROM etl.errors WHERE ` + current,
		`SELECT 'reject', resource, line_number FROM etl.rejects WHERE ` + current,
		`SELECT 'file', resource, file, records, valid, rejected, status FROM etl.files WHERE ` + current,
		`SELECT 'ledger', phase, resource, chunk FROM etl.ledger WHERE ` + current + ` AND phase NOT LIKE '` + etl.StateEnrich.Parts() + `%'`,
		`SELECT 'incoherence', resource, field, parent, missing_key, row_count FROM etl.incoherences WHERE ` + current,
		`SELECT 'import', status, published_at IS NOT NULL FROM etl.imports WHERE ` + current,
		fmt.Sprintf(`SELECT 'table', replace(tablename, '%s_g%d', '') FROM pg_tables WHERE schemaname = 'partitions' AND tablename LIKE '%%\_%s\_g%d'`,
			suffix, r.imp.Generation, suffix, r.imp.Generation),
	}
	for _, resource := range r.system.contract.Resources {
		queries = append(queries, fmt.Sprintf(`SELECT 'staged %s', chunk, line_number FROM staging.%s WHERE import_id = %s`,
			resource.Name, pgx.Identifier{resource.Name}.Sanitize(), id))
	}
	for _, q := range queries {
		if err := r.query(ctx, q, func(values []any) error {
			r.add(values...)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// inserts reads PostgreSQL's own counts of what was inserted into the import's
// tables since they exist, whether it was committed or not. A session reports
// what it did late, but at its end at the latest, so the functions' are ended.
func (r *reading) inserts(ctx context.Context) error {
	r.system.proxy.cut()
	if err := until(ctx, "the functions' sessions to end", func() (bool, error) {
		var open int
		err := r.db.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'etl%' AND datname = current_database()`).Scan(&open)
		return open == 0, err
	}); err != nil {
		return err
	}
	suffix := fmt.Sprintf("%s_g%d", strings.ToLower(strings.TrimPrefix(r.imp.ImportID, "IMPORT_")), r.imp.Generation)
	return r.query(ctx, fmt.Sprintf(`SELECT '%s', replace(relname, '%s', ''), n_tup_ins FROM pg_stat_user_tables
		WHERE schemaname = 'partitions' AND right(relname, %d) = '%s'`, inserted, suffix, len(suffix), suffix), func(values []any) error {
		r.add(values...)
		return nil
	})
}

// inserted begins the lines that count inserts.
const inserted = "inserted"

// withoutInserts leaves out the lines that count inserts.
func withoutInserts(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, inserted+" ") })
}

// objects lists the work objects of the generation, with each of their versions;
// those of Step Functions are written anew at each redrive.
func (r *reading) objects(ctx context.Context) error {
	keys, err := r.versions(ctx, fmt.Sprintf("%s/g%d/", r.imp.ImportID, r.imp.Generation))
	for _, key := range keys {
		if !strings.HasPrefix(key, "results/") && !isPart(key) {
			r.add("object", key)
		}
	}
	return err
}

// isPart reports whether a work object is a part of the answers for a chunk. Where one
// part ends and the next begins depends on when the source did not answer.
func isPart(key string) bool {
	return strings.HasPrefix(key, "answers/") && strings.Count(key, "/") == 3
}

// versions lists each version of the work objects under a prefix, without it.
func (r *reading) versions(ctx context.Context, prefix string) (keys []string, err error) {
	pages := s3.NewListObjectVersionsPaginator(r.system.S3, &s3.ListObjectVersionsInput{
		Bucket: aws.String(r.system.Env["WORK_BUCKET"]), Prefix: &prefix,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Versions {
			keys = append(keys, strings.TrimPrefix(aws.ToString(v.Key), prefix))
		}
	}
	return keys, nil
}

// orphans finds what other generations of the import have left in the database and
// in the work bucket.
func (r *reading) orphans(ctx context.Context) (found []string, err error) {
	other := fmt.Sprintf(`WHERE import_id = '%s' AND generation <> %d`, r.imp.ImportID, r.imp.Generation)
	suffix := strings.ToLower(strings.TrimPrefix(r.imp.ImportID, "IMPORT_"))
	queries := []string{fmt.Sprintf(`SELECT tablename FROM pg_tables WHERE schemaname = 'partitions'
		AND tablename LIKE '%%\_%s\_g%%' AND tablename NOT LIKE '%%\_g%d'`, suffix, r.imp.Generation)}
	for _, table := range []string{"etl.ledger", "etl.errors", "etl.rejects", "etl.files", "etl.incoherences", "etl.enrichment_outages", "final.events"} {
		queries = append(queries, `SELECT '`+table+`' FROM `+table+` `+other)
	}
	for _, resource := range r.system.contract.Resources {
		queries = append(queries, `SELECT 'staging.`+resource.Name+`' FROM staging.`+pgx.Identifier{resource.Name}.Sanitize()+` `+other)
	}
	for _, q := range queries {
		if err := r.query(ctx, q, func(values []any) error {
			found = append(found, fmt.Sprint(values...))
			return nil
		}); err != nil {
			return nil, err
		}
	}
	for generation := 1; generation < r.imp.Generation; generation++ {
		dead, err := r.versions(ctx, fmt.Sprintf("%s/g%d/", r.imp.ImportID, generation))
		if err != nil {
			return nil, err
		}
		for range dead {
			found = append(found, workObject)
		}
	}
	return found, nil
}

// workObject is an orphan of the work bucket.
const workObject = "work object"

// query passes the rows of a query.
func (r *reading) query(ctx context.Context, statement string, each func([]any) error) error {
	rows, err := r.db.Query(ctx, statement)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	if err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	for _, values := range all {
		if err := each(values); err != nil {
			return err
		}
	}
	return nil
}

// open decrypts a cell.
func (r *reading) open(ctx context.Context, scope protection.Scope, of protection.Record, column string, sealed []byte) (string, error) {
	key, known := r.keys[scope.ImportID]
	if !known {
		var id uint32
		var wrapped []byte
		if err := r.db.QueryRow(ctx, `SELECT key_id, ciphertext FROM etl.data_keys WHERE import_id = $1`, scope.ImportID).Scan(&id, &wrapped); err != nil {
			return "", fmt.Errorf("the data key of %s: %w", scope.ImportID, err)
		}
		outputs, err := r.system.Outputs(ctx)
		if err != nil {
			return "", err
		}
		if key, err = protection.DecryptDataKey(ctx, r.system.KMS, outputs["FieldsKeyArn"], scope.ImportID, id, wrapped); err != nil {
			return "", err
		}
		r.keys[scope.ImportID] = key
	}
	plain, err := protection.NewOpener(key, scope).Open(nil, of, column, sealed)
	if err != nil {
		return "", fmt.Errorf("%s, line %d, %s: %w", scope.Resource, of.Line, column, err)
	}
	return string(plain), nil
}
