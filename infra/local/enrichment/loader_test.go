package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"etl-dataloader/internal/enrichment"
)

// authenticated is the loader's source on the stand-in, with the secret as it is at each
// reading.
func authenticated(t *testing.T, server *httptest.Server, secret *string, reads *int) *enrichment.REST {
	t.Helper()
	return sourceWith(t, server, func(context.Context) (string, error) {
		*reads++
		return *secret, nil
	})
}

// TestLoaderAuthenticates: the same secret lets the loader in at the stand-in. It goes on
// after the secret was changed on both sides, and is refused while only one side has
// changed.
func TestLoaderAuthenticates(t *testing.T) {
	server := startServer(t)
	for kind, secretOf := range map[string]func(string) string{
		"header": func(v string) string { return fmt.Sprintf(`{"type":"header","name":"X-Api-Key","value":%q}`, v) },
		"basic":  func(v string) string { return fmt.Sprintf(`{"type":"basic","username":"loader","password":%q}`, v) },
		"oauth2": func(v string) string {
			return fmt.Sprintf(`{"type":"oauth2","token_url":%q,"client_id":"loader","client_secret":%q,"scopes":["clients"]}`, server.URL+"/token", v)
		},
	} {
		t.Run(kind, func(t *testing.T) {
			var secret string
			reads, keys := 0, testKeys(3)
			change := func(v string) {
				if status, body := request(t, http.MethodPut, server.URL+"/credentials", secretOf(v)); status != http.StatusOK {
					t.Fatal(status, body)
				}
			}
			source := authenticated(t, server, &secret, &reads)
			answered := func(step string, want int) {
				t.Helper()
				assertAnswers(t, keys, lookup(t, source, keys))
				if reads != want {
					t.Errorf("%s: the secret was read %d times, want %d", step, reads, want)
				}
			}
			change("first")
			secret = secretOf("first")
			answered("at first", 1)
			answered("again", 1)
			change("second")
			_, err := source.Lookup(t.Context(), keys)
			if failure, ok := errors.AsType[*enrichment.Failure](err); !ok || failure.Code != enrichment.CodeUnauthorized || reads != 2 {
				t.Errorf("while one side has changed: %v after %d reads", err, reads)
			}
			secret = secretOf("second")
			answered("after both have changed", 3)
			tell(t, server, map[string]any{"mode": "job", "retry_after": 0})
			answered("by a job", 3)
			setFaults(t, server, "ok", 0)
		})
	}
}

// TestLoaderRenewsTokens: a token that has expired on the server's side costs one more
// call, not an answer.
func TestLoaderRenewsTokens(t *testing.T) {
	server := startServer(t)
	secret := fmt.Sprintf(`{"type":"oauth2","token_url":%q,"client_id":"i","client_secret":"s"}`, server.URL+"/token")
	if status, body := request(t, http.MethodPut, server.URL+"/credentials", secret); status != http.StatusOK {
		t.Fatal(status, body)
	}
	reads, keys := 0, testKeys(3)
	source := authenticated(t, server, &secret, &reads)
	lookup(t, source, keys)
	setFaults(t, server, "expired", 0)
	assertAnswers(t, keys, lookup(t, source, keys))
	if state := faultsOf(t, server); state.Refused != 1 || state.Tokens != 1 || state.Batches != 1 || reads != 2 {
		t.Errorf("%+v, %d reads of the secret", state, reads)
	}
}
