package enrichment

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"etl-dataloader/internal/contract"
)

// MaxAnswer is the longest answer in bytes that a REST source reads: 4 MiB, about ten
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
	// Now returns the time, for a Retry-After that is a date.
	Now func() time.Time
}

// REST is a [Source] that calls a REST API: "lookup" for one key, "batch" for several,
// with the keys in the body.
type REST struct {
	client        *http.Client
	lookup, batch string
	fields        []contract.EnrichedField
	now           func() time.Time
}

// NewREST returns the source that cfg describes. It fails if the URL is not one
// to which keys may be sent, or something is missing.
func NewREST(cfg RESTConfig) (*REST, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("enrichment: the URL of source %s cannot be parsed", cfg.Name) // err quotes the URL, which may hold a password
	}
	switch {
	case cfg.Name == "" || len(cfg.Fields) == 0 || cfg.Connections < 1 || cfg.Now == nil:
		return nil, errors.New("enrichment: a REST source needs a name, fields, connections and a clock")
	case base.Host == "" || base.Opaque != "" || (base.Scheme != "https" && base.Scheme != "http"):
		return nil, fmt.Errorf("enrichment: the URL of source %s is no http(s) URL with a host", cfg.Name)
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, fmt.Errorf("enrichment: the URL of source %s must have no user, query or fragment", cfg.Name)
	case base.Scheme == "http" && !loopback(base.Hostname()):
		return nil, fmt.Errorf("enrichment: the URL of source %s must be https, as it is sent sensitive keys", cfg.Name)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &REST{
		client: &http.Client{
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
			// The body holds keys, so no redirect may send it elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		lookup: base.JoinPath("v1", cfg.Name+":lookup").String(),
		batch:  base.JoinPath("v1", cfg.Name+":batch").String(),
		fields: cfg.Fields,
		now:    cfg.Now,
	}, nil
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Lookup implements [Source].
func (s *REST) Lookup(ctx context.Context, keys []string) ([]Outcome, error) {
	target, question := s.batch, any(map[string][]string{"keys": keys})
	if len(keys) == 1 {
		target, question = s.lookup, map[string]string{"key": keys[0]}
	}
	body, err := json.Marshal(question)
	if err != nil {
		return nil, &Failure{Code: CodeRefused, Reason: "the keys cannot be written as JSON"}
	}
	answer, err := s.post(ctx, target, body)
	if err != nil {
		return nil, err
	}
	return s.outcomes(keys, answer)
}

// post sends body and returns the answer's. It fails with a *Failure.
func (s *REST) post(ctx context.Context, target string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, &Failure{Code: CodeRefused, Reason: "the request cannot be made"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, transportFailure(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, s.statusFailure(resp)
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer is not application/json"}
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return nil, transportFailure(err)
	}
	if len(answer) > MaxAnswer {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: fmt.Sprintf("the answer is longer than %d bytes", MaxAnswer)}
	}
	return answer, nil
}

// transportFailure distinguishes a timeout from a broken connection. It drops the text
// of err, which may quote what came over the connection.
func transportFailure(err error) *Failure {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout()) {
		return &Failure{Code: CodeTimeout, Reason: "no answer in time"}
	}
	return &Failure{Code: CodeUnreachable, Reason: "no connection, or it broke"}
}

// statusFailure classifies an answer that is not 200.
func (s *REST) statusFailure(resp *http.Response) *Failure {
	failure := &Failure{Code: CodeRefused, Reason: "HTTP status " + strconv.Itoa(resp.StatusCode)}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		failure.Code = CodeThrottled
	case resp.StatusCode == http.StatusRequestTimeout:
		failure.Code = CodeTimeout
	case resp.StatusCode >= 500:
		failure.Code = CodeServerError
	}
	failure.RetryAfter = s.retryAfter(resp.Header.Get("Retry-After"))
	return failure
}

// retryAfter parses a Retry-After header (RFC 9110, section 10.2.3): seconds or
// a date; it returns 0 if there is none that can be read.
func (s *REST) retryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(s.now()))
	}
	return 0
}
