package phase

import (
	"context"
	"crypto/rand"
	"errors"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
)

// lineTries is how often claiming lines, or reading them, is tried.
const lineTries = 3

// logRejects writes the lines of the central log for committed errors, in the order
// in which each visits them; each leaves out the first skip errors. Of all runs of a
// state only one writes the lines: the one that first claims their ledger row, unit. So
// lines are not repeated when the answer of a run was lost. If a run dies between the
// claim and the last line, the lines that are missing are still in etl.errors.
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

// again calls what, up to [lineTries] times, while PostgreSQL does not answer.
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
	c.Log.ErrorContext(ctx, ValidationError, centrallog.ImportID(importID), centrallog.File(file),
		centrallog.Line(line), centrallog.Details(details), centrallog.Step(etl.StepValidation))
}
