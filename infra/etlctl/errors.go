package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// errorsCommand shows the errors of an import.
type errorsCommand struct {
	ImportID string        `arg:"" name:"import_id" help:"${import_id}"`
	File     string        `help:"${errors_file}" placeholder:"FICHIER"`
	Resource string        `help:"${errors_resource}" placeholder:"RESSOURCE"`
	Field    string        `help:"${errors_field}" placeholder:"CHAMP"`
	Rule     string        `help:"${errors_rule}" placeholder:"RÈGLE"`
	Limit    *int64        `help:"${errors_limit}" placeholder:"N"`
	Format   string        `help:"${errors_format}" enum:"table,csv,json" default:"table"`
	Timeout  time.Duration `help:"${timeout}" default:"10m"`
}

// tableLimit is how many errors a table shows unless told otherwise.
const tableLimit = 100

// ruleCount is how often a rule was violated.
type ruleCount struct {
	Rule      string   `json:"rule"`
	Errors    int64    `json:"errors"`
	Records   int64    `json:"records"` // records that violate it
	Resources []string `json:"resources"`
}

// recordError is one reason why a record was rejected or could not be enriched. Its
// members are the columns of etl.errors.
type recordError struct {
	File     string    `json:"file"`
	Resource string    `json:"resource"`
	Line     int64     `json:"line_number,omitzero"`
	Field    string    `json:"field,omitempty"`
	Rule     string    `json:"rule"`
	Details  string    `json:"error_details"`
	Step     etl.Step  `json:"processing_step"`
	At       time.Time `json:"created_at"`
	// ResolvedAt is when an event completed the record; nil until then. JSON alone has it.
	ResolvedAt *time.Time `json:"resolved_at,omitempty"`
}

// Run runs the command.
func (e *errorsCommand) Run(ctx context.Context, c *console) error {
	if e.ImportID == "" {
		return &usageError{textNoImportID}
	}
	url, ok := c.settings.lookup("DATABASE_URL")
	if !ok || url == "" {
		return &usageError{textNoDatabase}
	}
	ctx, cancel := within(ctx, e.Timeout)
	defer cancel()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return stopped(ctx, err, "", e.Timeout)
	}
	config.RuntimeParams["search_path"] = "pg_catalog" // never call anything that somebody put into public
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return stopped(ctx, err, "", e.Timeout)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	// One snapshot, so that the counts match the rows.
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return e.show(ctx, c, tx)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		_, _ = fmt.Fprintln(c.err, textNotInDatabase(e.ImportID))
		return toldError{}
	}
	return stopped(ctx, err, "", e.Timeout)
}

// limit returns the number of errors to show; 0 for all.
func (e *errorsCommand) limit() int64 {
	switch {
	case e.Limit != nil:
		return max(*e.Limit, 0)
	case e.Format == "table":
		return tableLimit
	default:
		return 0
	}
}

// where returns the SQL condition of the filters, and its arguments.
func (e *errorsCommand) where(generation int) (condition string, arguments []any) {
	conditions := []string{"import_id = $1", "generation = $2"}
	arguments = []any{e.ImportID, generation}
	for _, filter := range []struct{ column, value string }{
		{"file", e.File}, {"resource", e.Resource}, {"field", e.Field}, {"rule", e.Rule},
	} {
		if filter.value != "" {
			arguments = append(arguments, filter.value)
			conditions = append(conditions, fmt.Sprintf("%s = $%d", filter.column, len(arguments)))
		}
	}
	return strings.Join(conditions, " AND "), arguments
}

// show writes the counts by rule, then the errors one by one, as they come.
func (e *errorsCommand) show(ctx context.Context, c *console, tx pgx.Tx) error {
	var generation int
	if err := tx.QueryRow(ctx, "SELECT generation FROM etl.imports WHERE import_id = $1", e.ImportID).Scan(&generation); err != nil {
		return err
	}
	condition, arguments := e.where(generation)
	rules, err := countRules(ctx, tx, condition, arguments)
	if err != nil {
		return err
	}
	var all int64
	for _, r := range rules {
		all += r.Errors
	}
	w := e.writer(c, generation)
	if err := w.begin(rules); err != nil {
		return err
	}
	shown, err := eachError(ctx, tx, condition, arguments, e.limit(), w.row)
	if err != nil {
		return err
	}
	return w.end(shown, all)
}

func countRules(ctx context.Context, tx pgx.Tx, condition string, arguments []any) ([]ruleCount, error) {
	rows, err := tx.Query(ctx, `SELECT rule, sum(errors)::bigint, sum(records)::bigint, array_agg(resource ORDER BY resource)
		FROM (SELECT rule, resource, count(*) AS errors, count(DISTINCT line_number) AS records
			FROM etl.errors WHERE `+condition+` GROUP BY rule, resource) AS by_resource
		GROUP BY rule ORDER BY 2 DESC, 1`, arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[ruleCount])
}

// eachError calls visit with each error in the order of the files and lines, up
// to limit (0: all), and returns how many there were.
func eachError(ctx context.Context, tx pgx.Tx, condition string, arguments []any, limit int64, visit func(recordError) error) (n int64, err error) {
	query := `SELECT file, resource, coalesce(line_number, 0), coalesce(field, ''), rule, error_details, processing_step, created_at, resolved_at
		FROM etl.errors WHERE ` + condition + ` ORDER BY resource, line_number, field, rule`
	if limit > 0 {
		query += " LIMIT " + strconv.FormatInt(limit, 10)
	}
	rows, err := tx.Query(ctx, query, arguments...)
	if err != nil {
		return 0, err
	}
	var r recordError
	_, err = pgx.ForEachRow(rows, []any{&r.File, &r.Resource, &r.Line, &r.Field, &r.Rule, &r.Details, &r.Step, &r.At, &r.ResolvedAt}, func() error {
		n++
		return visit(r)
	})
	return n, err
}

// errorWriter writes errors in one format.
type errorWriter interface {
	begin(rules []ruleCount) error
	row(r recordError) error
	end(shown, all int64) error
}

func (e *errorsCommand) writer(c *console, generation int) errorWriter {
	switch e.Format {
	case "csv":
		return &csvErrors{rows: csv.NewWriter(c.out), counts: c.err}
	case "json":
		return &jsonErrors{out: c.out, importID: e.ImportID, generation: generation}
	default:
		return &tableErrors{out: c.out, head: textErrorsOf(e.ImportID, generation)}
	}
}

// tablePage is how many errors a table holds in memory before it is written. The next
// errors go into a new table, with its own column widths.
const tablePage = 1000

// tableErrors writes tables for people.
type tableErrors struct {
	out   io.Writer
	head  string
	rows  table
	pages int
}

func (t *tableErrors) begin(rules []ruleCount) error {
	_, _ = fmt.Fprintln(t.out, t.head)
	writeRules(t.out, rules)
	t.rows = table{columns: textColumnsErrors, right: " n"}
	return nil
}

func writeRules(out io.Writer, rules []ruleCount) {
	if len(rules) == 0 {
		_, _ = fmt.Fprintln(out, textNoErrors)
		return
	}
	title(out, textTitleRules)
	t := table{columns: textColumnsRules, right: " nn"}
	for _, r := range rules {
		t.add(r.Rule, message.Count(r.Errors), message.Count(r.Records), strings.Join(r.Resources, ", "))
	}
	t.write(out)
}

func (t *tableErrors) row(r recordError) error {
	line := textNone
	if r.Line > 0 {
		line = strconv.FormatInt(r.Line, 10)
	}
	if len(t.rows.rows) == tablePage {
		t.page()
	}
	t.rows.add(r.File, line, or(r.Field, textNone), r.Rule, r.Details, string(r.Step))
	return nil
}

// page writes the errors that are in memory.
func (t *tableErrors) page() {
	if t.pages == 0 {
		title(t.out, textTitleErrors)
	} else {
		_, _ = fmt.Fprintln(t.out)
	}
	t.rows.write(t.out)
	t.rows.rows = t.rows.rows[:0]
	t.pages++
}

func (t *tableErrors) end(shown, all int64) error {
	if shown > 0 {
		t.page()
	}
	if shown < all {
		_, _ = fmt.Fprintln(t.out, textMoreErrors(shown, all))
	}
	return nil
}

// csvErrors writes one row per error; the counts go where messages go.
type csvErrors struct {
	rows   *csv.Writer
	counts io.Writer
}

func (w *csvErrors) begin(rules []ruleCount) error {
	writeRules(w.counts, rules)
	return w.rows.Write([]string{"file", "resource", "line_number", "field", "rule", "error_details", "processing_step", "created_at"})
}

func (w *csvErrors) row(r recordError) error {
	line := ""
	if r.Line > 0 {
		line = strconv.FormatInt(r.Line, 10)
	}
	return w.rows.Write([]string{r.File, r.Resource, line, r.Field, r.Rule, r.Details, string(r.Step), r.At.UTC().Format(time.RFC3339)})
}

func (w *csvErrors) end(shown, all int64) error {
	w.rows.Flush()
	if shown < all {
		_, _ = fmt.Fprintln(w.counts, textMoreErrors(shown, all))
	}
	return w.rows.Error()
}

// jsonErrors writes one object with the counts and the errors, one per line.
type jsonErrors struct {
	out        io.Writer
	importID   string
	generation int
	rows       int64
}

func (w *jsonErrors) begin(rules []ruleCount) error {
	if rules == nil {
		rules = []ruleCount{}
	}
	head, err := json.Marshal(struct {
		ImportID   string      `json:"import_id"`
		Generation int         `json:"generation"`
		Rules      []ruleCount `json:"rules"`
	}{w.importID, w.generation, rules})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "%s,\"errors\":[", strings.TrimSuffix(string(head), "}"))
	return err
}

func (w *jsonErrors) row(r recordError) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	separator := ","
	if w.rows == 0 {
		separator = ""
	}
	w.rows++
	_, err = fmt.Fprintf(w.out, "%s\n%s", separator, body)
	return err
}

func (w *jsonErrors) end(_, all int64) error {
	_, err := fmt.Fprintf(w.out, "\n],\"total\":%d}\n", all)
	return err
}
