package enrichment

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Pauses between two looks at a job whose source names none; they double.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// finished looks at the job that accepted (HTTP 202) announces, until it is done or ctx
// ends. It returns the answer with the results, whose body the caller closes. It fails
// with a *Failure.
func (s *REST) finished(ctx context.Context, accepted *http.Response) (*http.Response, error) {
	_ = accepted.Body.Close()
	job, ok := jobOf(accepted)
	if !ok {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the job is at no address of the source"}
	}
	next := firstPause
	for resp := accepted; ; {
		pause := retryAfter(resp.Header.Get("Retry-After"), s.now())
		if pause == 0 {
			pause, next = next, min(2*next, longestPause)
		}
		if err := s.idle(ctx, pause); err != nil {
			return nil, transportFailure(err)
		}
		var err error
		if resp, err = s.call(ctx, http.MethodGet, job, nil); err != nil {
			return nil, err
		}
		switch resp.StatusCode {
		case http.StatusAccepted, http.StatusTooManyRequests:
			_ = resp.Body.Close()
		case http.StatusNotFound, http.StatusGone:
			_ = resp.Body.Close()
			return nil, &Failure{Code: CodeServerError, Reason: "the job is gone"}
		default:
			return resp, nil
		}
	}
}

// jobOf returns the address of a job. It is false unless that is of the same origin as
// the call that it answers, as credentials are sent there.
func jobOf(accepted *http.Response) (string, bool) {
	asked, location := accepted.Request.URL, accepted.Header.Get("Location")
	job, err := asked.Parse(location)
	if location == "" || err != nil || job.User != nil || origin(job) != origin(asked) {
		return "", false
	}
	job.Fragment = ""
	return job.String(), true
}

// origin returns the scheme, host and port of a URL (RFC 6454, section 4).
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
