package phase

import (
	"context"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/registry"
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

// Validate checks the rules over one record on every staged record of a chunk,
// decrypting in memory only. It reads the chunk's work object, which is byte for
// byte what Stage committed.
type Validate struct {
	Common
	DB  *postgres.DB
	KMS protection.KMS
	// Budgets is how many rejects each resource may have, as of [CrossCheck].
	Budgets map[string]contract.Budget
}

// Run checks the chunk and stores its errors and rejects, once. It fails with
// *[fault.BudgetExceeded], and writes nothing, if the chunks before have more
// rejects than the file's budget can bear; with a budget that was raised meanwhile
// it goes on.
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
	key, err := openKey(ctx, p.KMS, in.Import)
	if err != nil {
		return Validated{}, err
	}
	out, err := postgres.Once(ctx, p.DB, in.unit("Validate"), func(ctx context.Context, tx pgx.Tx) (Validated, error) {
		if err := p.withinBudget(ctx, tx, in); err != nil {
			return Validated{}, err
		}
		opener := protection.NewOpener(key, in.Import.scope(r.Name))
		return p.check(ctx, tx, in, r, checker, newStagedRow(r, opener.Open))
	})
	if err != nil {
		return Validated{}, err
	}
	if out.Errors > 0 {
		unit, chunk := in.unit("ValidateLog"), in.Chunk.Range.Index
		lines := rejectLines{unit: unit, chunk: &chunk, first: in.Chunk.Range.FirstLine, last: in.Chunk.lastLine()}
		if err := logRejects(ctx, &p.Common, p.DB, in.Import, lines); err != nil {
			return Validated{}, err
		}
	}
	p.done(ctx, in.Import, in.Chunk.File.File, registry.Progress{
		State: "Validate", Resource: r.Name, Chunk: in.Chunk.Range.Index, Read: out.Read, Valid: out.Valid, Rejected: out.Rejected, Errors: out.Errors,
	}, started, message.ChunkValidated)
	return out, nil
}

// check streams the chunk through the checker; what it finds is streamed into
// etl.errors by the same transaction.
func (p *Validate) check(ctx context.Context, tx pgx.Tx, in StageIn, r *contract.Resource, checker *validation.Checker, row *stagedRow) (Validated, error) {
	out := Validated{Resource: r.Name, Chunk: in.Chunk.Range.Index}
	body, err := openStream(ctx, p.Work, in.Protected.Object, r.StagingStream())
	if err != nil {
		return out, err
	}
	defer func() { _ = body.Close() }()
	content := newHashed(body, in.Protected.Object)
	reader, writer := io.Pipe()
	checked := make(chan error, 1)
	go func() {
		report := &errorStream{in: in, rows: copybinary.NewWriter(writer), out: &out}
		err := eachRow(content, func(fields [][]byte) error { return report.record(checker, row, fields) })
		if err == nil {
			err = errors.Join(report.rows.Close(), content.check())
		}
		_ = writer.CloseWithError(err)
		checked <- err
	}()
	rows, err := postgres.Copy(ctx, tx, "etl.errors", errorColumns, reader)
	_ = reader.CloseWithError(io.ErrClosedPipe)
	if checkErr := <-checked; checkErr != nil && !errors.Is(checkErr, io.ErrClosedPipe) {
		return out, checkErr
	}
	if err != nil {
		return out, err
	}
	out.Errors = rows
	return out, postgres.NewTx(tx).RejectErrors(ctx, in.unit("Validate"), in.Chunk.Range.FirstLine, in.Chunk.lastLine())
}

// errorColumns of etl.errors, in COPY order.
var errorColumns = []string{ //nolint:gochecknoglobals // a constant list
	"import_id", "generation", "file", "resource", "chunk", "line_number", "field", "rule", "error_details", "processing_step", "raw",
}

// errorStream writes the violations of records as rows of etl.errors.
type errorStream struct {
	in   StageIn
	rows *copybinary.Writer
	out  *Validated
}

// record checks one staged record.
func (e *errorStream) record(checker *validation.Checker, row *stagedRow, fields [][]byte) error {
	line, err := row.lineNumber(fields)
	if err != nil {
		return err
	}
	e.out.Read++
	found := false
	report := func(v validation.Violation) {
		found = true
		e.write(line, v, nil)
	}
	if code := fields[row.fault]; code != nil {
		found = true
		e.write(line, checker.Malformed(string(code)), fields[row.raw])
	} else {
		values, err := row.decode(fields, line)
		if err != nil {
			return err
		}
		checker.Check(values, report)
	}
	if found {
		e.out.Rejected++
	} else {
		e.out.Valid++
	}
	return e.rows.Err()
}

func (e *errorStream) write(line int64, v validation.Violation, raw []byte) {
	chunk, imp := e.in.Chunk, e.in.Import
	e.rows.Row(len(errorColumns))
	e.rows.String(imp.ImportID)
	e.rows.Int4(int32(imp.Generation)) //nolint:gosec // restarts are counted by hand
	e.rows.String(chunk.File.File)
	e.rows.String(chunk.Resource)
	e.rows.Int4(int32(chunk.Range.Index)) //nolint:gosec // a manifest has far fewer chunks
	e.rows.Int8(line)
	if v.Field == "" {
		e.rows.Null()
	} else {
		e.rows.String(v.Field)
	}
	e.rows.String(v.Rule)
	e.rows.String(v.Details)
	e.rows.String(message.StepValidation)
	if raw == nil {
		e.rows.Null()
	} else {
		e.rows.Bytea(raw)
	}
}
