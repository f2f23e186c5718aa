package enrichment

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/etl"
)

// secretKey stands for a value that must appear nowhere but in a body.
const secretKey = "904711337"

var testNow = time.Date(2024, 10, 9, 15, 0, 0, 0, time.UTC)

func testClock() time.Time { return testNow }

func newREST(t testing.TB, url string) *REST {
	t.Helper()
	s, err := NewREST(RESTConfig{URL: url, Name: "clients", Fields: testFields, Connections: 1, Now: testClock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.keeper.base.CloseIdleConnections)
	return s
}

// serve answers every request by handle.
func serve(t testing.TB, handle http.HandlerFunc) *REST {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return newREST(t, server.URL+"/api/")
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestRequests(t *testing.T) {
	for _, c := range []struct {
		keys []string
		path string
		body string
		sent string
	}{
		{[]string{"a"}, "/api/v1/clients:lookup", `{"key":"a"}`, `{"key":"a","found":false}`},
		{[]string{"a", "b"}, "/api/v1/clients:batch", `{"keys":["a","b"]}`, `{"results":[{"key":"a","found":false},{"key":"b","found":false}]}`},
	} {
		source := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.Method != http.MethodPost || r.URL.String() != c.path || string(body) != c.body ||
				r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s %s %v", r.Method, r.URL, body, r.Header)
			}
			answer(http.StatusOK, "application/json; charset=utf-8", c.sent)(w, r)
		})
		got, err := source.Lookup(t.Context(), c.keys)
		if err != nil || len(got) != len(c.keys) || got[0].Status != etl.EnrichmentNotFound {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// codeOf returns the code of a *Failure, and fails if its text shows a key.
func codeOf(t *testing.T, err error) Code {
	t.Helper()
	failure, ok := err.(*Failure) //nolint:errorlint // the very type, unwrapped
	if !ok {
		t.Fatalf("%v is no *Failure", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v", err, *failure), secretKey) {
		t.Errorf("%v shows the key", err)
	}
	return failure.Code
}

func TestFailures(t *testing.T) {
	const echo = "no such client: " + secretKey
	retryAfter := func(value string, handle http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Retry-After", value); handle(w, r) }
	}
	for _, c := range []struct {
		name   string
		handle http.HandlerFunc
		code   Code
		after  time.Duration
	}{
		{"500", answer(500, "text/plain", echo), CodeServerError, 0},
		{"503 with seconds", retryAfter("7", answer(503, "text/plain", echo)), CodeServerError, 7 * time.Second},
		{"503 with a date", retryAfter("Wed, 09 Oct 2024 15:00:20 GMT", answer(503, "text/plain", echo)), CodeServerError, 20 * time.Second},
		{"429 with seconds", retryAfter("7", answer(429, "text/plain", echo)), CodeThrottled, 7 * time.Second},
		{"429 with less than a second", retryAfter("0", answer(429, "text/plain", echo)), CodeThrottled, 0},
		{"429 with a date", retryAfter("Wed, 09 Oct 2024 15:00:20 GMT", answer(429, "text/plain", echo)), CodeThrottled, 20 * time.Second},
		{"429 with a date gone by", retryAfter("Wed, 09 Oct 2024 14:00:20 GMT", answer(429, "text/plain", echo)), CodeThrottled, 0},
		{"429 with nonsense", retryAfter("-7", answer(429, "text/plain", echo)), CodeThrottled, 0},
		{"408", answer(408, "text/plain", echo), CodeTimeout, 0},
		{"400", answer(400, "application/json", `{"key":"`+secretKey+`"}`), CodeRefused, 0},
		{"401", answer(401, "text/plain", echo), CodeUnauthorized, 0},
		{"403", answer(403, "text/plain", echo), CodeUnauthorized, 0},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, CodeRefused, 0},
		{"a page instead of JSON", answer(200, "text/html", "<p>"+echo), CodeInvalidAnswer, 0},
		{"no content type", answer(200, "", goodResult), CodeInvalidAnswer, 0},
		{"an invalid byte", answer(200, "application/json", strings.Replace(goodResult, "fidèle", "\xff", 1)), CodeInvalidAnswer, 0},
		{"garbage", answer(200, "application/json", echo), CodeInvalidAnswer, 0},
		{"another key", answer(200, "application/json", strings.Replace(goodResult, secretKey, "1", 1)), CodeInvalidAnswer, 0},
		{"too long", answer(200, "application/json", strings.Repeat(" ", MaxAnswer)+goodResult), CodeInvalidAnswer, 0},
		{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, CodeUnreachable, 0},
		{"an answer that breaks", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			answer(200, "application/json", goodResult)(w, r)
			panic(http.ErrAbortHandler)
		}, CodeUnreachable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := serve(t, c.handle).Lookup(t.Context(), []string{secretKey})
			if code := codeOf(t, err); code != c.code || got != nil {
				t.Errorf("%+v, %v, want %s", got, err, c.code)
			}
			if after := err.(*Failure).RetryAfter; after != c.after { //nolint:errorlint // checked by codeOf
				t.Errorf("retry after %v, want %v", after, c.after)
			}
		})
	}
}

func TestRedirectIsRefused(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		source := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		if _, err := source.Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != CodeRefused {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestUnreachableSource(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, err := newREST(t, server.URL).Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != CodeUnreachable {
		t.Error(err)
	}
}

func TestNewRESTRefusesURLs(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://enrichment.example.com":        true,
		"https://enrichment.example.com/a/b/":   true,
		"http://127.0.0.1:8095":                 true,
		"http://[::1]:8095":                     true,
		"http://localhost:8095":                 true,
		"":                                      false,
		"enrichment.example.com":                false,
		"http://enrichment.example.com":         false,
		"http://127.0.0.1.example.com":          false,
		"http://10.0.0.1":                       false,
		"ftp://127.0.0.1":                       false,
		"https:enrichment.example.com":          false,
		"https://user:hidden@127.0.0.1":         false,
		"https://127.0.0.1?key=hidden":          false,
		"https://127.0.0.1?":                    false,
		"https://127.0.0.1#hidden":              false,
		"https://user:hidden@127.0.0.1:port":    false,
		"https://user:hidden%zz@127.0.0.1:8080": false,
	} {
		_, err := NewREST(RESTConfig{URL: url, Name: "clients", Fields: testFields, Connections: 1, Now: time.Now})
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v shows a part of the URL that may be secret", err)
		}
	}
	for name, cfg := range map[string]RESTConfig{
		"no name":        {URL: "https://a.example", Fields: testFields, Connections: 1, Now: time.Now},
		"no fields":      {URL: "https://a.example", Name: "clients", Connections: 1, Now: time.Now},
		"no connections": {URL: "https://a.example", Name: "clients", Fields: testFields, Now: time.Now},
		"no clock":       {URL: "https://a.example", Name: "clients", Fields: testFields, Connections: 1},
	} {
		if _, err := NewREST(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The whole way: a batch fails once, the source answers a probe, the batch is retried, and
// every key gets its answer.
func TestEnricherOverREST(t *testing.T) {
	calls := 0
	source := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 1 {
			answer(500, "text/plain", "")(w, r)
			return
		}
		var question struct{ Keys []string }
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			t.Error(err)
		}
		results := make([]json.RawMessage, len(question.Keys))
		for i, key := range question.Keys {
			results[i] = json.RawMessage(strings.Replace(goodResult, secretKey, key, 1))
		}
		body, _ := json.Marshal(map[string]any{"results": results})
		answer(200, "application/json", string(body))(w, r)
	})
	source.batches = true
	e := newEnricher(t, Initial(source, 100, time.Minute), func(c *Config) { c.Backoff = 0 })
	for i, o := range ask(t, e, testKeys(1000), 1).Outcomes {
		if o.Status != etl.EnrichmentOK || !json.Valid(o.Values) {
			t.Fatalf("key %d: %+v", i, o)
		}
	}
	if calls != 12 { // with a retry and a probe
		t.Errorf("%d calls, want 12", calls)
	}
}

func BenchmarkBatch(b *testing.B) {
	keys := testKeys(1000)
	var body strings.Builder
	body.WriteString(`{"results":[`)
	for i, key := range keys {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(strings.Replace(goodResult, secretKey, key, 1))
	}
	body.WriteString(`]}`)
	source := serve(b, answer(200, "application/json", body.String()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := source.Lookup(b.Context(), keys); err != nil {
			b.Fatal(err)
		}
	}
}
