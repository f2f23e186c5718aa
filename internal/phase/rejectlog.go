package phase

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
)

// rejectLines are errors of one file that belong to one unit of work, whose lines
// of the central log are written together.
type rejectLines struct {
	unit  postgres.Unit // of the lines, not of the work: its ledger row says that they are written
	chunk *int          // nil: what the rules over more than one record found
	first int64
	last  int64
}

// lineTries is how often the claim of lines, or their reading, is tried.
const lineTries = 3

// logRejects writes the lines of the central log for errors that are committed. Of
// all runs of a state one writes them: the one that claims their ledger row, before
// it writes. A run whose answer was lost does not make them come again, therefore,
// and one that dies between the claim and the last line costs lines that etl.errors
// has.
func logRejects(ctx context.Context, c *Common, db *postgres.DB, imp Import, lines rejectLines) error {
	mine := rand.Text()
	var owner string
	if err := again(func() (err error) {
		owner, err = postgres.Once(ctx, db, lines.unit, func(context.Context, pgx.Tx) (string, error) { return mine, nil })
		return err
	}); err != nil || owner != mine {
		return err
	}
	written := 0
	return again(func() error {
		return db.Query(ctx, "errors of "+imp.ImportID, func(ctx context.Context, conn *pgx.Conn) error {
			rows, err := conn.Query(ctx, `SELECT file, line_number, error_details FROM etl.errors
				WHERE import_id = $1 AND generation = $2 AND resource = $3 AND processing_step = $4
					AND chunk IS NOT DISTINCT FROM $5::integer AND ($5::integer IS NULL OR line_number BETWEEN $6 AND $7)
				ORDER BY line_number, ctid OFFSET $8`,
				imp.ImportID, imp.Generation, lines.unit.Resource, message.StepValidation, lines.chunk, lines.first, lines.last, written)
			if err != nil {
				return err
			}
			var file, details string
			var line int64
			_, err = pgx.ForEachRow(rows, []any{&file, &line, &details}, func() error {
				logReject(ctx, c, imp, file, line, details)
				written++
				return nil
			})
			return err
		})
	})
}

// again repeats what PostgreSQL did not answer.
func again(what func() error) (err error) {
	for range lineTries {
		err = what()
		if _, transient := errors.AsType[*fault.Transient](err); !transient {
			return err
		}
	}
	return err
}

// logReject writes the line of the central log for one reason of a reject.
func logReject(ctx context.Context, c *Common, imp Import, file string, line int64, details string) {
	c.Log.ErrorContext(ctx, message.ValidationError, centrallog.ImportID(imp.ImportID), centrallog.File(file),
		centrallog.Line(line), centrallog.Details(details), centrallog.Step(message.StepValidation))
}
