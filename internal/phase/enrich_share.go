package phase

import (
	"cmp"
	"context"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
)

// shareWait is how long a unit waits for its share of the source's calls.
const shareWait = 5 * time.Second

// share takes a unit's share of a source's limits for a part. It has no calls if the
// others have not yet given any up: the machine then waits a moment.
func (p *Enrich) share(ctx context.Context, enricher Enricher, r *contract.Resource, unit string) (enrichment.Share, error) {
	limits := r.Enrichment.Limits
	calls, err := p.Shares.TakeShare(ctx, r.Enrichment.Source, unit, limits.CallsInFlight, cmp.Or(p.PartTime, partTime)+enricher.Reserve())
	if err != nil {
		return enrichment.Share{}, err
	}
	return enrichment.Share{Calls: calls, PerSecond: limits.CallsPerSecond * float64(calls) / float64(max(1, limits.CallsInFlight))}, nil
}

// returnShare gives the share of a unit back. One that is not given back lapses.
func (p *Enrich) returnShare(ctx context.Context, r *contract.Resource, unit string) {
	_ = p.Shares.ReturnShare(context.WithoutCancel(ctx), r.Enrichment.Source, unit)
}
