package enrichment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// tokens is a token server (RFC 6749, section 4.4), with the source that takes them.
type tokens struct {
	url    string
	mu     sync.Mutex
	secret string // of the client
	issued int
	asked  int
	life   int              // seconds
	fail   http.HandlerFunc // answers in its place
}

func newTokens(t *testing.T) *tokens {
	t.Helper()
	s := &tokens{secret: canary + "1", life: 3600}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked++
		id, secret, _ := r.BasicAuth()
		switch {
		case s.fail != nil:
			s.fail(w, r)
		case r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "a b" || r.URL.RawQuery != "":
			t.Errorf("the token server is asked %s %v", r.URL, r.PostForm)
		case id != "loader" || secret != s.secret:
			answer(http.StatusUnauthorized, "application/json", `{"error":"invalid_client","error_description":"`+secret+`"}`)(w, r)
		default:
			s.issued++
			answer(http.StatusOK, "application/json", fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%d}`, s.token(), s.life))(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/token"
	return s
}

// token is the newest token, the only one that is good.
func (s *tokens) token() string { return canary + "-token-" + strconv.Itoa(s.issued) }

func (s *tokens) admit(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.Header.Get("Authorization") == "Bearer "+s.token()
}

func (s *tokens) secretText(t *testing.T, secret string) string {
	t.Helper()
	return secretOf(t, map[string]any{"type": "oauth2", "token_url": s.url, "client_id": "loader", "client_secret": secret, "scopes": []string{"a", "b"}})
}

func TestTokens(t *testing.T) {
	s := newTokens(t)
	v := &vault{texts: []string{s.secretText(t, canary+"1"), s.secretText(t, canary+"1"), s.secretText(t, canary+"2")}}
	url, _ := guard(t, http.StatusUnauthorized, s.admit)
	source := guarded(t, url, v.read)
	lookup := func(step string, reads, issued int) {
		t.Helper()
		if _, err := source.Lookup(t.Context(), []string{secretKey}); err != nil {
			t.Errorf("%s: %v", step, err)
		}
		if v.reads != reads || s.issued != issued {
			t.Errorf("%s: %d reads of the secret and %d tokens, want %d and %d", step, v.reads, s.issued, reads, issued)
		}
	}
	lookup("the first call", 1, 1)
	lookup("a call with the token", 1, 1)
	s.issued++ // the source forgets the token
	lookup("after a refusal", 2, 3)
	s.life = 1 // shorter than it is worth: no token can be used twice
	s.issued++
	s.secret = canary + "2"
	lookup("after another secret", 3, 5)
	lookup("with a token that has expired", 3, 6)
	s.secret = canary + "3"
	v.texts = append(v.texts, s.secretText(t, canary+"3"))
	lookup("with an expired token and another secret", 4, 7)
}

// TestTokenFailures: no token is no answer, and the failure tells a server that is down
// from a secret that is refused.
func TestTokenFailures(t *testing.T) {
	retryAfter := func(value string, handle http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Retry-After", value); handle(w, r) }
	}
	for _, c := range []struct {
		name  string
		fail  http.HandlerFunc
		code  Code
		after time.Duration
	}{
		{"an invalid client", answer(400, "application/json", `{"error":"invalid_client","error_description":"`+canary+`"}`), CodeUnauthorized, 0},
		{"an error with status 200", answer(200, "application/json", `{"error":"invalid_client","error_description":"`+canary+`"}`), CodeUnauthorized, 0},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?"+canary, http.StatusTemporaryRedirect)
		}, CodeUnauthorized, 0},
		{"no such page", answer(404, "text/plain", canary), CodeUnauthorized, 0},
		{"too many", retryAfter("7", answer(429, "text/plain", canary)), CodeThrottled, 7 * time.Second},
		{"down", retryAfter("Wed, 09 Oct 2024 15:00:20 GMT", answer(503, "text/plain", canary)), CodeServerError, 20 * time.Second},
		{"garbage", answer(200, "application/json", canary), CodeInvalidAnswer, 0},
		{"no token", answer(200, "application/json", `{"token_type":"bearer"}`), CodeInvalidAnswer, 0},
		{"another type", answer(200, "application/json", `{"access_token":"`+canary+`","token_type":"mac"}`), CodeInvalidAnswer, 0},
		{"a token that is no header", answer(200, "application/json", `{"access_token":"`+canary+`\n","token_type":"bearer"}`), CodeInvalidAnswer, 0},
		{"a broken connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, CodeUnreachable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newTokens(t)
			s.fail = c.fail
			v := &vault{texts: []string{s.secretText(t, canary+"1")}}
			url, calls := guard(t, http.StatusUnauthorized, s.admit)
			_, err := guarded(t, url, v.read).Lookup(t.Context(), []string{secretKey})
			failure, ok := errors.AsType[*Failure](err)
			if !ok || failure.Code != c.code || failure.RetryAfter != c.after || strings.Contains(failure.Error(), canary) {
				t.Errorf("%v, want %s after %v", err, c.code, c.after)
			}
			if *calls != 0 {
				t.Error("the source was asked without a token")
			}
		})
	}
}

// TestTokenServerHangs: a token that does not come ends with the call's time.
func TestTokenServerHangs(t *testing.T) {
	s := newTokens(t)
	release := make(chan struct{})
	s.fail = func(w http.ResponseWriter, r *http.Request) { held(w, r, release) }
	t.Cleanup(func() { close(release) })
	v := &vault{texts: []string{s.secretText(t, canary+"1")}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := guarded(t, s.url, v.read).Lookup(ctx, []string{secretKey}); codeOf(t, err) != CodeTimeout {
		t.Error(err)
	}
}
