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

// silent decides what becomes of the keys without an answer while the source is down:
// the machine waits, or, once the patience with it is spent, they are given up.
func (a *asking) silent(ctx context.Context, outage *enrichment.Outage) error {
	wait, spent, err := a.outage(ctx, outage, outageOf{
		Import: a.in.Import, Unit: a.in.unit(etl.StateEnrich), Source: a.resource.Enrichment.Source, File: a.in.Chunk.File.File, Waits: a.out.Waits,
	})
	if err != nil {
		return err
	}
	if spent {
		return a.giveUp(ctx, outage.Code)
	}
	a.out.Waits++
	a.out.WaitSeconds = int(wait / time.Second)
	a.out.Silent.add(wait)
	return nil
}

func (s *Silent) add(wait time.Duration) {
	s.Waits++
	s.Seconds += int64(wait / time.Second)
}

// outageOf is who met an outage.
type outageOf struct {
	Import Import
	Unit   postgres.Unit
	Source string
	File   string // empty: none
	Waits  int    // in a row, since the source last answered
}

// outage notes that a source is down, and returns how long to wait before it is asked
// again. spent reports that the patience with it is over instead. The operators are told
// once, when half of it is spent.
func (p *Enrich) outage(ctx context.Context, outage *enrichment.Outage, of outageOf) (wait time.Duration, spent bool, err error) {
	imp, err := p.Attempts.Import(ctx, of.Import.ImportID)
	if err != nil {
		return 0, false, err
	}
	silent, err := p.DB.SourceSilent(ctx, of.Unit, postgres.Silence{
		Source: of.Source, Attempt: imp.Attempts, Since: outage.Since, Now: p.Now(), Cause: string(outage.Code),
	})
	if err != nil {
		return 0, false, err
	}
	patience := p.Patience(of.Import.Mode)
	if silent >= patience {
		return 0, true, nil
	}
	if silent >= patience/2 {
		if err := p.DB.AlertOnce(ctx, of.Unit, of.Source, p.Now(), func(ctx context.Context) error {
			return p.Alerts.Alert(ctx, alert.SourceSilent(of.Import.ImportID, of.Source, string(outage.Code), silent, patience))
		}); err != nil {
			return 0, false, err
		}
	}
	wait = waitFor(of.Waits+1, outage.RetryAfter, patience-silent)
	log := p.Log
	if of.File != "" {
		log = log.With(centrallog.File(of.File))
	}
	log.WarnContext(ctx, SourceDown, centrallog.ImportID(of.Import.ImportID), centrallog.Details(sourceDown(of.Source, outage.Code, wait, patience-silent)),
		centrallog.Step(etl.StepTransformation), slog.String("source", of.Source))
	return wait, false, nil
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
