package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
)

// partKeys is how many keys a part of the product has at most.
const partKeys = 20_000

// mostUnits is how many units ask the source at once: as many as it takes calls.
const mostUnits = 8

// answered waits until the source has answered a share of the clients.
func (n *nightRun) answered(ctx context.Context, share float64) error {
	return stack.Wait(ctx, "the source to be asked", nightPatience, func() (bool, error) {
		now, err := n.source.counts(ctx)
		return float64(now.Answered) >= share*float64(n.clients), err
	})
}

// underWay begins an initial import, and waits until the source has answered a share of
// the clients.
func (n *nightRun) underWay(ctx context.Context, share float64) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	return n.answered(ctx, share)
}

// quietNight is a source that is slow, and nothing else.
func quietNight(ctx context.Context, n *nightRun) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	return n.succeed(ctx, 1)
}

// outageNight has the source answer nothing but errors for a while.
func outageNight(ctx context.Context, n *nightRun) error {
	if err := n.underWay(ctx, 0.25); err != nil {
		return err
	}
	usual := order{Mode: "ok", Latency: int(n.latency / time.Millisecond), Keep: true}
	if err := n.source.order(ctx, order{Mode: "error500", Keep: true}); err != nil {
		return err
	}
	select {
	case <-time.After(n.lasts):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := n.source.order(ctx, usual); err != nil {
		return err
	}
	n.thrown, n.extra = mostUnits*partKeys, 20*mostUnits
	return n.succeed(ctx, 1)
}

// patienceNight has the source answer nothing but errors from the middle on. What was
// answered before the outage is in the ledger: parts, and units that needed none.
func patienceNight(ctx context.Context, n *nightRun) error {
	if err := n.underWay(ctx, 0.4); err != nil {
		return err
	}
	if err := n.source.order(ctx, order{Mode: "error500", Keep: true}); err != nil {
		return err
	}
	down := time.Now()
	if err := n.succeed(ctx, 1); err != nil {
		return err
	}
	// The last wait, what the units that wait for a share of the calls lose, and the publication.
	if took, most := time.Since(down), n.patience+5*time.Minute; took > most {
		return fmt.Errorf("it goes on %s after the outage began, want %s at most", took, most)
	}
	var kept int
	if err := n.ask(ctx, `WITH parts AS (SELECT chunk, result FROM etl.ledger WHERE import_id = $1 AND phase LIKE 'Enrich/%' AND resource = 'clients')
		SELECT coalesce((SELECT sum((result->>'keys')::int) FROM parts WHERE (result->>'calls')::int > 0), 0)::int
			+ coalesce((SELECT sum((result->'answers'->>'records')::int) FROM etl.ledger WHERE import_id = $1 AND phase = 'Enrich' AND resource = 'clients'
				AND chunk NOT IN (SELECT chunk FROM parts)), 0)::int`, []any{n.imp.ImportID}, &kept); err != nil {
		return err
	}
	n.failed, n.cause, n.told = n.clients-kept, "server_error", 1
	n.thrown, n.extra = mostUnits*partKeys, 20*mostUnits
	return nil
}

// poisonedNight has the source fail with every call for one client.
func poisonedNight(ctx context.Context, n *nightRun) error {
	n.of = nightSet(n.Folder, n.clients)
	if err := makeNight(ctx, n.of, n.clients, 0); err != nil {
		return err
	}
	keys, err := clientKeys(n.of)
	if err != nil {
		return err
	}
	line := int64(n.clients) / 2
	for keys[line] == "" { // a record may have several lines
		line++
	}
	poison := fmt.Sprintf("%x", keyDigest(keys[line]))
	if err := n.source.order(ctx, order{Mode: "ok", Poisoned: []string{poison}}); err != nil {
		return err
	}
	if err := n.UploadAll(ctx, n.of); err != nil {
		return err
	}
	if err := n.succeed(ctx, 1); err != nil {
		return err
	}
	if err := n.ask(ctx, `SELECT count(*) FROM final.events WHERE import_id = $1 AND enrichment = 'failed'`, []any{n.imp.ImportID}, &n.failed); err != nil {
		return err
	}
	if n.failed < 1 || n.failed > n.batch {
		return fmt.Errorf("%d records of the poisoned batch have no answer", n.failed)
	}
	n.cause, n.told, n.extra = "server_error", 1, 3 // its one repetition, and two probes
	return nil
}

// interruptedNight kills the function once, and then stops the execution and has it
// redriven.
func interruptedNight(ctx context.Context, n *nightRun) error {
	if err := n.underWay(ctx, 0.05); err != nil {
		return err
	}
	enrich := step{function: "EnrichFunction"}
	if err := n.arming(enrich, "kill_put", 1)(ctx); err != nil {
		return err
	}
	if err := stack.Wait(ctx, "the function to be killed", nightPatience, func() (bool, error) {
		now, err := n.tell(ctx, "DescribeFault", nil)
		return now.Struck > 0, err
	}); err != nil {
		return err
	}
	if _, err := n.tell(ctx, "DisarmFault", nil); err != nil {
		return err
	}
	if err := n.answered(ctx, 0.4); err != nil {
		return err
	}
	imp, _, err := n.ImportOf(ctx, n.of.Mode, n.of.Date)
	if err != nil {
		return err
	}
	if err := n.stopExecution(ctx, imp); err != nil {
		return err
	}
	if imp, err = n.Await(ctx, "the execution to be stopped", patience, n.of.Mode, n.of.Date, func(imp stack.Import) (bool, error) {
		return imp.Status == etl.StatusFailed && imp.Reported(), nil
	}); err != nil {
		return err
	}
	if refused, err := n.resume(ctx, imp); err != nil || refused {
		return fmt.Errorf("the redrive was refused: %w", err)
	}
	// The killed function, and those that go on after the execution was stopped.
	n.thrown = (1 + mostUnits) * partKeys
	return n.succeed(ctx, imp.Attempts+1)
}

// dayNight is a day of a slow source, after an initial import.
func dayNight(ctx context.Context, n *nightRun) error {
	n.of = nightSet(n.Folder, n.clients)
	if err := makeNight(ctx, n.of, n.clients, 0); err != nil {
		return err
	}
	if err := n.UploadAll(ctx, n.of); err != nil {
		return err
	}
	if err := n.succeed(ctx, 1); err != nil {
		return err
	}
	day := stack.Set{Mode: "daily", Date: "2024-10-08", Folder: filepath.Join(n.Folder, "sample", fmt.Sprintf("night-day-%d", n.clients))}
	if err := makeNight(ctx, day, n.clients, n.clients); err != nil {
		return err
	}
	n.of, n.batch = day, 1
	if err := n.upload(ctx); err != nil {
		return err
	}
	return n.succeed(ctx, 1)
}
