package app

import (
	"context"
	"errors"
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

// enricher makes the enricher of a source for a mode.
func (a *App) enricher(pkg *contract.Package, source string, mode etl.Mode) (*enrichment.Enricher, error) {
	for _, r := range pkg.Resources {
		if r.Enrichment == nil || r.Enrichment.Source != source {
			continue
		}
		client, err := a.sourceClient(r.Enrichment, mode)
		if err != nil {
			return nil, err
		}
		limits := r.Enrichment.Limits
		if mode == etl.ModeInitial {
			return enrichment.New(enrichment.Initial(client, limits.Batch, limits.BatchTimeout))
		}
		return enrichment.New(enrichment.Daily(client, limits.LookupTimeout))
	}
	return nil, errors.New("the contract has no such source")
}

// sourceClient makes what asks a source, according to its kind.
func (a *App) sourceClient(e *contract.Enrichment, mode etl.Mode) (enrichment.Source, error) {
	at := a.Env.Sources[e.Source]
	switch e.Kind {
	case contract.KindREST:
		return enrichment.NewREST(enrichment.RESTConfig{
			URL: at.URL, Name: e.Source, Fields: e.Fields, Connections: e.Limits.CallsInFlight,
			Batches: mode == etl.ModeInitial, Secret: a.sourceSecret(e.Source), Now: a.Now,
		})
	case contract.KindSOAP:
		return enrichment.NewSOAP(enrichment.SOAPConfig{
			URL: at.URL, Version: e.Version, Name: e.Source, Fields: e.Fields, Connections: e.Limits.CallsInFlight,
			Batches: mode == etl.ModeInitial, Secret: a.sourceSecret(e.Source), Now: a.Now,
		})
	case contract.KindDatabase:
		secret := a.sourceSecret(e.Source)
		if secret == nil {
			return nil, errors.New("it has no secret with its address")
		}
		return enrichment.NewDatabase(enrichment.DatabaseConfig{
			Name: e.Source, Query: e.Query, Key: e.Key, Fields: e.Fields, Connections: e.Limits.CallsInFlight, Secret: secret,
		})
	default:
		return nil, fmt.Errorf("nothing asks a source of kind %q", e.Kind)
	}
}

// sourceSecret returns what reads the secret of a source; nil if it has none.
func (a *App) sourceSecret(source string) func(context.Context) (string, error) {
	arn := a.Env.Sources[source].SecretARN
	if arn == "" {
		return nil
	}
	return func(ctx context.Context) (string, error) { return a.secret(ctx, "enrichment source "+source, arn) }
}

// Patience returns how long a source may give an import of a mode no answer.
func (a *App) Patience(mode etl.Mode) time.Duration {
	if mode == etl.ModeInitial {
		return a.Env.PatienceInitial
	}
	return a.Env.PatienceDaily
}
