package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"etl-dataloader/internal/gateway"
)

// api is the HTTP API of a stack. Every request is signed with the caller's
// credentials, so the stack knows who asks.
type api struct {
	url         string // without a slash at its end
	region      string
	credentials aws.CredentialsProvider
	client      *http.Client
	now         func() time.Time
}

// maxAnswer is more than an answer may have: Lambda returns at most 6 MB.
const maxAnswer = 8 << 20

// refusedError means that the stack did not carry out a request.
type refusedError struct {
	Name string // name of the fault, such as "Refused"
	Text string // in French, for people
}

// Error implements error.
func (e *refusedError) Error() string {
	if e.Name == "Refused" {
		return textRefused(e.Text)
	}
	return textRerunFailed(e.Name, e.Text)
}

// errSlow means that the request is still being carried out: API Gateway waits at most
// 30 seconds for a function (API Gateway developer guide, "Quotas for HTTP APIs").
var errSlow = errors.New("the request takes longer than API Gateway waits")

// ask sends a request and reads its answer into out. It fails with *refusedError if the
// stack refused the request, and with errSlow. It never repeats a request: if the first
// one was carried out and its answer lost, a second would be refused. That is up to the
// operator.
func (a api) ask(ctx context.Context, route string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := a.signed(ctx, route, body)
	if err != nil {
		return err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", route, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", route, err)
	}
	if response.StatusCode != http.StatusOK {
		return refusal(response.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: read the answer: %w", route, err)
	}
	return nil
}

// signed returns a request with its signature (Signature Version 4).
func (a api) signed(ctx context.Context, route string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+route, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	credentials, err := a.credentials.Retrieve(ctx)
	if err != nil {
		return nil, &usageError{textNoCredentials(err)}
	}
	hash := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(hash[:]), "execute-api", a.region, a.now())
	return request, err
}

// refusal returns the error in an answer other than 200: a fault of the function, or
// what API Gateway says itself.
func refusal(status int, answer []byte) error {
	var fault gateway.Failure
	if err := json.Unmarshal(answer, &fault); err == nil && fault.Name != "" {
		return &refusedError{Name: string(fault.Name), Text: fault.Text}
	}
	switch status {
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return errSlow
	case http.StatusForbidden, http.StatusUnauthorized:
		return &refusedError{Name: "Refused", Text: textForbidden}
	default:
		return &refusedError{Name: fmt.Sprintf("HTTP %d", status), Text: string(answer)}
	}
}
