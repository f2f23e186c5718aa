package enrichment

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// MaxAnswer is the longest answer in bytes that a source reads: 4 MiB, about ten
// times that for a batch of 1,000 keys. A longer one is invalid.
const MaxAnswer = 4 << 20

// newHTTPClient returns a client that keeps so many connections open.
func newHTTPClient(connections int) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           connections,
			MaxIdleConnsPerHost:    connections,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
		// Bodies hold keys, and headers credentials, so no redirect may send them elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
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

// readAnswer reads the body of an answer. It fails with a *Failure.
func readAnswer(body io.Reader) ([]byte, error) {
	answer, err := io.ReadAll(io.LimitReader(body, MaxAnswer+1))
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

// statusFailure classifies an answer that is not 200, which came at the time now.
func statusFailure(resp *http.Response, now time.Time) *Failure {
	failure := &Failure{Code: CodeRefused, Reason: "HTTP status " + strconv.Itoa(resp.StatusCode)}
	switch {
	case unauthorized(resp.StatusCode):
		failure.Code = CodeUnauthorized
	case resp.StatusCode == http.StatusTooManyRequests:
		failure.Code = CodeThrottled
	case resp.StatusCode == http.StatusRequestTimeout:
		failure.Code = CodeTimeout
	case resp.StatusCode >= 500:
		failure.Code = CodeServerError
	}
	failure.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), now)
	return failure
}

// retryAfter parses a Retry-After header (RFC 9110, section 10.2.3): seconds or
// a date; it returns 0 if there is none that can be read.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
