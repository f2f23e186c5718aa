package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Call speaks the JSON protocol of an AWS service, for operations that the product
// has no client for and for those of the emulator's own.
// target names the operation, such as "Logs_20140328.DescribeLogGroups".
func (s *Stack) Call(ctx context.Context, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := s.ask(ctx, serviceOf(target), target, body, http.Header{
		"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {target},
	})
	if err != nil || len(answer) == 0 {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s answered %.200s: %w", target, answer, err)
	}
	return nil
}

// serviceOf returns the name for which requests to the service of a target are signed.
func serviceOf(target string) string {
	service, _, _ := strings.Cut(target, ".")
	switch {
	case strings.HasPrefix(service, "Logs_"):
		return "logs"
	case service == "AmazonSQS":
		return "sqs"
	default:
		return "states"
	}
}

// ask sends a signed POST to the emulator and returns its answer, which must be 200.
// what names the request in an error.
func (s *Stack) ask(ctx context.Context, service, what string, body []byte, headers http.Header) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Env["AWS_ENDPOINT_URL"]+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = headers
	if err := s.sign(ctx, request, body, service, s.Credentials()); err != nil {
		return nil, err
	}
	return send(request, what)
}

// Post sends JSON and headers to a server of the stack and returns its answer, which
// must be 200.
func Post(ctx context.Context, url string, in any, headers map[string]string) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	return send(request, "")
}

// send returns the answer to a request, which must be 200. what names the request in
// an error.
func send(request *http.Request, what string) ([]byte, error) {
	response, err := http.DefaultClient.Do(request) //nolint:gosec // a server of the stack
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("POST %s %s: %s %.300s", request.URL, what, response.Status, answer)
	}
	return answer, nil
}
