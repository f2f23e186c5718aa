package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/registry"
)

// linesFile is what whoever made the files says of their lines.
const linesFile = "lines.json"

// lineCount is what the physical lines of a file are for.
type lineCount struct {
	Lines     int64 `json:"lines,omitempty"`
	Header    int64 `json:"header"`
	Records   int64 `json:"records"`
	Continued int64 `json:"continued"` // lines of records of several lines, but their first
	Blank     int64 `json:"blank"`
}

// countedLines is what the program that counts lines says of a file.
type countedLines struct {
	file  string
	count lineCount
	fault string // what does not add up; empty: each line is accounted for
}

// linesOf reads what the maker of a folder says of the lines of its files.
func linesOf(folder string) (map[string]lineCount, error) {
	text, err := os.ReadFile(filepath.Join(folder, linesFile)) //nolint:gosec // a file that the sample generator made
	if err != nil {
		return nil, err
	}
	var counts map[string]lineCount
	if err := json.Unmarshal(text, &counts); err != nil {
		return nil, fmt.Errorf("%s: %w", linesFile, err)
	}
	return counts, nil
}

// countLines has the lines of each file accounted for by a program that knows
// nothing of a format but its lines, and gets nothing but the line numbers of the
// records that the import has staged or rejected.
func (d *database) countLines(ctx context.Context, imp registry.Import, folder string, files []fileCounts) ([]countedLines, error) {
	wanted, err := linesOf(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []countedLines
	for _, f := range files {
		reported, err := d.reportedLines(ctx, imp, f.resource)
		if err != nil {
			return nil, fmt.Errorf("line numbers of %s: %w", f.file, err)
		}
		want, known := wanted[f.file]
		counted, err := runLineCount(ctx, filepath.Join(folder, f.file), reported, want, known)
		if err != nil {
			return nil, err
		}
		switch {
		case counted.fault != "":
		case counted.count.Records != f.read:
			counted.fault = fmt.Sprintf("%d records were read", f.read)
		case known && counted.count.part() != want.part():
			counted.fault = fmt.Sprintf("made as %+v", want.part())
		}
		all = append(all, counted)
	}
	return all, nil
}

// part is the count without the sum of its parts.
func (l lineCount) part() lineCount {
	l.Lines = 0
	return l
}

// reportedLines are the numbers of the lines on which the import says that a record
// starts, one a line.
func (d *database) reportedLines(ctx context.Context, imp registry.Import, resource string) ([]byte, error) {
	rows, err := d.conn.Query(ctx, `SELECT line_number FROM `+pgx.Identifier{"staging", resource}.Sanitize()+` WHERE import_id = $1 AND generation = $2
		UNION SELECT line_number FROM etl.rejects WHERE import_id = $1 AND generation = $2 AND resource = $3 ORDER BY 1`, imp.ImportID, imp.Generation, resource)
	if err != nil {
		return nil, err
	}
	var text []byte
	var line int64
	_, err = pgx.ForEachRow(rows, []any{&line}, func() error {
		text = append(strconv.AppendInt(text, line, 10), '\n')
		return nil
	})
	return text, err
}

// runLineCount runs the program on one file.
func runLineCount(ctx context.Context, path string, reported []byte, want lineCount, known bool) (countedLines, error) {
	counted := countedLines{file: filepath.Base(path)}
	if _, err := os.Stat(path); err != nil {
		return counted, err
	}
	arguments := []string{"infra/proof/oracle/linecount.py", path, "-"}
	if known {
		arguments = append(arguments, "--continued", strconv.FormatInt(want.Continued, 10))
	}
	cmd := exec.CommandContext(ctx, "python3", arguments...) //nolint:gosec // our own words
	cmd.Stdin = bytes.NewReader(reported)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 { // a line is not accounted for
		counted.fault = strings.TrimSpace(complaint.String())
		return counted, nil
	}
	if err != nil {
		return counted, fmt.Errorf("lines of %s: %w: %s", counted.file, err, complaint.String())
	}
	return counted, json.Unmarshal(out, &counted.count)
}

// printLines prints what the lines of the files are for; it fails if one is not
// accounted for.
func printLines(all []countedLines) error {
	w := table()
	row(w, "file", "lines", "header", "records", "continued", "blank", "lines = the sum")
	var faults []string
	for _, c := range all {
		verdict := "yes"
		if c.fault != "" {
			verdict = "NO"
			faults = append(faults, c.file+": "+c.fault)
		}
		row(w, c.file, c.count.Lines, c.count.Header, c.count.Records, c.count.Continued, c.count.Blank, verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("%w: lines: %s", errDiffers, strings.Join(faults, "; "))
	}
	return nil
}

// slips are the rules that malformed records break, each of which must be planted
// in each file of lines, but for the size, of which one file is enough.
func slips() []string { return []string{"quote", "fields", "encoding", "nul"} }

// everySlip fails unless slips of every kind are planted in every file.
func everySlip(planted string) error {
	text, err := os.ReadFile(planted) //nolint:gosec // a file that the sample generator made
	if err != nil {
		return err
	}
	var list []struct{ File, Rule, Kind string }
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("%s: %w", planted, err)
	}
	found, count := map[string]map[string]bool{}, 0
	for _, p := range list {
		if found[p.File] == nil {
			found[p.File] = map[string]bool{}
		}
		if p.Kind == "malformed" {
			found[p.File][p.Rule] = true
			count++
		}
	}
	large := false
	for file, rules := range found {
		for _, rule := range slips() {
			if !rules[rule] {
				return fmt.Errorf("no slip of the kind %s is planted in %s", rule, file)
			}
		}
		large = large || rules["size"]
	}
	if len(found) != 10 || !large {
		return fmt.Errorf("slips are planted in %d files, a record that is too large: %t", len(found), large)
	}
	fmt.Printf("Slips of every kind are planted in each of the ten files: %s of them\n", grouped(int64(count)))
	return nil
}
