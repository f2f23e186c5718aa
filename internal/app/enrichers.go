package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
)

// Enrichers returns a function that returns the enricher of a source for a mode. There
// is one enricher per mode for the life of the process, because it keeps connections.
func (a *App) Enrichers(pkg *contract.Package) func(source string, mode etl.Mode) (phase.Enricher, error) {
	var mu sync.Mutex
	made := map[string]*enrichment.Enricher{}
	return func(source string, mode etl.Mode) (phase.Enricher, error) {
		mu.Lock()
		defer mu.Unlock()
		if e := made[source+string(mode)]; e != nil {
			return e, nil
		}
		e, err := a.enricher(pkg, source, mode)
		if err != nil {
			return nil, fmt.Errorf("enrichment source %s: %w", source, err)
		}
		made[source+string(mode)] = e
		return e, nil
	}
}

func (a *App) enricher(pkg *contract.Package, source string, mode etl.Mode) (*enrichment.Enricher, error) {
	for _, r := range pkg.Resources {
		if r.Enrichment == nil || r.Enrichment.Source != source {
			continue
		}
		limits := r.Enrichment.Limits
		rest, err := enrichment.NewREST(enrichment.RESTConfig{
			URL: a.Env.EnrichmentClientsURL, Name: source, Fields: r.Enrichment.Fields, Connections: limits.CallsInFlight,
			Batches: mode == etl.ModeInitial, Secret: a.enrichmentSecret(), Now: a.Now,
		})
		if err != nil {
			return nil, err
		}
		if mode == etl.ModeInitial {
			return enrichment.New(enrichment.Initial(rest, limits.Batch, limits.BatchTimeout))
		}
		return enrichment.New(enrichment.Daily(rest, limits.LookupTimeout))
	}
	return nil, fmt.Errorf("the contract has no such source")
}

// enrichmentSecret returns what reads the secret of the source; nil if it needs none.
func (a *App) enrichmentSecret() func(context.Context) (string, error) {
	if a.Env.EnrichmentClientsARN == "" {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		return a.secret(ctx, "enrichment", a.Env.EnrichmentClientsARN)
	}
}

// Patience returns how long a source may give an import of a mode no answer.
func (a *App) Patience(mode etl.Mode) time.Duration {
	if mode == etl.ModeInitial {
		return a.Env.PatienceInitial
	}
	return a.Env.PatienceDaily
}
