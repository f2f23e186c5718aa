package phase

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
)

// notEnriched returns how many records could not be enriched, by source and cause, as
// Reconcile counted them.
func notEnriched(ctx context.Context, tx *postgres.Tx) (map[string]map[string]int64, error) {
	var counted Reconciled
	err := tx.EachResult(ctx, string(etl.StateReconcile), func(_ string, result []byte) error {
		return json.Unmarshal(result, &counted)
	})
	return counted.NotEnriched, err
}

// tellNotEnriched sends an alert for each source of which records were published
// without enrichment, unless one about its silence was sent before. The alert is sent
// within the transaction that enters it in the ledger: one that fails is sent by the
// next run, one that was sent is not sent again unless the commit fails.
func (p *Publish) tellNotEnriched(ctx context.Context, imp Import, sources map[string]map[string]int64) error {
	for _, source := range slices.Sorted(maps.Keys(sources)) {
		var records int64
		for _, n := range sources[source] {
			records += n
		}
		_, err := postgres.Once(ctx, p.DB, imp.unit(etl.StateNotEnriched, source, 0), func(ctx context.Context, tx *postgres.Tx) (int64, error) {
			told, err := tx.SourceTold(ctx, source, p.Now())
			if err != nil || told {
				return records, err
			}
			return records, p.Alerts.Alert(ctx, alert.NotEnriched(imp.ImportID, source, records, sources[source]))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
