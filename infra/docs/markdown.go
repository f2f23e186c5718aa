package main

import (
	"fmt"
	"strings"
)

// table writes a Markdown table.
type table struct {
	out     *strings.Builder
	columns int
}

// newTable begins a table with its header.
func newTable(out *strings.Builder, header ...string) *table {
	t := &table{out: out, columns: len(header)}
	t.line(header)
	rule := make([]string, len(header))
	for i := range rule {
		rule[i] = "---"
	}
	t.line(rule)
	return t
}

// row adds a row; missing cells are empty.
func (t *table) row(cells ...string) {
	t.line(append(cells, make([]string, t.columns-len(cells))...))
}

func (t *table) line(cells []string) {
	t.out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// code shows text as code; a bar would end the cell of a table.
func code(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }

// codes shows a list of texts as code.
func codes(texts []string) string {
	shown := make([]string, len(texts))
	for i, text := range texts {
		shown[i] = code(text)
	}
	return strings.Join(shown, ", ")
}

// cell makes prose fit for a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// line writes a formatted line.
func line(out *strings.Builder, format string, args ...any) {
	fmt.Fprintf(out, format+"\n", args...)
}
