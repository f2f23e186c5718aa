package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/registry"
)

// plantedFile is the sample generator's own list of what it planted; a second
// witness beside the oracle.
const plantedFile = "planted.json"

// witnessTable holds what a witness says: (witness, resource, line, field, rule).
const witnessTable = "proof_witness"

// comparison is one line of the table that a proof prints: two sets that must be
// the same.
type comparison struct {
	what           string
	count          int64 // of the first set
	missing, extra int64
	examples       []string
}

// compare holds an import against the oracle and prints a table; it fails with
// [errDiffers] if anything differs.
func compare(ctx context.Context, c *cloud, d *database, imp registry.Import, v judgement, folder string) error {
	testimony, err := d.testify(ctx, imp, v, filepath.Join(folder, plantedFile))
	if err != nil {
		return err
	}
	logged, err := d.readLog(ctx, c)
	if err != nil {
		return err
	}
	var lines []comparison
	for _, each := range comparisons(testimony) {
		line, err := d.difference(ctx, imp, each)
		if err != nil {
			return fmt.Errorf("%s: %w", each.what, err)
		}
		lines = append(lines, line)
	}
	counts, err := d.compareFiles(ctx, imp, v)
	if err != nil {
		return err
	}
	counted, err := d.countLines(ctx, imp, folder, counts)
	if err != nil {
		return err
	}
	return errors.Join(printComparisons(counts, lines, logged), printLines(counted))
}

// testify loads what the oracle says, and the generator's list, if there is one.
func (d *database) testify(ctx context.Context, imp registry.Import, v judgement, planted string) (listed bool, err error) {
	if _, err := d.conn.Exec(ctx, `CREATE TEMP TABLE `+witnessTable+` (witness text, resource text, line_number bigint, field text, rule text);
		CREATE TEMP TABLE proof_log (import_id text, file text, line_number bigint, error_details text)`); err != nil {
		return false, err
	}
	var rows [][]any
	resources := map[string]string{}
	for resource, file := range v.Files {
		resources[file.File] = resource
		for _, reject := range file.Rejects {
			for _, e := range reject.Errors {
				rows = append(rows, []any{"oracle", resource, reject.Line, e[0], e[1]})
			}
		}
	}
	text, err := os.ReadFile(planted) //nolint:gosec // a file that the sample generator made
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if listed = err == nil; listed {
		var list []struct {
			File, Field, Rule string
			Line              int64
		}
		if err := json.Unmarshal(text, &list); err != nil {
			return false, fmt.Errorf("%s: %w", planted, err)
		}
		for _, p := range list {
			rows = append(rows, []any{"planted", resources[p.File], p.Line, p.Field, p.Rule})
		}
	}
	if _, err := d.conn.CopyFrom(ctx, pgx.Identifier{witnessTable}, []string{"witness", "resource", "line_number", "field", "rule"}, pgx.CopyFromRows(rows)); err != nil {
		return false, fmt.Errorf("what the oracle says of %s: %w", imp.ImportID, err)
	}
	return listed, nil
}

// pair is two queries that must yield the same rows; $1 is the import and $2 its
// generation.
type pair struct{ what, want, got string }

// comparisons lists what must be the same. An error of a composite key names its
// fields with spaces between them, the witnesses without. The generator lists
// every record that it spoiled, but not each rule that a spoiled record breaks
// besides; the oracle does.
func comparisons(planted bool) []pair {
	const (
		of      = ` WHERE import_id = $1 AND generation = $2`
		product = `SELECT DISTINCT resource, line_number, coalesce(replace(field, ', ', ','), ''), rule FROM etl.errors` + of + ` AND rule <> 'enrichment'`
		rejects = `SELECT resource, line_number FROM etl.rejects` + of
		// The parameters are used, so that all queries have the same ones.
		by      = ` FROM ` + witnessTable + ` WHERE $1::text IS NOT NULL AND $2::int IS NOT NULL AND witness = `
		errors  = `SELECT DISTINCT resource, line_number, field, rule` + by
		records = `SELECT DISTINCT resource, line_number` + by
	)
	pairs := []pair{
		{"errors (resource, line, field, rule) of the oracle, in etl.errors", errors + `'oracle'`, product},
		{"records of the oracle, in etl.rejects", records + `'oracle'`, rejects},
		{
			"errors of etl.errors, with file, text and step", `SELECT resource, line_number, rule FROM etl.errors` + of + ` AND rule <> 'enrichment'`,
			`SELECT e.resource, e.line_number, e.rule FROM etl.errors e JOIN etl.files f USING (import_id, generation, resource, file)
			WHERE import_id = $1 AND generation = $2 AND rule <> 'enrichment' AND error_details <> '' AND processing_step = 'Validation des données'`,
		},
		{
			"errors (file, line, text) of etl.errors, in the central log", `SELECT DISTINCT file, line_number, error_details FROM etl.errors` + of + ` AND rule <> 'enrichment'`,
			`SELECT DISTINCT file, line_number, error_details FROM proof_log WHERE import_id = $1 AND $2::int IS NOT NULL`,
		},
	}
	if planted {
		pairs = append(pairs,
			pair{"planted records, in etl.rejects", records + `'planted'`, rejects},
			pair{"planted errors, in etl.errors", errors + `'planted'`, `(` + errors + `'planted') INTERSECT (` + product + `)`})
	}
	return pairs
}

// difference compares the rows of two queries in the database.
func (d *database) difference(ctx context.Context, imp registry.Import, p pair) (comparison, error) {
	line := comparison{what: p.what}
	if err := d.conn.QueryRow(ctx, `SELECT count(*) FROM (`+p.want+`) w`, imp.ImportID, imp.Generation).Scan(&line.count); err != nil {
		return line, err
	}
	for _, side := range []struct {
		name, left, right string
		count             *int64
	}{{"missing", p.want, p.got, &line.missing}, {"extra", p.got, p.want, &line.extra}} {
		var examples []string
		err := d.conn.QueryRow(ctx, `WITH differs AS ((`+side.left+`) EXCEPT ALL (`+side.right+`))
			SELECT count(*), coalesce((SELECT array_agg(t::text) FROM (SELECT d AS t FROM differs d ORDER BY d LIMIT 5) e), '{}') FROM differs`,
			imp.ImportID, imp.Generation).Scan(side.count, &examples)
		if err != nil {
			return line, err
		}
		for _, example := range examples {
			line.examples = append(line.examples, side.name+" "+example)
		}
	}
	return line, nil
}

// fileCounts is what etl.files and the oracle say of a file.
type fileCounts struct {
	resource, file        string
	read, valid, rejected int64
	same                  bool
}

// compareFiles holds etl.files against the oracle.
func (d *database) compareFiles(ctx context.Context, imp registry.Import, v judgement) ([]fileCounts, error) {
	rows, err := d.conn.Query(ctx, `SELECT resource, file, records, valid, rejected FROM etl.files
		WHERE import_id = $1 AND generation = $2 ORDER BY records DESC`, imp.ImportID, imp.Generation)
	if err != nil {
		return nil, err
	}
	files, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f fileCounts, err error) {
		err = row.Scan(&f.resource, &f.file, &f.read, &f.valid, &f.rejected)
		want := v.Files[f.resource]
		f.same = f.file == want.File && f.read == want.Read && f.valid == want.Valid && f.rejected == want.Rejected && f.read == f.valid+f.rejected
		return f, err
	})
	if err == nil && len(files) != len(v.Files) {
		err = fmt.Errorf("%d files in etl.files, the oracle knows %d", len(files), len(v.Files))
	}
	return files, err
}

// printComparisons prints what was compared; it fails if anything differs.
func printComparisons(files []fileCounts, lines []comparison, logged logCounts) error {
	differs := false
	w := table()
	row(w, "file", "read", "valid", "rejected", "the oracle")
	for _, f := range files {
		verdict := "the same"
		if !f.same {
			verdict, differs = "DIFFERS", true
		}
		row(w, f.file, f.read, f.valid, f.rejected, verdict)
	}
	_ = w.Flush()
	fmt.Println()
	w = table()
	row(w, "compared", "count", "missing", "extra")
	var examples []string
	for _, line := range lines {
		row(w, line.what, line.count, line.missing, line.extra)
		differs = differs || line.missing > 0 || line.extra > 0
		examples = append(examples, line.examples...)
	}
	_ = w.Flush()
	fmt.Printf("Central log: %s lines in %s streams, %s of them rejects\n", grouped(logged.lines), grouped(logged.streams), grouped(logged.rejects))
	if differs {
		return fmt.Errorf("%w: %s", errDiffers, strings.Join(examples, "; "))
	}
	return nil
}
