package enrichment

import (
	"bytes"
	"context"
	"mime"
	"net/http"
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
	return readAnswer(resp.Body)
}

// call makes a call. It fails with a *Failure; otherwise the caller closes the answer's
// body.
func (s *REST) call(ctx context.Context, method, target string, body []byte) (*http.Response, error) {
	var resp *http.Response
	err := s.keeper.admit(ctx, func(pass *pass) error {
		req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
		if err != nil {
			return transportFailure(err)
		}
		if body != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		req.Header.Set("Accept", "application/json")
		if resp, err = pass.send(req); err != nil { //nolint:bodyclose // the caller closes it
			return err
		}
		if unauthorized(resp.StatusCode) {
			_ = resp.Body.Close()
			return statusFailure(resp, s.now())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}
