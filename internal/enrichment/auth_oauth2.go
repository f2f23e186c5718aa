package enrichment

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokenPass asks for an access token by the client credentials grant (RFC 6749, section
// 4.4), with client's rules on redirects and TLS. It fails with a *Failure.
func tokenPass(ctx context.Context, client *http.Client, cfg *clientcredentials.Config, now func() time.Time) (*pass, error) {
	token, err := cfg.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	if err != nil {
		failure := tokenFailure(ctx, err, now())
		failure.Reason = "the token server: " + failure.Reason
		return nil, failure
	}
	if !strings.EqualFold(token.Type(), "bearer") || !isFieldValue(token.AccessToken) {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the token server answers no bearer token"}
	}
	return &pass{client: client, name: "Authorization", value: "Bearer " + token.AccessToken, token: token}, nil
}

// tokenFailure classifies a token that was not given. It drops the text of err, which
// quotes the answer. A refusal for no passing reason is that of the secret.
func tokenFailure(ctx context.Context, err error, now time.Time) *Failure {
	if ctx.Err() != nil {
		return transportFailure(ctx.Err())
	}
	if answered, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		failure := statusFailure(answered.Response, now)
		if failure.Code == CodeRefused {
			failure.Code = CodeUnauthorized
		}
		return failure
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return transportFailure(err)
	}
	return &Failure{Code: CodeInvalidAnswer, Reason: "the answer is no token"}
}
