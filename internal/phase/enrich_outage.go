package phase

import (
	"context"
	"log/slog"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres"
)

// Waits while a source is down: they double from the shortest to the longest.
const (
	shortestWait = 30 * time.Second
	longestWait  = 5 * time.Minute
)

// shareWait is how long a unit waits for its share of the source's calls.
const shareWait = 5 * time.Second

// silent decides what becomes of the keys without an answer while the source is down:
// the machine waits, or, once the patience with it is spent, they are given up.
func (a *asking) silent(ctx context.Context, outage *enrichment.Outage) error {
	imp, err := a.Attempts.Import(ctx, a.in.Import.ImportID)
	if err != nil {
		return err
	}
	source := a.resource.Enrichment.Source
	spent, err := a.DB.SourceSilent(ctx, a.in.unit(etl.StateEnrich), postgres.Silence{
		Source: source, Attempt: imp.Attempts, Since: outage.Since, Now: a.Now(), Cause: string(outage.Code),
	})
	if err != nil {
		return err
	}
	patience := a.Patience(a.in.Import.Mode)
	if spent >= patience {
		return a.giveUp(ctx, outage.Code)
	}
	if spent >= patience/2 {
		if err := a.DB.AlertOnce(ctx, a.in.unit(etl.StateEnrich), source, a.Now(), func(ctx context.Context) error {
			return a.Alerts.Alert(ctx, alert.SourceSilent(a.in.Import.ImportID, source, string(outage.Code), spent, patience))
		}); err != nil {
			return err
		}
	}
	a.out.Waits++
	wait := waitFor(a.out.Waits, outage.RetryAfter, patience-spent)
	a.out.WaitSeconds = int(wait / time.Second)
	a.out.Silent.Waits++
	a.out.Silent.Seconds += int64(a.out.WaitSeconds)
	a.Log.WarnContext(ctx, SourceDown, centrallog.ImportID(a.in.Import.ImportID), centrallog.File(a.in.Chunk.File.File),
		centrallog.Details(sourceDown(source, outage.Code, wait, patience-spent)), centrallog.Step(etl.StepTransformation),
		slog.String("source", source))
	return nil
}

// waitFor returns how long to wait before the source is asked again: longer each time
// and as long as it asked for, within bounds, and no longer than the patience lasts.
func waitFor(waits int, asked, left time.Duration) time.Duration {
	wait := shortestWait
	for range waits - 1 {
		wait = min(2*wait, longestWait)
	}
	wait = min(max(wait, asked), longestWait, left)
	return max(wait.Truncate(time.Second), time.Second)
}

// giveUp records the keys without an answer as not enriched.
func (a *asking) giveUp(ctx context.Context, code enrichment.Code) error {
	outcomes := make([]enrichment.Outcome, len(a.keys.distinct)-a.next)
	for i := range outcomes {
		outcomes[i] = enrichment.Outcome{Status: etl.EnrichmentFailed, Code: code}
	}
	return a.persist(ctx, outcomes, 0)
}
