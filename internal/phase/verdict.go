package phase

import (
	"context"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/validation"
)

// judge stores the status of every file in the registry, as settle did in the
// database, and fails if the files must not be published.
func (p *CrossCheck) judge(ctx context.Context, imp Import, files []FileCounts) error {
	statuses := map[string]registry.FileStatus{}
	for _, f := range files {
		statuses[f.Resource] = registry.FileStatus{Status: f.status()}
	}
	if err := recordStatuses(ctx, p.Recorder, imp, statuses); err != nil {
		return err
	}
	if err := refuse(ctx, p.DB, p.Recorder, imp, p.emptied(files)); err != nil {
		return err
	}
	if over := p.overBudget(files); over != nil {
		return &fault.BudgetExceeded{ImportID: imp.ImportID, Files: over}
	}
	return p.plausible(ctx, imp, files)
}

// status returns the status of a file whose records are all accounted for.
func (f FileCounts) status() etl.FileStatus {
	if f.Rejected > 0 {
		return etl.FileWithRejects
	}
	return etl.FileValid
}

// emptied returns, in the order of the contract, the reload files in which no record
// is valid and which would therefore empty their tables. It leaves out files without
// any record: either the contract allows them, or Scan has refused them.
func (p *CrossCheck) emptied(files []FileCounts) (refused []refusedFile) {
	for _, r := range p.Contract.Resources {
		for _, f := range files {
			if f.Resource == r.Name && r.Load == contract.LoadReload && f.Read > 0 && f.Valid == 0 {
				refused = append(refused, refusedFile{resource: r.Name, file: f.File, reason: validation.FileNoValidRecord(f.Rejected)})
			}
		}
	}
	return refused
}

// overBudget describes the files with too many rejects, in the order of the contract.
func (p *CrossCheck) overBudget(files []FileCounts) []string {
	var over []string
	for _, r := range p.Contract.Resources {
		budget, limited := p.Budgets[r.Name]
		for _, f := range files {
			if limited && f.Resource == r.Name && budget.Exceeded(f.Read, f.Rejected) {
				over = append(over, overText(f.File, f.Read, f.Rejected, budget))
			}
		}
	}
	return over
}

func overText(file string, read, rejected int64, budget contract.Budget) string {
	return OverBudget(file, rejected, read, budget.MaxRejects, budget.MaxShare, budget.ShareFrom)
}

// withinBudget fails with *[fault.BudgetExceeded] if, by the chunks of a resource
// validated so far, its file can no longer stay within its budget. That avoids writing
// millions of errors and log lines that nobody needs. It adds up the results in the
// ledger, one row per chunk, in the transaction of the chunk to be validated. It does
// not see chunks that are being validated at the same time, so those are still written.
func (p *Validate) withinBudget(ctx context.Context, tx *postgres.Tx, in StageIn) error {
	resource := in.Chunk.Resource
	budget, limited := p.Budgets[resource]
	if !limited || budget == contract.NoBudget() {
		return nil
	}
	records, read, rejected, err := tx.Validated(ctx)
	if err != nil || !budget.Hopeless(records, read, rejected) {
		return err
	}
	text := overText(in.Chunk.File.File, read, rejected, budget)
	if read < records {
		text += StoppedEarly(records)
	}
	return &fault.BudgetExceeded{ImportID: in.Import.ImportID, Files: []string{text}}
}
