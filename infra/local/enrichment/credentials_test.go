package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCredentials(t *testing.T) {
	basic := func(user, password string) []string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.SetBasicAuth(user, password)
		return []string{"Authorization", r.Header.Get("Authorization")}
	}
	for name, c := range map[string]struct {
		set           string
		right, others []string
	}{
		"none":   {`{"type":"none"}`, nil, nil},
		"header": {`{"type":"header","name":"X-Api-Key","value":"k"}`, []string{"X-Api-Key", "k"}, []string{"X-Api-Key", "K"}},
		"basic":  {`{"type":"basic","username":"u","password":"p"}`, basic("u", "p"), basic("u", "q")},
	} {
		server := startServer(t)
		if status, body := request(t, http.MethodPut, server.URL+"/credentials", c.set); status != 200 {
			t.Fatal(status, body)
		}
		lookup := func(what string, want int, headers []string) {
			t.Helper()
			if resp, _, err := post(t, server.URL+"/v1/clients:lookup", oneKey, headers...); err != nil || resp.StatusCode != want {
				t.Errorf("%s, %s: %v, %v; want %d", name, what, err, resp, want)
			}
		}
		lookup("the right ones", 200, c.right)
		if c.others != nil {
			lookup("others", 401, c.others)
			lookup("nothing", 401, nil)
		}
		setFaults(t, server, "expired", 0)
		lookup("expired", 401, c.right)
		if got := faultsOf(t, server); got.Refused != 1 || got.Lookups != 0 {
			t.Errorf("%s: %+v", name, got)
		}
		if status, _ := request(t, http.MethodPut, server.URL+"/credentials", c.set); status != 200 {
			t.Fatal(status)
		}
		lookup("after new ones", 200, c.right)
	}
}

func TestTokens(t *testing.T) {
	server := startServer(t)
	set := `{"type":"oauth2","token_url":"http://127.0.0.1/token","client_id":"i","client_secret":"s","scopes":["a"]}`
	if status, body := request(t, http.MethodPut, server.URL+"/credentials", set); status != 200 {
		t.Fatal(status, body)
	}
	token := func(want int, form url.Values, user, password string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if user != "" {
			req.SetBasicAuth(user, password)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var answer struct {
			Token string `json:"access_token"`
			Type  string `json:"token_type"`
			Life  int    `json:"expires_in"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != want {
			t.Errorf("%v, %d, want %d", err, resp.StatusCode, want)
		}
		if want == 200 && (answer.Type != "Bearer" || answer.Life != 3600) {
			t.Errorf("%+v", answer)
		}
		return answer.Token
	}
	grant := url.Values{"grant_type": {"client_credentials"}}
	token(401, grant, "i", "x")
	token(401, grant, "", "")
	token(400, url.Values{}, "i", "s")
	first := token(200, grant, "i", "s")
	second := token(200, url.Values{"grant_type": grant["grant_type"], "client_id": {"i"}, "client_secret": {"s"}}, "", "")
	lookup := func(want int, token string) {
		t.Helper()
		if resp, _, err := post(t, server.URL+"/v1/clients:lookup", oneKey, "Authorization", "Bearer "+token); err != nil || resp.StatusCode != want {
			t.Errorf("%v, %v; want %d", err, resp, want)
		}
	}
	lookup(200, first)
	lookup(200, second)
	lookup(401, "x")
	lookup(401, "")
	setFaults(t, server, "expired", 0)
	lookup(401, second)
	lookup(200, token(200, grant, "i", "s"))
	if got := faultsOf(t, server); got.Tokens != 1 || got.Refused != 1 {
		t.Errorf("%+v", got)
	}
}

func TestCredentialsRefused(t *testing.T) {
	server := startServer(t)
	path := filepath.Join(t.TempDir(), "credentials.json")
	for _, text := range []string{`{"type":"mtls"}`, `{"type":"header","name":"n"}`, `{"type":"basic","username":"u"}`, `{"type":"oauth2","client_id":"i"}`, `{}`, `x`} {
		if status, _ := request(t, http.MethodPut, server.URL+"/credentials", text); status != 400 {
			t.Errorf("%s: %d", text, status)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readCredentials(path); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	if err := os.WriteFile(path, []byte(`{"type":"header","name":"n","value":"v"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := readCredentials(path); err != nil || c.Value != "v" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := readCredentials(path + "x"); err == nil {
		t.Error("no error without a file")
	}
}
