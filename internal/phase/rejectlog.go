package phase

import (
	"context"
	"crypto/rand"
	"errors"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
)

// lineTries is how often the claim of lines, or their reading, is tried.
const lineTries = 3

// logRejects writes the lines of the central log for errors that are committed, in
// the order in which each visits them, which leaves out the first skip. Of all runs
// of a state one writes them: the one that claims their ledger row, unit, before it
// writes. A run whose answer was lost does not make them come again, therefore, and
// one that dies between the claim and the last line costs lines that etl.errors has.
func logRejects(ctx context.Context, c *Common, db *postgres.DB, unit postgres.Unit, each func(skip int, visit func(file string, line int64, details string)) error) error {
	mine := rand.Text()
	var owner string
	if err := again(func() (err error) {
		owner, err = postgres.Once(ctx, db, unit, func(context.Context, *postgres.Tx) (string, error) { return mine, nil })
		return err
	}); err != nil || owner != mine {
		return err
	}
	written := 0
	return again(func() error {
		return each(written, func(file string, line int64, details string) {
			c.logReject(ctx, unit.ImportID, file, line, details)
			written++
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
func (c *Common) logReject(ctx context.Context, importID, file string, line int64, details string) {
	c.Log.ErrorContext(ctx, message.ValidationError, centrallog.ImportID(importID), centrallog.File(file),
		centrallog.Line(line), centrallog.Details(details), centrallog.Step(etl.StepValidation))
}
