package enrichment

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"etl-dataloader/internal/contract"
)

// MaxAnswer is the longest answer in bytes that a source reads: 4 MiB, about ten
// times that for a batch of 1,000 keys. A longer one is invalid.
const MaxAnswer = 4 << 20

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
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	client := &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           cfg.Connections,
			MaxIdleConnsPerHost:    cfg.Connections,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
		// Bodies hold keys, and headers credentials, so no redirect may send them elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &REST{
		keeper: newKeeper(client, cfg.Secret, cfg.Now),
		lookup: base.JoinPath("v1", cfg.Name+":lookup").String(),
		batch:  base.JoinPath("v1", cfg.Name+":batch").String(),
		fields: fields, batches: cfg.Batches,
		now:  cfg.Now,
		idle: wait,
	}, nil
}

// checkedURL parses a URL to which secrets may be sent. Errors call it what, and quote
// nothing of it, as it may hold a password.
func checkedURL(what, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s cannot be parsed", what)
	case u.Host == "" || u.Opaque != "" || (u.Scheme != "https" && u.Scheme != "http"):
		return nil, fmt.Errorf("%s is no http(s) URL with a host", what)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%s must have no user, query or fragment", what)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%s must be https, as what is sent there is secret", what)
	}
	return u, nil
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
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
