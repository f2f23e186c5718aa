package phase

import (
	"context"
	"slices"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/setrule"
)

// ImportIn is the input of the phases that work on the whole import.
type ImportIn struct {
	Import       Import `json:"import"`
	ExecutionARN string `json:"execution_arn,omitempty"` // of Publish
	Attempt      int    `json:"attempt"`
}

// CrossChecked counts the records of each file after every rule.
type CrossChecked struct {
	Files []FileCounts `json:"files"`
}

// FileCounts are the records of one file by outcome.
type FileCounts struct {
	Resource string `json:"resource"`
	File     string `json:"file"`
	Read     int64  `json:"read"`
	Valid    int64  `json:"valid"`
	Rejected int64  `json:"rejected"`
	// CrossRejected counts those of Rejected that no rule over one record rejects.
	CrossRejected int64 `json:"cross_rejected"`
	CrossErrors   int64 `json:"cross_errors"` // errors found by the rules over more than one record
}

// CrossCheck applies the rules over more than one record: uniqueness, relations and
// the rules across files. They are set-based and work on tokens and canonical keys. All
// rules of a parent run before the rules by which its children look for it, so that a
// rejected parent rejects its children.
type CrossCheck struct {
	Common
	DB       *postgres.DB
	Recorder Judge
	// Budgets limits the rejects of each resource, by its name; one that is not named
	// has no limit.
	Budgets map[string]contract.Budget
	// MaxShrink is the share of its table's rows, in percent, that a reload may remove;
	// 100 means no limit.
	MaxShrink int
}

// Judge is what CrossCheck needs from the registry.
type Judge interface {
	FileRecorder
	// Import returns what the registry knows of an import, such as what was accepted.
	Import(ctx context.Context, importID string) (registry.Import, error)
}

// CrossCheckConnections is how many rules are applied at a time, each in its own
// session without parallel query: two cores get more done that way than by sharing the
// work of one statement.
const CrossCheckConnections = 2

// Run applies each rule once and settles the status of each file. Once everything is
// counted, it judges the files: it fails with *[fault.InvalidFile] if a reload file has
// no valid record, with *[fault.BudgetExceeded] if a file has more rejects than its
// budget allows, and with *[fault.Implausible] if a reload would remove too much of its
// table. A second run judges again from the counts of the first, so it succeeds if the
// budget was raised or the shrinkage accepted meanwhile.
func (p *CrossCheck) Run(ctx context.Context, in ImportIn) (CrossChecked, error) {
	if err := p.DB.AnalyzeRejects(ctx, in.Import.ImportID); err != nil {
		return CrossChecked{}, err
	}
	if err := setrule.InOrder(ctx, CrossCheckConnections, setrule.Rules(p.Contract), func(ctx context.Context, rule *setrule.Rule) error {
		return p.apply(ctx, in.Import, rule)
	}); err != nil {
		return CrossChecked{}, err
	}
	started := p.Now()
	out, err := postgres.Once(ctx, p.DB, in.Import.unit(etl.StateCrossCheck, "", 0), func(ctx context.Context, tx *postgres.Tx) (CrossChecked, error) {
		return settle(ctx, tx)
	})
	if err != nil {
		return CrossChecked{}, err
	}
	if err := p.logErrors(ctx, in.Import, out.Files); err != nil {
		return CrossChecked{}, err
	}
	for _, f := range out.Files {
		p.done(ctx, in.Import, f.File, registry.Progress{
			State: etl.StateCrossCheck, Resource: f.Resource, Read: f.Read, Valid: f.Valid, Rejected: f.CrossRejected, Errors: f.CrossErrors,
		}, started, resourceChecked)
	}
	return out, p.judge(ctx, in.Import, out.Files)
}

// logErrors writes the log lines of the resources in which the rules found errors.
func (p *CrossCheck) logErrors(ctx context.Context, imp Import, files []FileCounts) error {
	for _, r := range p.Contract.InDependencyOrder() {
		if !slices.ContainsFunc(files, func(f FileCounts) bool { return f.Resource == r.Name && f.CrossErrors > 0 }) {
			continue
		}
		unit := imp.unit(etl.StateCrossCheckLog, r.Name, 0)
		if err := logRejects(ctx, &p.Common, p.DB, unit, func(skip int, visit func(string, int64, string)) error {
			return p.DB.CrossErrors(ctx, unit, skip, visit)
		}); err != nil {
			return err
		}
	}
	return nil
}

// apply applies a rule in one transaction.
func (p *CrossCheck) apply(ctx context.Context, imp Import, rule *setrule.Rule) error {
	unit := imp.unit(etl.StateCrossCheck, rule.Resource.Name, rule.Number)
	_, err := postgres.Once(ctx, p.DB, unit, func(ctx context.Context, tx *postgres.Tx) (int64, error) {
		rejected, err := rule.Apply(ctx, tx, scopeOf(imp))
		if err != nil || rejected == 0 {
			return 0, err
		}
		return rejected, tx.AnalyzeRejects(ctx)
	})
	return err
}

func scopeOf(imp Import) setrule.Scope {
	return setrule.Scope{ImportID: imp.ImportID, Generation: imp.Generation, Initial: imp.Mode == etl.ModeInitial}
}

// settle counts valid and rejected records and gives each file its status.
func settle(ctx context.Context, tx *postgres.Tx) (CrossChecked, error) {
	settled, err := tx.SettleFiles(ctx)
	files := make([]FileCounts, len(settled))
	for i, f := range settled {
		files[i] = FileCounts(f)
	}
	return CrossChecked{Files: files}, err
}
