package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

func plural(n int, what string) string { return fmt.Sprintf("%d %s", n, what) }

// table writes the matrix in Markdown, a table a mode: each field is how the cell
// ended, "yes 0/0" being recovered with no duplicate and no loss.
func table(w io.Writer, results []result) error {
	found := map[string]result{}
	good, seconds := 0, 0.0
	for _, r := range results {
		found[r.cell.String()] = r
		seconds += r.seconds
		if r.good() {
			good++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d cells, %d recovered without a duplicate, a loss or an orphan, %.0f s.\n", len(results), good, seconds)
	for _, mode := range modes() {
		fmt.Fprintf(&b, "\nMode `%s`:\n\n| step |", mode)
		for _, f := range faults() {
			fmt.Fprintf(&b, " %s |", f.title)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(faults())) + "\n")
		for _, s := range steps() {
			fmt.Fprintf(&b, "| %s |", s.name)
			for _, f := range faults() {
				fmt.Fprintf(&b, " %s |", field(cell{s, f, mode}, found))
			}
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// field is how one cell is shown.
func field(c cell, found map[string]result) string {
	if doesNotApply(c.step, c.fault) != "" {
		return "–"
	}
	r, ran := found[c.String()]
	switch {
	case !ran:
		return ""
	case r.good():
		return "yes 0/0"
	case r.recovered:
		return fmt.Sprintf("**yes %d/%d**", r.duplicates, r.losses)
	default:
		return "**no**"
	}
}

// The marks in a document between which the tables of the last full run stand.
const (
	tableBegins   = "<!-- the table: make chaos PUBLISH=1 -->\n"
	hostileBegins = "<!-- the hostilities: make hostile PUBLISH=1 -->\n"
	tableEnds     = "<!-- end of the table -->\n"
)

// replaceTable puts a table between the mark begins of a document and the end
// behind it.
func replaceTable(document, begins, made string) (string, error) {
	before, rest, begun := strings.Cut(document, begins)
	_, after, ended := strings.Cut(rest, tableEnds)
	if !begun || !ended {
		return "", errors.New("the marks of the table are missing")
	}
	return before + begins + "\n" + made + "\n" + tableEnds + after, nil
}

// hostileTable writes the hostilities in Markdown, with how each ended in each mode.
func hostileTable(results []result) string {
	ended := map[string]string{}
	for _, r := range results {
		ended[r.cell.step.name+"/"+r.cell.mode] = "**no**"
		if r.good() {
			ended[r.cell.step.name+"/"+r.cell.mode] = fmt.Sprintf("yes, %.0f s", r.seconds)
		}
	}
	var b strings.Builder
	b.WriteString("| hostility | what happens | initial | daily |\n|---|---|---|---|\n")
	for _, h := range hostilities() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", h.name, h.text, ended[h.name+"/initial"], ended[h.name+"/daily"])
	}
	return b.String()
}

// exceptions lists the cells that do not apply, with the reasons.
func exceptions(w io.Writer) error {
	reasons, order := map[string][]string{}, []string(nil)
	for _, f := range faults() {
		for _, s := range steps() {
			if why := doesNotApply(s, f); why != "" {
				line := f.name + ": " + why
				if reasons[line] == nil {
					order = append(order, line)
				}
				reasons[line] = append(reasons[line], s.name)
			}
		}
	}
	if _, err := fmt.Fprint(w, "\nA dash is a cell that does not apply:\n\n"); err != nil {
		return err
	}
	for _, line := range order {
		if _, err := fmt.Fprintf(w, "- %s (%s)\n", line, strings.Join(reasons[line], ", ")); err != nil {
			return err
		}
	}
	return nil
}
