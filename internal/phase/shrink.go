package phase

import (
	"context"
	"log/slog"
	"slices"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// shrinkWarning is the share of a table, in percent, above which a reload that removes
// as much is logged, though it continues.
const shrinkWarning = 20

// shrink is a table that a publication would leave with fewer rows.
type shrink struct {
	resource      string
	before, after int64
}

// past reports whether the table loses more than percent of its rows.
func (s shrink) past(percent int64) bool {
	return (s.before-s.after)*100 > s.before*percent
}

// plausible fails with *[fault.Implausible] if a reload would remove more rows from
// its table than MaxShrink allows, unless a person accepted that for this import. It
// measures again in each run, so that a redrive succeeds once it is accepted.
func (p *CrossCheck) plausible(ctx context.Context, imp Import, files []FileCounts) error {
	shrinks, err := p.shrinks(ctx, imp, files)
	if err != nil || len(shrinks) == 0 {
		return err
	}
	known, err := p.Recorder.Import(ctx, imp.ImportID)
	if err != nil {
		return err
	}
	if known.Generation != imp.Generation {
		return &fault.Superseded{ImportID: imp.ImportID, Generation: imp.Generation}
	}
	implausible := &fault.Implausible{ImportID: imp.ImportID, MaxShrink: p.MaxShrink}
	for _, s := range shrinks {
		accepted := slices.IndexFunc(known.Accepted, func(a registry.Acceptance) bool {
			return a.What == registry.AcceptShrink && a.Resource == s.resource
		})
		by := ""
		switch {
		case accepted >= 0:
			by = known.Accepted[accepted].By
		case s.past(int64(p.MaxShrink)):
			implausible.Tables = append(implausible.Tables, fault.Shrink{Resource: s.resource, Before: s.before, After: s.after})
		}
		p.Log.WarnContext(ctx, LogReloadShrinks, centrallog.ImportID(imp.ImportID), slog.String("resource", s.resource),
			centrallog.Details(textShrinks(s.resource, s.before, s.after, accepted >= 0, by)), centrallog.Step(etl.StepValidation))
	}
	if implausible.Tables == nil {
		return nil
	}
	return implausible
}

// shrinks measures the tables that the import replaces, in the order of the contract,
// and returns those that lose more than the share worth logging. A daily import
// replaces the reload tables, except those that hold data of a later date: Publish skips
// their reload. An initial import replaces all tables; they are empty unless a forced
// restart repeats it.
func (p *CrossCheck) shrinks(ctx context.Context, imp Import, files []FileCounts) ([]shrink, error) {
	var found []shrink
	for _, r := range p.Contract.Resources {
		if r.Load != contract.LoadReload && imp.Mode != etl.ModeInitial {
			continue
		}
		n := slices.IndexFunc(files, func(f FileCounts) bool { return f.Resource == r.Name })
		if n < 0 {
			continue
		}
		before, newer, err := p.DB.TableRows(ctx, imp.ImportID, r.Name, imp.FileDate)
		if err != nil {
			return nil, err
		}
		s := shrink{resource: r.Name, before: before, after: files[n].Valid}
		if s.past(shrinkWarning) && (!newer || imp.Mode == etl.ModeInitial) {
			found = append(found, s)
		}
	}
	return found, nil
}
