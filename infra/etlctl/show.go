package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/report"
)

// followed follows an import to its end, shows its outcome, and returns toldError
// unless it succeeded. unused, if given, returns the files that the import was meant to
// read and did not.
func (c *console) followed(ctx context.Context, f follower, importID string, limit time.Duration, work string,
	unused func(registry.Import) []string,
) error {
	s, err := f.toEnd(ctx, importID)
	if err != nil {
		return stopped(ctx, err, importID, limit)
	}
	c.say("")
	showFiles(c.out, s)
	c.say("")
	c.say(textResult(importID, s.Import.Status, s.Import.EndedAt.Sub(s.Import.StartedAt).Seconds()))
	showOutcome(c.out, s, work)
	if s.Import.Status != etl.StatusSucceeded {
		return toldError{}
	}
	if unused == nil {
		return nil
	}
	if names := unused(s.Import); len(names) > 0 {
		c.say(textUnusedFiles(importID, names))
		return toldError{}
	}
	return nil
}

// showOutcome writes why an import failed and what to do, and where its report is.
func showOutcome(out io.Writer, s registry.Status, work string) {
	imp := s.Import
	if imp.Status == etl.StatusFailed {
		_, _ = fmt.Fprintln(out, textFailure(imp.Step, imp.Reason, fault.WhatToDo(imp.ImportID, imp.Fault, imp.Advice)))
	}
	for _, f := range s.Files {
		if f.Counts.Rejected+f.Counts.NotEnriched > 0 {
			_, _ = fmt.Fprintln(out, textErrorsHint(imp.ImportID))
			break
		}
	}
	if _, left := s.Replayed(0); left > 0 && imp.Status == etl.StatusSucceeded && !imp.Replay.Active() {
		_, _ = fmt.Fprintln(out, textReplayHint(imp.ImportID))
	}
	location := "s3://" + work + "/" + imp.ImportID + "/report.html"
	switch {
	case imp.Settled():
		_, _ = fmt.Fprintln(out, textReport(location))
	case imp.Status != etl.StatusRunning:
		_, _ = fmt.Fprintln(out, textReportLate(location))
	}
}

// showFiles writes the table of an import's files.
func showFiles(out io.Writer, s registry.Status) {
	t := table{columns: textColumnsFiles, right: " nnnnnnn"}
	var sum registry.Counts
	var work float64
	done, valid := true, textNone
	for _, f := range s.Files {
		name := f.Resource
		if f.Key != "" {
			name = path.Base(f.Key)
		}
		valid := textNone
		if f.Done {
			valid = message.Count(f.Counts.Valid)
		}
		done = done && f.Done
		t.add(append(append([]string{name, message.Count(f.Counts.Read), valid}, counts(f.Counts)...),
			message.Seconds(f.WorkSeconds), or(string(f.Status), textNone))...)
		sum.Read += f.Counts.Read
		sum.Valid += f.Counts.Valid
		sum.Rejected += f.Counts.Rejected
		sum.Enriched += f.Counts.Enriched
		sum.NotEnriched += f.Counts.NotEnriched
		sum.Persisted += f.Counts.Persisted
		work += f.WorkSeconds
	}
	if len(t.rows) == 0 {
		_, _ = fmt.Fprintln(out, report.NoFiles)
		return
	}
	if done {
		valid = message.Count(sum.Valid)
	}
	t.rule()
	t.add(append(append([]string{textTotal, message.Count(sum.Read), valid}, counts(sum)...),
		message.Seconds(work), "")...)
	t.write(out)
	showNotes(out, s)
}

// showNotes writes the remarks about an import's files besides their counts.
func showNotes(out io.Writer, s registry.Status) {
	for _, f := range s.Files {
		for _, note := range f.Notes() {
			_, _ = fmt.Fprintln(out, note)
		}
	}
}

// counts returns the columns of a file that follow its valid records.
func counts(c registry.Counts) []string {
	enriched, not := textNone, textNone
	if c.Enriched+c.NotEnriched > 0 {
		enriched, not = message.Count(c.Enriched), message.Count(c.NotEnriched)
	}
	return []string{message.Count(c.Rejected), enriched, not, message.Count(c.Persisted)}
}

// showStates writes the table of an import's states.
func showStates(out io.Writer, s registry.Status) {
	if len(s.States) == 0 {
		return
	}
	t := table{columns: textColumnsSteps, right: "  nnnn"}
	for _, state := range s.States {
		speed := textNone
		if r := rate(state); r > 0 {
			speed = textRate(r)
		}
		t.add(string(state.State), string(state.Step), textUnitsOf(state.Done, planned(state, s)),
			message.Count(records(state)), speed, message.Seconds(state.Seconds()))
	}
	title(out, textTitleSteps)
	t.write(out)
}

// showSources writes the table of what the sources of enrichment were asked.
func showSources(out io.Writer, s registry.Status) {
	if len(s.Sources) == 0 {
		return
	}
	t := table{columns: textColumnsSources, right: " nnnnnnnnn"}
	for _, source := range s.Sources {
		t.add(source.Source, message.Count(source.Asked), message.Count(source.Answered), message.Count(source.NotFound),
			message.Count(source.NotEnriched()), message.Count(source.Calls), message.Count(source.Waits), message.Seconds(source.WaitSeconds),
			message.Seconds(source.WorkSeconds), message.Count(source.Dropped), or(message.Causes(source.Failed), textNone))
	}
	title(out, textTitleSources)
	t.write(out)
}

// showReplays writes what was asked after publication, and the last replay.
func showReplays(out io.Writer, s registry.Status) {
	if s.Import.Replay.Number == 0 {
		return
	}
	title(out, textTitleReplays)
	resolved, left := s.Replayed(s.Import.Replay.Number)
	_, _ = fmt.Fprintln(out, textReplay(s.Import.Replay, resolved, left))
	if len(s.Replays) == 0 {
		return
	}
	t := table{columns: textColumnsReplays, right: "n nnnnnnnnnn"}
	for _, r := range s.Replays {
		t.add(fmt.Sprint(r.Replay), r.Source, message.Count(r.Asked), message.Count(r.Answered), message.Count(r.NotFound), message.Count(r.NotEnriched()),
			message.Count(r.Skipped), message.Count(r.Resolved), message.Count(r.Calls), message.Count(r.Waits), message.Seconds(r.WaitSeconds),
			message.Seconds(r.WorkSeconds), or(message.Causes(r.Failed), textNone))
	}
	t.write(out)
}

// showAttempts writes the table of an import's attempts.
func showAttempts(out io.Writer, s registry.Status) {
	t := table{columns: textColumnsAttempts, right: "n   n"}
	for _, a := range s.Attempts {
		kind := message.KindName(a.Kind)
		if accepted := a.Acceptances(); accepted != "" {
			kind += ", " + accepted
		}
		trigger := message.TriggerName(a.Trigger)
		if a.By != "" {
			trigger += ", " + a.By
		}
		t.add(fmt.Sprint(a.Number), kind, trigger, instant(a.At),
			fmt.Sprint(a.Generation), or(string(a.FailedStep), textNone), or(a.FailedReason, textNone))
	}
	title(out, textTitleAttempts)
	t.write(out)
}

func title(out io.Writer, text string) { _, _ = fmt.Fprintf(out, "\n%s\n", text) }

func instant(t time.Time) string {
	if t.IsZero() {
		return textNone
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// table is a table of text in columns of equal width.
type table struct {
	columns string // separated by "|"
	right   string // one byte per column: n aligns it right; anything else left
	rows    [][]string
}

// add adds a row. Its cells may hold text from outside, so each is made fit to be shown
// on one line.
func (t *table) add(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = message.Text(cell)
	}
	t.rows = append(t.rows, row)
}

// rule adds a line across the table.
func (t *table) rule() { t.rows = append(t.rows, nil) }

// longestRule bounds the line under a title, because texts may be long.
const longestRule = 48

// write writes the table. It assumes that every character is one column wide.
func (t *table) write(out io.Writer) {
	titles := strings.Split(t.columns, "|")
	widths := make([]int, len(titles))
	for _, row := range append([][]string{titles}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	across := make([]string, len(widths))
	for i, w := range widths {
		across[i] = strings.Repeat("─", min(w, longestRule))
	}
	for _, row := range append([][]string{titles, across}, t.rows...) {
		if row == nil {
			row = across
		}
		var line strings.Builder
		for i, cell := range row {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < len(t.right) && t.right[i] == 'n' {
				cell = gap + cell
			} else {
				cell += gap
			}
			line.WriteString(cell + "  ")
		}
		_, _ = fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
}
