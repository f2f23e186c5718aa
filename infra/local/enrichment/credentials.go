package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"time"
)

// credentials are what calls must carry, in the form of the loader's own secret
// (docs/deploy.md). The zero value asks for nothing.
type credentials struct {
	Type         string   `json:"type"` // header, basic, oauth2, username_token or none
	Name         string   `json:"name"`
	Value        string   `json:"value"`
	Username     string   `json:"username"`
	Password     string   `json:"password"`
	TokenURL     string   `json:"token_url"` // ignored: tokens are given out at /token
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	Scopes       []string `json:"scopes"` // ignored
}

// valid reports whether a call can carry the credentials.
func (c credentials) valid() bool {
	switch c.Type {
	case "none":
		return true
	case "header":
		return c.Name != "" && c.Value != ""
	case "basic", "username_token":
		return c.Username != "" && c.Password != ""
	case "oauth2":
		return c.ClientID != "" && c.ClientSecret != ""
	}
	return false
}

// readCredentials reads a file of them; without a path there are none.
func readCredentials(path string) (c credentials, err error) {
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // a file of the developer's own
	if err != nil {
		return c, err
	}
	if json.Unmarshal(text, &c) != nil || !c.valid() {
		return c, errors.New("the file holds no credentials of the type header, basic, oauth2 or username_token")
	}
	return c, nil
}

// door decides who is let in. Its user serialises the calls.
type door struct {
	credentials
	void   bool                 // the credentials have expired
	tokens map[string]time.Time // when each ends
}

func newDoor(c credentials) door { return door{credentials: c, tokens: map[string]time.Time{}} }

// expire ends the credentials and tokens of before.
func (d *door) expire() {
	clear(d.tokens)
	d.void = d.Type != "oauth2"
}

// admits reports whether a call carries the right credentials. A user's token is what the
// envelope of a SOAP call has; nil if it has none.
func (d *door) admits(r *http.Request, token *userToken) bool {
	if d.void {
		return false
	}
	switch d.Type {
	case "header":
		return r.Header.Get(d.Name) == d.Value
	case "basic":
		username, password, ok := r.BasicAuth()
		return ok && username == d.Username && password == d.Password
	case "username_token":
		return token != nil && *token == userToken{d.Username, d.Password}
	case "oauth2":
		end, ok := d.tokens[bearer(r)]
		return ok && time.Now().Before(end)
	}
	return true
}

// bearer returns the token of a call; empty if it has none.
func bearer(r *http.Request) string {
	const scheme = "Bearer "
	if value := r.Header.Get("Authorization"); len(value) > len(scheme) && value[:len(scheme)] == scheme {
		return value[len(scheme):]
	}
	return ""
}

// denied answers a call that is not let in.
func denied(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="enrichment"`)
	http.Error(w, "the credentials are missing, wrong or expired", http.StatusUnauthorized)
}

// token gives out a token for the client credentials grant (RFC 6749, section 4.4). The
// client says who it is by Basic or in the form.
func (s *standIn) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.PostFormValue("grant_type") != "client_credentials":
		answer(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
	case s.door.Type != "oauth2" || id != s.door.ClientID || secret != s.door.ClientSecret:
		s.ledger.Refused++
		w.Header().Set("WWW-Authenticate", `Basic realm="enrichment"`)
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	default:
		s.ledger.Tokens++
		token, life := rand.Text(), time.Duration(s.order.TokenLife)*time.Second
		s.door.tokens[token] = time.Now().Add(life)
		w.Header().Set("Cache-Control", "no-store")
		answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": s.order.TokenLife})
	}
}

// setCredentials sets what calls must carry from now on.
func (s *standIn) setCredentials(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if !read(w, r, &c) {
		return
	}
	if !c.valid() {
		refuse(w, `"type" is none, header (name, value), basic or username_token (username, password) or oauth2 (client_id, client_secret)`)
		return
	}
	s.mu.Lock()
	s.door = newDoor(c)
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"type": c.Type})
}
