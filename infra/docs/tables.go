package main

import (
	"slices"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/event"
)

// tablesPart draws the target tables and the events, with the relations that
// validation guarantees.
func tablesPart(s *source) string {
	var out strings.Builder
	line(&out, "```mermaid\nerDiagram")
	for _, r := range s.contract.Resources {
		for _, relation := range r.Relations {
			parent := "||"
			if slices.ContainsFunc(relation.Fields, func(name string) bool { return !r.Field(name).Required }) {
				parent = "|o"
			}
			line(&out, "    %s %s--o{ %s : \"%s\"", relation.Resource, parent, r.Name, strings.Join(relation.Fields, ", "))
		}
	}
	for _, r := range s.contract.Resources {
		line(&out, "    %s {", r.Name)
		keys := r.KeyColumns()
		references := referenceColumns(r)
		for _, c := range r.TargetColumns() {
			line(&out, "        %s %s%s", shortType(c.SQLType), c.Name, marks(c.Name, keys, references))
		}
		line(&out, "    }")
	}
	line(&out, "    events {")
	for _, c := range event.Columns() {
		line(&out, "        %s %s%s", shortType(c.SQLType), c.Name, marks(c.Name, []string{"import_id", "event_id"}, nil))
	}
	line(&out, "    }\n```")
	return out.String()
}

// referenceColumns are the target columns that hold a parent's key.
func referenceColumns(r *contract.Resource) []string {
	var columns []string
	for _, relation := range r.Relations {
		for _, name := range relation.Fields {
			f := r.Field(name)
			column := f.Target
			if f.Sensitivity == contract.Token {
				column += contract.TokenSuffix
			}
			columns = append(columns, column)
		}
	}
	return columns
}

func marks(column string, keys, references []string) string {
	var found []string
	if slices.Contains(keys, column) {
		found = append(found, "PK")
	}
	if slices.Contains(references, column) {
		found = append(found, "FK")
	}
	if len(found) == 0 {
		return ""
	}
	return " " + strings.Join(found, ", ")
}

// shortType is a type as one word, as the diagram needs it.
func shortType(sqlType string) string {
	if sqlType == "timestamp with time zone" {
		return "timestamptz"
	}
	return sqlType
}
