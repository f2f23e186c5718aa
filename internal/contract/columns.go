package contract

// Column is a column of a table.
type Column struct {
	Name    string
	SQLType string // PostgreSQL's full name: "text", "bytea", "bigint", "timestamp with time zone"…
}

// stagingHead returns the columns before the fields in a staging table. No field
// may have one of these names.
func stagingHead() []Column {
	return []Column{
		{"import_id", "text"},
		{"generation", "integer"},
		{"file_date", "date"},
		{"file_type", "text"},
		{"file", "text"},
		{"chunk", "integer"},
		{"line_number", "bigint"},
		{"fault", "text"},
		{"raw", "bytea"},
		{"mistyped", "text"},
	}
}

// targetTail returns the columns behind the fields in a target table. No field
// may have one of these names.
func targetTail() []Column {
	return []Column{{"import_id", "text"}, {"generation", "integer"}, {"file_date", "date"}, {"line_number", "bigint"}}
}

// KeySuffix is the end of the name of the bigint column beside a staged key.
const KeySuffix = "_key"

// TokenSuffix is the end of the name of the column with a field's token.
const TokenSuffix = "_token"

// SQLType returns the PostgreSQL type of the type's public values in a target.
func (t Type) SQLType() string {
	switch t {
	case TypeInteger:
		return "bigint"
	case TypeNumber:
		return "numeric"
	case TypeBoolean:
		return "boolean"
	case TypeDate:
		return "date"
	case TypeDateTime:
		return "timestamp with time zone"
	default:
		return "text"
	}
}

// StagingColumns returns the columns of the resource's staging table, in the
// order of the COPY stream: where the record comes from, its fault if it is
// malformed, then for each field the lexical text (or its ciphertext), and
// beside it the key of a staged key or the token of a joinable field.
func (r *Resource) StagingColumns() []Column {
	columns := stagingHead()
	for _, f := range r.Fields {
		if f.Sensitive() {
			columns = append(columns, protectedColumns(f, f.Name)...)
			continue
		}
		columns = append(columns, Column{f.Name, "text"})
		if r.stagedKey(f) {
			columns = append(columns, Column{f.Name + KeySuffix, "bigint"})
		}
	}
	return columns
}

// TargetColumns returns the columns of the resource's target table, in the
// order of the COPY stream: for each field its typed value, or its ciphertext
// and token, then where the record comes from.
func (r *Resource) TargetColumns() []Column {
	var columns []Column
	for _, f := range r.Fields {
		if f.Sensitive() {
			columns = append(columns, protectedColumns(f, f.Target)...)
			continue
		}
		columns = append(columns, Column{f.Target, f.Type.SQLType()})
	}
	return append(columns, targetTail()...)
}

// KeyColumns returns the names of the target table's primary key columns.
func (r *Resource) KeyColumns() []string {
	names := make([]string, 0, len(r.Key))
	for _, f := range r.KeyFields() {
		if f.Sensitivity == Token {
			names = append(names, f.Target+TokenSuffix)
		} else {
			names = append(names, f.Target)
		}
	}
	return names
}

func protectedColumns(f *Field, name string) []Column {
	if f.Sensitivity == Token {
		return []Column{{name, "bytea"}, {name + TokenSuffix, "bytea"}}
	}
	return []Column{{name, "bytea"}}
}

func (r *Resource) stagedKey(f *Field) bool {
	for _, k := range r.staged {
		if k == f {
			return true
		}
	}
	return false
}
