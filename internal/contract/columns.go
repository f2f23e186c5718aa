package contract

// Column is a column of a table.
type Column struct {
	Name    string
	SQLType string // PostgreSQL's full name: "text", "bytea", "bigint", "timestamp with time zone"…
	// Constant is set if all rows of an import's detached table have the same value:
	// it is that table's default, and no COPY stream contains it.
	Constant bool
}

// Streamed returns the columns of a COPY stream for a table, in order: those that
// are not constant.
func Streamed(columns []Column) []Column {
	streamed := make([]Column, 0, len(columns))
	for _, c := range columns {
		if !c.Constant {
			streamed = append(streamed, c)
		}
	}
	return streamed
}

// stagingHead returns the columns before the fields in a staging table. No field
// may have one of these names.
func stagingHead() []Column {
	return []Column{
		{Name: "import_id", SQLType: "text", Constant: true},
		{Name: "generation", SQLType: "integer", Constant: true},
		{Name: "file_date", SQLType: "date", Constant: true},
		{Name: "file_type", SQLType: "text", Constant: true},
		{Name: "file", SQLType: "text", Constant: true},
		{Name: "chunk", SQLType: "integer"},
		{Name: "line_number", SQLType: "bigint"},
		{Name: "fault", SQLType: "text"},
		{Name: "raw", SQLType: "bytea"},
		{Name: "mistyped", SQLType: "text"},
	}
}

// targetTail returns the columns after the fields in a target table. No field
// may have one of these names.
func targetTail() []Column {
	return []Column{
		{Name: "import_id", SQLType: "text", Constant: true},
		{Name: "generation", SQLType: "integer", Constant: true},
		{Name: "file_date", SQLType: "date", Constant: true},
		{Name: "line_number", SQLType: "bigint"},
	}
}

// KeySuffix ends the name of the bigint column beside a staged key.
const KeySuffix = "_key"

// TokenSuffix ends the name of the column with a field's token.
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

// StagingColumns returns the columns of the resource's staging table, in order: the
// origin of the record, its fault if it is malformed, then for each field the
// lexical text (or its ciphertext), followed by the key of a staged key or the token
// of a joinable field.
func (r *Resource) StagingColumns() []Column {
	columns := stagingHead()
	for _, f := range r.Fields {
		if f.Sensitive() {
			columns = append(columns, protectedColumns(f, f.Name)...)
			continue
		}
		columns = append(columns, Column{Name: f.Name, SQLType: "text"})
		if r.stagedKey(f) {
			columns = append(columns, Column{Name: f.Name + KeySuffix, SQLType: "bigint"})
		}
	}
	return columns
}

// StagingStream returns the columns of a COPY stream for the staging table.
func (r *Resource) StagingStream() []Column { return Streamed(r.StagingColumns()) }

// TargetStream returns the columns of a COPY stream for the target table.
func (r *Resource) TargetStream() []Column { return Streamed(r.TargetColumns()) }

// TargetColumns returns the columns of the resource's target table, in order: for
// each field its typed value, or its ciphertext and token, then the origin of the
// record.
func (r *Resource) TargetColumns() []Column {
	var columns []Column
	for _, f := range r.Fields {
		if f.Sensitive() {
			columns = append(columns, protectedColumns(f, f.Target)...)
			continue
		}
		columns = append(columns, Column{Name: f.Target, SQLType: f.Type.SQLType()})
	}
	return append(columns, targetTail()...)
}

// KeyColumns returns the names of the target table's primary key columns.
func (r *Resource) KeyColumns() []string { return r.TargetKey(r.Key) }

// TargetKey returns the columns of the target table by which fields are compared:
// the token of a sensitive field, otherwise the value.
func (r *Resource) TargetKey(fields []string) []string {
	columns := make([]string, len(fields))
	for i, name := range fields {
		f := r.Field(name)
		columns[i] = f.Target
		if f.Sensitivity == Token {
			columns[i] += TokenSuffix
		}
	}
	return columns
}

// StagingKey returns the columns of the staging table by which fields are compared:
// the token of a sensitive field, the bigint of an integer, otherwise the text.
func (r *Resource) StagingKey(fields []string) []string {
	columns := make([]string, len(fields))
	for i, name := range fields {
		f := r.Field(name)
		columns[i] = name
		switch {
		case f.Sensitivity == Token:
			columns[i] += TokenSuffix
		case r.stagedKey(f):
			columns[i] += KeySuffix
		}
	}
	return columns
}

func protectedColumns(f *Field, name string) []Column {
	columns := []Column{{Name: name, SQLType: "bytea"}}
	if f.Sensitivity == Token {
		columns = append(columns, Column{Name: name + TokenSuffix, SQLType: "bytea"})
	}
	return columns
}

func (r *Resource) stagedKey(f *Field) bool {
	for _, k := range r.staged {
		if k == f {
			return true
		}
	}
	return false
}
