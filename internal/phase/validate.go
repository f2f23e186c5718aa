package phase

import (
	"context"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/staged"
	"etl-dataloader/internal/validation"
)

// Validated counts the records of a chunk by outcome.
type Validated struct {
	Resource string `json:"resource"`
	Chunk    int    `json:"chunk"`
	Read     int64  `json:"read"`
	Valid    int64  `json:"valid"` // so far: rules across records come later
	Rejected int64  `json:"rejected"`
	Errors   int64  `json:"errors"` // a record can have several
}

// Validate applies the rules over one record to every staged record of a chunk,
// decrypting in memory only. It reads the chunk's work object, which is byte for byte
// what Stage committed.
type Validate struct {
	Common
	DB          *postgres.DB
	KMS         protection.KMS
	FieldsKeyID string
	// Budgets limits the rejects of each resource, as in [CrossCheck].
	Budgets map[string]contract.Budget
}

// Run checks the chunk and stores its errors and rejects, once. If the chunks before
// it have more rejects than the file's budget can possibly allow, it fails with
// *[fault.BudgetExceeded] and writes nothing. It succeeds later if the budget was
// raised.
func (p *Validate) Run(ctx context.Context, in StageIn) (Validated, error) {
	started := p.Now()
	r, err := p.resource(in.Chunk.Resource)
	if err != nil {
		return Validated{}, err
	}
	date, err := in.Import.Date()
	if err != nil {
		return Validated{}, err
	}
	checker, err := validation.NewChecker(r, date)
	if err != nil {
		return Validated{}, err
	}
	key, err := openKey(ctx, p.KMS, p.FieldsKeyID, in.Import)
	if err != nil {
		return Validated{}, err
	}
	defer key.Wipe()
	out, err := postgres.Once(ctx, p.DB, in.unit(etl.StateValidate), func(ctx context.Context, tx *postgres.Tx) (Validated, error) {
		if err := p.withinBudget(ctx, tx, in); err != nil {
			return Validated{}, err
		}
		opener := protection.NewOpener(key, in.Import.scope(r.Name))
		rows := staged.NewReader(r, opener.Open)
		defer rows.Wipe()
		return p.check(ctx, tx, in, r, checker, rows)
	})
	if err != nil {
		return Validated{}, err
	}
	if out.Errors > 0 {
		unit := in.unit(etl.StateValidateLog)
		if err := logRejects(ctx, &p.Common, p.DB, unit, func(skip int, visit func(string, int64, string)) error {
			return p.DB.ChunkErrors(ctx, unit, in.Chunk.lines(), skip, visit)
		}); err != nil {
			return Validated{}, err
		}
	}
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: etl.StateValidate, Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: out.Read, Valid: out.Valid, Rejected: out.Rejected, Errors: out.Errors,
	}, started, chunkValidated)
	return out, nil
}

// check streams the chunk through the checker, and streams the errors found into
// etl.errors in the same transaction.
func (p *Validate) check(ctx context.Context, tx *postgres.Tx, in StageIn, r *contract.Resource, checker *validation.Checker, rows *staged.Reader) (Validated, error) {
	out := Validated{Resource: r.Name, Chunk: in.Chunk.Range.Index}
	body, err := openStream(ctx, p.Work, in.Protected.Object, r.StagingStream())
	if err != nil {
		return out, err
	}
	defer func() { _ = body.Close() }()
	content := newHashed(body, in.Protected.Object)
	out.Errors, err = tx.StoreErrors(ctx, in.Chunk.File.File, in.Chunk.lines(), func(errors *postgres.ErrorStream) error {
		c := &checking{checker: checker, rows: rows, errors: errors, out: &out}
		if err := copybinary.Each(content, c.record); err != nil {
			return err
		}
		return content.check()
	})
	return out, err
}

// checking is the check of a chunk's records.
type checking struct {
	checker *validation.Checker
	rows    *staged.Reader
	errors  *postgres.ErrorStream
	out     *Validated
}

// record checks one staged record and counts it.
func (c *checking) record(row [][]byte) error {
	line, err := staged.Line(row)
	if err != nil {
		return err
	}
	c.out.Read++
	found := false
	report := func(v validation.Violation) {
		found = true
		c.errors.Write(&postgres.RecordError{Line: line, Field: v.Field, Rule: v.Rule, Details: v.Details})
	}
	if code, raw := staged.Fault(row); code != nil {
		found = true
		v := c.checker.Malformed(string(code))
		c.errors.Write(&postgres.RecordError{Line: line, Field: v.Field, Rule: v.Rule, Details: v.Details, Raw: raw})
	} else {
		values, err := c.rows.Values(row, line)
		if err != nil {
			return err
		}
		c.checker.Check(values, report)
	}
	if found {
		c.out.Rejected++
	} else {
		c.out.Valid++
	}
	return c.errors.Err()
}
