package enrichment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"etl-dataloader/internal/contract"
)

// RESTConfig describes a REST source. docs/enrichment/clients-openapi.yaml is the API
// that its system must offer.
type RESTConfig struct {
	// URL is the base of the API, such as "https://enrichment.example.com"; the source
	// adds "/v1/<Name>:batch" or "/v1/<Name>:lookup". It is https, unless
	// the host is this machine (localhost or a loopback address), and has no user,
	// query or fragment.
	URL string
	// Name is the source's name in the contract, such as "clients".
	Name string
	// Fields are the fields of an answer for a key that was found.
	Fields []contract.EnrichedField
	// Connections is how many connections are kept open, at least 1. It should equal
	// the number of concurrent calls.
	Connections int
	// Secret reads the secret that authenticates the calls, see [REST]; nil is none.
	// Its errors quote nothing of the secret.
	Secret func(context.Context) (string, error)
	// Batches has even one key asked for by "batch", so that a probe of the initial import
	// asks what its batches ask.
	Batches bool
	// Now returns the time, for a Retry-After that is a date.
	Now func() time.Time
}

// REST is a [Source] that calls a REST API: "lookup" for one key, "batch" for several,
// with the keys in the body. A batch may also be a job, which is asked for until it is
// done.
//
// With a secret, calls carry a header, a user with a password (Basic), a bearer token of
// OAuth 2.0, or present a certificate (mutual TLS). The secret is read with the first
// call. When the source refuses a call, secret and token are read again, and the call is
// repeated once.
type REST struct {
	keeper        *keeper
	lookup, batch string
	batches       bool
	fields        []answerField
	now           func() time.Time
	idle          func(context.Context, time.Duration) error // between two looks at a job
}

// NewREST returns the source that cfg describes. It fails if the URL is not one
// to which keys may be sent, or something is missing.
func NewREST(cfg RESTConfig) (*REST, error) {
	if cfg.Name == "" || len(cfg.Fields) == 0 || cfg.Connections < 1 || cfg.Now == nil {
		return nil, errors.New("enrichment: a REST source needs a name, fields, connections and a clock")
	}
	base, err := checkedURL("the URL of source "+cfg.Name, cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("enrichment: %w", err)
	}
	fields, err := answerFields(cfg.Fields)
	if err != nil {
		return nil, fmt.Errorf("enrichment: source %s: %w", cfg.Name, err)
	}
	return &REST{
		keeper: newKeeper(newHTTPClient(cfg.Connections), cfg.Secret, cfg.Now),
		lookup: base.JoinPath("v1", cfg.Name+":lookup").String(),
		batch:  base.JoinPath("v1", cfg.Name+":batch").String(),
		fields: fields, batches: cfg.Batches,
		now:  cfg.Now,
		idle: wait,
	}, nil
}

// Lookup implements [Source].
func (s *REST) Lookup(ctx context.Context, keys []string) ([]Outcome, error) {
	target, question := s.batch, any(map[string][]string{"keys": keys})
	single := len(keys) == 1 && !s.batches
	if single {
		target, question = s.lookup, map[string]string{"key": keys[0]}
	}
	body, err := json.Marshal(question)
	if err != nil {
		return nil, &Failure{Code: CodeRefused, Reason: "the keys cannot be written as JSON"}
	}
	answer, err := s.ask(ctx, target, body)
	if err != nil {
		return nil, err
	}
	return s.outcomes(keys, answer, single)
}
