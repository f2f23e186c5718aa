package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// RefusedError is an answer of the stack's HTTP API other than 200.
type RefusedError struct {
	Status int
	FunctionError
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%d, %s", e.Status, e.FunctionError.Error())
}

// Credentials are those of the stack's administrator.
func (s *Stack) Credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: s.Env["AWS_ACCESS_KEY_ID"], SecretAccessKey: s.Env["AWS_SECRET_ACCESS_KEY"]}
}

// Ask sends a request, signed with credentials, to a route of the stack's HTTP API and
// returns the answer. It fails with a [RefusedError] if the answer is not 200. Each of
// changes modifies the signed request.
func (s *Stack) Ask(ctx context.Context, route string, in any, signer aws.Credentials, changes ...func(*http.Request)) (json.RawMessage, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Env["CONTROL_API"]+route, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if err := s.sign(ctx, request, body, "execute-api", signer); err != nil {
		return nil, err
	}
	for _, change := range changes {
		change(request)
	}
	response, err := http.DefaultClient.Do(request) //nolint:gosec // the stack's own address
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", route, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", route, err)
	}
	if response.StatusCode != http.StatusOK {
		refused := &RefusedError{Status: response.StatusCode}
		_ = json.Unmarshal(answer, &refused.FunctionError) // API Gateway's own answers have another form
		return nil, refused
	}
	return answer, nil
}

// sign signs a request to a service.
func (s *Stack) sign(ctx context.Context, request *http.Request, body []byte, service string, signer aws.Credentials) error {
	hash := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, signer, request, hex.EncodeToString(hash[:]), service, s.Env["AWS_REGION"], time.Now())
}
