package phase

import (
	"context"
	"strings"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/setrule"
)

// incoherent is a relation of the published tables that does not hold.
type incoherent struct {
	Text string `json:"text"`
	Rows int64  `json:"rows"`
}

// coherence looks, after a publication, for published rows whose parent is gone: a
// reload may have removed rows that older ones refer to. It records what it finds in
// etl.incoherences, logs it and sends an alert, but does not fail. For a daily import
// it checks only the children of reloaded tables: rows of other tables never vanish,
// and a child's parent existed, or came with it, when the child was published. An
// initial import replaces children and parents alike, and CrossCheck has already looked
// for each parent in the import itself.
func (p *Publish) coherence(ctx context.Context, imp Import) error {
	if imp.Mode == etl.ModeInitial {
		return nil
	}
	found, err := postgres.Once(ctx, p.DB, imp.unit(etl.StateCoherence, "", 0), func(ctx context.Context, tx *postgres.Tx) ([]incoherent, error) {
		var found []incoherent
		for _, r := range p.Contract.Resources {
			for _, relation := range r.Relations {
				if p.Contract.Resource(relation.Resource).Load != contract.LoadReload {
					continue
				}
				rows, err := setrule.Orphans(ctx, tx, scopeOf(imp), p.Contract, r, relation)
				if err != nil {
					return nil, err
				}
				if rows > 0 {
					found = append(found, incoherent{OrphanRows(rows, r.Name, strings.Join(relation.Fields, ", "), relation.Resource), rows})
				}
			}
		}
		return found, nil
	})
	if err != nil || len(found) == 0 {
		return err
	}
	texts := make([]string, len(found))
	for i, f := range found {
		texts[i] = f.Text
		p.Log.WarnContext(ctx, Incoherence, centrallog.ImportID(imp.ImportID), centrallog.Details(f.Text), centrallog.Step(etl.StepPersistence))
	}
	return p.Alerts.Alert(ctx, alert.Incoherence(imp.ImportID, texts))
}
