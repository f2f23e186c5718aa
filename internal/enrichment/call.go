package enrichment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"
)

// ask sends body and returns the answer's. It fails with a *Failure.
func (s *REST) ask(ctx context.Context, target string, body []byte) ([]byte, error) {
	resp, err := s.call(ctx, http.MethodPost, target, body)
	if err == nil && resp.StatusCode == http.StatusAccepted && target == s.batch {
		resp, err = s.finished(ctx, resp)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, statusFailure(resp, s.now())
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

// call makes a call; one that is refused it makes once more, with credentials that are
// read again. It fails with a *Failure; otherwise the caller closes the answer's body.
func (s *REST) call(ctx context.Context, method, target string, body []byte) (*http.Response, error) {
	var refused *pass
	for {
		pass, err := s.keeper.pass(ctx, refused)
		if err != nil {
			return nil, err
		}
		resp, err := send(ctx, pass, method, target, body)
		var failure *Failure
		switch {
		case err == nil && !unauthorized(resp.StatusCode):
			return resp, nil
		case err == nil:
			_ = resp.Body.Close()
			failure = statusFailure(resp, s.now())
		case rejected(err):
			failure = &Failure{Code: CodeUnauthorized, Reason: "the source ends the TLS connection"}
		default:
			return nil, transportFailure(err)
		}
		if refused != nil || !s.keeper.replaceable() {
			return nil, failure
		}
		refused = pass
	}
}

// send makes one request.
func send(ctx context.Context, pass *pass, method, target string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	if pass.name != "" {
		req.Header.Set(pass.name, pass.value)
	}
	return pass.client.Do(req)
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
