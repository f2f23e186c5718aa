package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"etl-dataloader/internal/control"
)

// gatewayFor is an API that answers every request the same way, and what asks it.
func gatewayFor(t *testing.T, status int, answer string, seen func(*http.Request, []byte)) api {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if seen != nil {
			seen(r, body)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return api{
		url: server.URL, region: "eu-west-3", client: server.Client(), now: func() time.Time { return at(0) },
		credentials: credentials.NewStaticCredentialsProvider("AKIA1", "secret", "session"),
	}
}

// signature computes anew the signature that a request should have.
func signature(t *testing.T, r *http.Request, body []byte, secret string) string {
	t.Helper()
	again, err := http.NewRequestWithContext(t.Context(), r.Method, "http://"+r.Host+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	again.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	hash := sha256.Sum256(body)
	key := aws.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: secret, SessionToken: "session"}
	if err := v4.NewSigner().SignHTTP(t.Context(), key, again, hex.EncodeToString(hash[:]), "execute-api", "eu-west-3", at(0)); err != nil {
		t.Fatal(err)
	}
	return again.Header.Get("Authorization")
}

func TestAskSigns(t *testing.T) {
	request := control.Request{ImportID: importID, Mode: "restart", Force: true}
	a := gatewayFor(t, http.StatusOK, `{"message":"Il redémarre."}`, func(r *http.Request, body []byte) {
		if want := `{"import_id":"` + importID + `","mode":"restart","force":true}`; r.Method != http.MethodPost || r.URL.Path != "/rerun" || string(body) != want {
			t.Errorf("%s %s: %s", r.Method, r.URL.Path, body)
		}
		if got := r.Header.Get("Authorization"); got != signature(t, r, body, "secret") || got == signature(t, r, body, "other") || r.Header.Get("X-Amz-Security-Token") != "session" {
			t.Errorf("signed %s", got)
		}
	})
	var answer control.Answer
	if err := a.ask(t.Context(), "/rerun", request, &answer); err != nil || answer.Message != "Il redémarre." {
		t.Errorf("ask = %+v, %v", answer, err)
	}
}

func TestAskFails(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		answer string
		text   string // of a *refusedError; empty: another error
		slow   bool
	}{
		"refused":    {409, `{"errorType":"Refused","errorMessage":"Import X : l'import est en cours"}`, "Demande refusée. Import X : l'import est en cours.", false},
		"transient":  {503, `{"errorType":"Transient","errorMessage":"no answer"}`, "La demande n'a pas abouti (Transient) : no answer. Elle peut être répétée.", false},
		"forbidden":  {403, `{"message":"Forbidden"}`, "Demande refusée. " + textForbidden + ".", false},
		"crashed":    {500, `{"message":"Internal Server Error"}`, `La demande n'a pas abouti (HTTP 500) : {"message":"Internal Server Error"}. Elle peut être répétée.`, false},
		"redirected": {307, ``, "La demande n'a pas abouti (HTTP 307) : . Elle peut être répétée.", false},
		"slow":       {503, `{"message":"Service Unavailable"}`, "", true},
		"no JSON":    {200, `what?`, "", false},
		"empty body": {200, ``, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := gatewayFor(t, c.status, c.answer, nil).ask(t.Context(), "/rerun", control.Request{}, &control.Answer{})
			refused, ok := errors.AsType[*refusedError](err)
			if err == nil || ok != (c.text != "") || errors.Is(err, errSlow) != c.slow {
				t.Fatalf("error %v", err)
			}
			if ok && refused.Error() != c.text {
				t.Errorf("%q, want %q", strings.TrimSpace(refused.Error()), c.text)
			}
		})
	}
	a := gatewayFor(t, http.StatusOK, `{}`, func(*http.Request, []byte) { t.Error("an unsigned request was sent") })
	a.credentials = aws.AnonymousCredentials{}
	if err := a.ask(t.Context(), "/rerun", control.Request{}, &control.Answer{}); err == nil {
		t.Error("asked without credentials")
	}
}
