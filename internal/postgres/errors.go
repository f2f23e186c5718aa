package postgres

import (
	"context"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
)

// Lines are the lines of a chunk, first to last. A condition on both bounds is an
// index range under every plan. One that also asked whether there is a next chunk
// would not be an index range in a generic plan.
type Lines struct{ First, Last int64 }

// RecordError is one of the reasons why a record is rejected.
type RecordError struct {
	Line                 int64
	Field, Rule, Details string // no field: the whole record
	Raw                  []byte // the sealed text of a malformed record
}

// errorColumns of etl.errors, in the order of [ErrorStream].
var errorColumns = []string{ //nolint:gochecknoglobals // a constant list
	"import_id", "generation", "file", "resource", "chunk", "line_number", "field", "rule", "error_details", "processing_step", "raw",
}

// ErrorStream writes the errors of a chunk as rows of etl.errors.
type ErrorStream struct {
	rows  *copybinary.Writer
	chunk Unit
	file  string
}

// NewErrorStream writes the errors of a chunk of a file to w.
func NewErrorStream(w io.Writer, chunk Unit, file string) *ErrorStream {
	return &ErrorStream{rows: copybinary.NewWriter(w), chunk: chunk, file: file}
}

// Write adds an error.
func (s *ErrorStream) Write(e *RecordError) {
	s.rows.Row(len(errorColumns))
	s.rows.String(s.chunk.ImportID)
	s.rows.Int4(int32(s.chunk.Generation)) //nolint:gosec // restarts are counted by hand
	s.rows.String(s.file)
	s.rows.String(s.chunk.Resource)
	s.rows.Int4(int32(s.chunk.Chunk)) //nolint:gosec // a manifest has far fewer chunks
	s.rows.Int8(e.Line)
	if e.Field == "" {
		s.rows.Null()
	} else {
		s.rows.String(e.Field)
	}
	s.rows.String(e.Rule)
	s.rows.String(e.Details)
	s.rows.String(string(etl.StepValidation))
	if e.Raw == nil {
		s.rows.Null()
	} else {
		s.rows.Bytea(e.Raw)
	}
}

// Err is the error that ended the stream, if there is one.
func (s *ErrorStream) Err() error { return s.rows.Err() }

// StoreErrors stores the errors of the unit's chunk as check writes them, rejects
// their records, and returns how many errors there are. file is the name of the
// chunk's file. An error of check is returned unchanged.
func (t *Tx) StoreErrors(ctx context.Context, file string, lines Lines, check func(*ErrorStream) error) (int64, error) {
	reader, writer := io.Pipe()
	checked := make(chan error, 1)
	go func() {
		stream := NewErrorStream(writer, t.unit, file)
		err := check(stream)
		if err == nil {
			err = stream.rows.Close()
		}
		_ = writer.CloseWithError(err)
		checked <- err
	}()
	rows, err := copyFrom(ctx, t.tx, "etl.errors", errorColumns, reader)
	_ = reader.CloseWithError(io.ErrClosedPipe)
	if checkErr := <-checked; checkErr != nil && !errors.Is(checkErr, io.ErrClosedPipe) {
		return 0, checkErr
	}
	if err != nil {
		return 0, err
	}
	return rows, t.rejectErrors(ctx, lines)
}

// rejectErrors rejects the records of the unit's chunk that have errors. It reads
// only the errors of the chunk's lines: reading those of the whole file for each
// chunk would be quadratic.
func (t *Tx) rejectErrors(ctx context.Context, lines Lines) error {
	_, err := t.tx.Exec(ctx, `INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT DISTINCT import_id, generation, resource, line_number FROM etl.errors
		WHERE import_id = $1 AND generation = $2 AND resource = $3 AND chunk = $4 AND line_number BETWEEN $5 AND $6`,
		t.unit.ImportID, t.unit.Generation, t.unit.Resource, t.unit.Chunk, lines.First, lines.Last)
	return err
}

// Rejects returns the rejected lines of a chunk, ascending.
func (db *DB) Rejects(ctx context.Context, chunk Unit, within Lines) (lines []int64, err error) {
	err = db.Query(ctx, "rejects of "+chunk.ImportID, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT line_number FROM etl.rejects WHERE import_id = $1 AND generation = $2 AND resource = $3
			AND line_number BETWEEN $4 AND $5 ORDER BY line_number`,
			chunk.ImportID, chunk.Generation, chunk.Resource, within.First, within.Last)
		if err != nil {
			return err
		}
		lines, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	return lines, err
}

// ChunkErrors calls visit for the errors that the rules over one record found in a
// chunk, in line order, leaving out the first skip errors.
func (db *DB) ChunkErrors(ctx context.Context, chunk Unit, lines Lines, skip int, visit func(file string, line int64, details string)) error {
	return db.eachError(ctx, chunk, &chunk.Chunk, lines, skip, visit)
}

// CrossErrors calls visit for the errors that the rules over more than one record
// found in a resource, in line order, leaving out the first skip errors.
func (db *DB) CrossErrors(ctx context.Context, resource Unit, skip int, visit func(file string, line int64, details string)) error {
	return db.eachError(ctx, resource, nil, Lines{}, skip, visit)
}

func (db *DB) eachError(ctx context.Context, unit Unit, chunk *int, lines Lines, skip int, visit func(file string, line int64, details string)) error {
	return db.Query(ctx, "errors of "+unit.ImportID, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT file, line_number, error_details FROM etl.errors
				WHERE import_id = $1 AND generation = $2 AND resource = $3 AND processing_step = $4
					AND chunk IS NOT DISTINCT FROM $5::integer AND ($5::integer IS NULL OR line_number BETWEEN $6 AND $7)
				ORDER BY line_number, ctid OFFSET $8`,
			unit.ImportID, unit.Generation, unit.Resource, etl.StepValidation, chunk, lines.First, lines.Last, skip)
		if err != nil {
			return err
		}
		var file, details string
		var line int64
		_, err = pgx.ForEachRow(rows, []any{&file, &line, &details}, func() error {
			visit(file, line, details)
			return nil
		})
		return err
	})
}

// AnalyzeRejects updates the planner's statistics on rejects.
func (db *DB) AnalyzeRejects(ctx context.Context, importID string) error {
	return db.Query(ctx, "rejects of "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, analyzeRejects)
		return err
	})
}

// AnalyzeRejects does the same within a transaction that changed their number.
func (t *Tx) AnalyzeRejects(ctx context.Context) error {
	_, err := t.tx.Exec(ctx, analyzeRejects)
	return err
}

const analyzeRejects = `SELECT etl.analyze_rejects()`
