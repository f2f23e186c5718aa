package enrichment

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// vault gives out a secret and counts how often it was read.
type vault struct {
	mu    sync.Mutex
	texts []string // the secrets of successive reads; the last is that of all further ones
	reads int
}

func (v *vault) read(context.Context) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := v.texts[min(v.reads, len(v.texts)-1)]
	v.reads++
	return text, nil
}

// guarded is a source on url whose secret is read by read.
func guarded(t *testing.T, url string, read func(context.Context) (string, error)) *REST {
	t.Helper()
	s, err := NewREST(RESTConfig{
		URL: url, Name: "clients", Fields: testFields, Connections: 4, Secret: read, Now: func() time.Time { return testNow },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.keeper.base.CloseIdleConnections()
		if s.keeper.current != nil {
			s.keeper.current.client.CloseIdleConnections()
		}
	})
	return s
}

// guard serves answers to whom admit lets in, and 401 or 403 to others. It fails the
// test where a secret stands elsewhere than in a header.
func guard(t *testing.T, status int, admit func(*http.Request) bool) (url string, calls *int) {
	t.Helper()
	calls = new(int)
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || strings.Contains(r.URL.String()+string(body), canary) {
			t.Errorf("%v, or a secret in %s %s", err, r.URL, body)
		}
		mu.Lock()
		*calls++
		mu.Unlock()
		if !admit(r) {
			answer(status, "text/plain", "no: "+r.Header.Get("Authorization")+r.Header.Get("X-Api-Key"))(w, r)
			return
		}
		answer(http.StatusOK, "application/json", goodResult)(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, calls
}

func headerSecretOf(value string) string {
	return `{"type":"header","name":"X-Api-Key","value":"` + canary + value + `"}`
}

func withKey(value string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get("X-Api-Key") == canary+value }
}

// refusal returns the failure of a call that is refused, whose text shows no secret.
func refusal(t *testing.T, err error) *Failure {
	t.Helper()
	if codeOf(t, err) != CodeUnauthorized || strings.Contains(err.Error(), canary) {
		t.Fatalf("%v, want unauthorized and no secret", err)
	}
	failure, _ := errors.AsType[*Failure](err)
	return failure
}

func TestHeaderAndBasic(t *testing.T) {
	for name, c := range map[string]struct {
		secret string
		admit  func(*http.Request) bool
	}{
		"header": {headerSecretOf("1"), withKey("1")},
		"basic": {`{"type":"basic","username":"loader","password":"` + canary + `"}`, func(r *http.Request) bool {
			user, password, ok := r.BasicAuth()
			return ok && user == "loader" && password == canary
		}},
	} {
		v := &vault{texts: []string{c.secret}}
		url, calls := guard(t, http.StatusUnauthorized, c.admit)
		source := guarded(t, url, v.read)
		for range 3 {
			if _, err := source.Lookup(t.Context(), []string{secretKey}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if v.reads != 1 || *calls != 3 {
			t.Errorf("%s: the secret was read %d times for 3 calls, of which %d came", name, v.reads, *calls)
		}
	}
}

// TestSecretChanges: a call that is refused reads the secret again and is made once
// more. Further calls use the new one.
func TestSecretChanges(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		v := &vault{texts: []string{headerSecretOf("old"), headerSecretOf("new")}}
		url, calls := guard(t, status, withKey("new"))
		source := guarded(t, url, v.read)
		for range 2 {
			if _, err := source.Lookup(t.Context(), []string{secretKey}); err != nil {
				t.Error(err)
			}
		}
		if v.reads != 2 || *calls != 3 {
			t.Errorf("%d: %d reads and %d calls, want 2 and 3", status, v.reads, *calls)
		}
	}
}

// TestSecretStaysWrong: a second refusal ends the call, and the next one tries again
// from the start.
func TestSecretStaysWrong(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		v := &vault{texts: []string{headerSecretOf("wrong")}}
		url, calls := guard(t, status, withKey("right"))
		source := guarded(t, url, v.read)
		for call := range 2 {
			_, err := source.Lookup(t.Context(), []string{secretKey})
			if reason := refusal(t, err).Reason; !strings.Contains(reason, strconv.Itoa(status)) {
				t.Errorf("the reason %q does not name the status", reason)
			}
			if v.reads != 2+call || *calls != 2*(call+1) {
				t.Errorf("call %d: %d reads and %d calls in all", call+1, v.reads, *calls)
			}
		}
	}
}

// TestSecretIsReadAgainOnce: calls that are refused together read the secret again
// once for all of them.
func TestSecretIsReadAgainOnce(t *testing.T) {
	const together = 4
	v := &vault{texts: []string{headerSecretOf("old"), headerSecretOf("new")}}
	var arrived sync.WaitGroup
	arrived.Add(together)
	url, _ := guard(t, http.StatusUnauthorized, func(r *http.Request) bool {
		if withKey("old")(r) { // until all have come with the old one
			arrived.Done()
			arrived.Wait()
			return false
		}
		return withKey("new")(r)
	})
	source := guarded(t, url, v.read)
	var calls sync.WaitGroup
	for range together {
		calls.Go(func() {
			if _, err := source.Lookup(t.Context(), []string{secretKey}); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if v.reads != 2 {
		t.Errorf("the secret was read %d times, want 2", v.reads)
	}
}

// TestUnusableSecret: the source is not asked, and the failure says what to mend.
func TestUnusableSecret(t *testing.T) {
	url, calls := guard(t, http.StatusUnauthorized, func(*http.Request) bool { return true })
	for name, c := range map[string]struct {
		read   func(context.Context) (string, error)
		reason string
	}{
		"denied":    {func(context.Context) (string, error) { return "", errors.New("AccessDenied") }, "AccessDenied"},
		"malformed": {func(context.Context) (string, error) { return `{"type":"` + canary + `"}`, nil }, "members of its type"},
	} {
		_, err := guarded(t, url, c.read).Lookup(t.Context(), []string{secretKey})
		if failure := refusal(t, err); !strings.Contains(failure.Reason, c.reason) {
			t.Errorf("%s: %q", name, failure.Reason)
		}
	}
	if *calls != 0 {
		t.Errorf("the source was asked %d times", *calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := guarded(t, url, func(ctx context.Context) (string, error) { return "", ctx.Err() }).Lookup(ctx, []string{secretKey})
	if codeOf(t, err) == CodeUnauthorized {
		t.Errorf("a call that was given up: %v", err)
	}
}

// mutual serves answers to those who present a certificate of trusted.
func mutual(t *testing.T, own, trusted *authority) (url string) {
	t.Helper()
	server := httptest.NewUnstartedServer(answer(http.StatusOK, "application/json", goodResult))
	certificate, key := own.issue(t)
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(trusted.parsed)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
		MaxVersion: tls.VersionTLS12, // the handshake itself fails, and not the first read after it
	}
	server.Config.ErrorLog = discarded()
	server.StartTLS()
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

func mutualSecretOf(t *testing.T, from, of *authority) string {
	t.Helper()
	certificate, key := from.issue(t)
	return secretOf(t, map[string]any{"type": "mtls", "certificate": certificate, "key": key, "authority": of.certificate})
}

func TestMutualTLS(t *testing.T) {
	own, trusted, other := newAuthority(t), newAuthority(t), newAuthority(t)
	url := mutual(t, own, trusted)
	good, bad := mutualSecretOf(t, trusted, own), mutualSecretOf(t, other, own)

	v := &vault{texts: []string{bad, good}}
	source := guarded(t, url, v.read)
	for range 2 {
		if _, err := source.Lookup(t.Context(), []string{secretKey}); err != nil || v.reads != 2 {
			t.Errorf("a certificate that was replaced: %v, %d reads", err, v.reads)
		}
	}
	v = &vault{texts: []string{bad}}
	if _, err := guarded(t, url, v.read).Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != CodeUnauthorized || v.reads != 2 {
		t.Errorf("a certificate that is refused: %v, %d reads", err, v.reads)
	}
	v = &vault{texts: []string{mutualSecretOf(t, trusted, other)}}
	if _, err := guarded(t, url, v.read).Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != CodeUnreachable {
		t.Errorf("a source of another authority: %v", err)
	}
	if _, err := newREST(t, url).Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != CodeUnreachable {
		t.Errorf("a source that the system does not know: %v", err)
	}
}
