package stack

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestAsk(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed := strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=key/")
		switch {
		case !signed:
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/refuse":
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"errorType":"Refused","errorMessage":"no"}`)
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	defer server.Close()
	s := &Stack{Env: map[string]string{"CONTROL_API": server.URL, "AWS_REGION": "eu-west-1"}}
	key := aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}
	if answer, err := s.Ask(t.Context(), "/rerun", 1, key); err != nil || string(answer) != "{}" {
		t.Errorf("%s, %v", answer, err)
	}
	for route, c := range map[string]struct {
		change func(*http.Request)
		status int
		name   string
	}{
		"/refuse": {func(*http.Request) {}, 409, "Refused"},
		"/rerun":  {func(r *http.Request) { r.Header.Del("Authorization") }, 403, ""},
	} {
		_, err := s.Ask(t.Context(), route, 1, key, c.change)
		if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Status != c.status || refused.Type != c.name {
			t.Errorf("%s: %v", route, err)
		}
	}
}
