package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
)

// The loader's own source and enricher, on the stand-in: both keep
// docs/enrichment/clients-openapi.yaml, or these tests fail.

func startServer(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(newStandIn())
	t.Cleanup(server.Close)
	return server
}

func newSource(t *testing.T, server *httptest.Server) *enrichment.REST {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	delivered := pkg.Resource("clients").Enrichment
	source, err := enrichment.NewREST(enrichment.RESTConfig{
		URL: server.URL, Name: delivered.Source, Fields: delivered.Fields, Connections: 8, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func newEnricher(t *testing.T, cfg enrichment.Config) *enrichment.Enricher {
	t.Helper()
	cfg.Backoff, cfg.MaxBackoff = 0, 0
	e, err := enrichment.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func request(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func setFaults(t *testing.T, server *httptest.Server, mode string, next int) {
	t.Helper()
	if status, answer := request(t, http.MethodPost, server.URL+"/faults", fmt.Sprintf(`{"mode":%q,"next":%d}`, mode, next)); status != http.StatusOK {
		t.Fatal(status, answer)
	}
}

func faultsOf(t *testing.T, server *httptest.Server) faults {
	t.Helper()
	var state faults
	if _, answer := request(t, http.MethodGet, server.URL+"/faults", ""); json.Unmarshal([]byte(answer), &state) != nil {
		t.Fatal(answer)
	}
	return state
}

func testKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint(1000 + i)
	}
	return keys
}

// assertAnswers checks that every key has the stand-in's own answer.
func assertAnswers(t *testing.T, keys []string, got []enrichment.Outcome) (notFound int) {
	t.Helper()
	for i, key := range keys {
		want := clientOf(key)
		if !want.Found {
			if notFound++; got[i].Status != etl.EnrichmentNotFound {
				t.Fatalf("key %d: %+v, want not found", i, got[i])
			}
			continue
		}
		values := fmt.Sprintf(`{"segment":%q,"loyalty_tier":%q,"risk_score":%s}`, *want.Segment, *want.LoyaltyTier, want.RiskScore)
		if got[i].Status != etl.EnrichmentOK || string(got[i].Values) != values {
			t.Fatalf("key %d: %s %s, want %s", i, got[i].Status, got[i].Values, values)
		}
	}
	return notFound
}

func TestBothModesGiveTheSameAnswers(t *testing.T) {
	server := startServer(t)
	source, keys := newSource(t, server), testKeys(3500)
	notFound := assertAnswers(t, keys, newEnricher(t, enrichment.Initial(source)).Enrich(t.Context(), keys))
	if notFound < 35 || notFound > 140 {
		t.Errorf("%d of 3500 keys are unknown, want about 2%%", notFound)
	}
	if state := faultsOf(t, server); state.Batches != 4 || state.Lookups != 0 || state.Keys != 3500 {
		t.Errorf("initial: %+v", state)
	}
	setFaults(t, server, "ok", 0)
	assertAnswers(t, keys[:300], newEnricher(t, enrichment.Daily(source)).Enrich(t.Context(), keys[:300]))
	if state := faultsOf(t, server); state.Batches != 0 || state.Lookups != 300 || state.Keys != 300 {
		t.Errorf("daily: %+v", state)
	}
}

// patience is how long a test waits for an answer that does not come. An answer that
// does come takes milliseconds, on a busy machine some hundred.
const patience = 3 * time.Second

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		mode  string
		code  enrichment.Code
		calls int // of one batch
	}{
		{"error500", enrichment.CodeServerError, 2},
		{"garbage", enrichment.CodeInvalidAnswer, 2},
		{"timeout", enrichment.CodeTimeout, 2},
		{"redirect", enrichment.CodeRefused, 2},
		{"throttled", enrichment.CodeThrottled, 1}, // asks for more patience than there is here
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			server := startServer(t)
			cfg := enrichment.Initial(newSource(t, server))
			cfg.MaxRetryAfter = 0
			if c.code == enrichment.CodeTimeout {
				cfg.Timeout = patience
			}
			e, keys := newEnricher(t, cfg), testKeys(1000)
			setFaults(t, server, c.mode, 2)
			for i, o := range e.Enrich(t.Context(), keys) {
				if o.Status != etl.EnrichmentFailed || o.Code != c.code || o.Values != nil {
					t.Fatalf("key %d: %+v", i, o)
				}
			}
			if state := faultsOf(t, server); state.Batches != c.calls {
				t.Errorf("%d calls, want %d", state.Batches, c.calls)
			}
			setFaults(t, server, c.mode, 1)
			if c.code != enrichment.CodeThrottled { // the retry answers
				assertAnswers(t, keys, e.Enrich(t.Context(), keys))
			}
			setFaults(t, server, "ok", 0)
			assertAnswers(t, keys, e.Enrich(t.Context(), keys))
		})
	}
}

func TestOneBadRecord(t *testing.T) {
	server := startServer(t)
	e, keys := newEnricher(t, enrichment.Initial(newSource(t, server))), testKeys(1000)
	setFaults(t, server, "bad_record", 1)
	got := e.Enrich(t.Context(), keys)
	if got[0].Status != etl.EnrichmentFailed || got[0].Code != enrichment.CodeInvalidAnswer {
		t.Errorf("the bad record: %+v", got[0])
	}
	assertAnswers(t, keys[1:], got[1:])

	daily := newEnricher(t, enrichment.Daily(newSource(t, server)))
	setFaults(t, server, "bad_record", 1)
	if o := daily.Enrich(t.Context(), keys[:1])[0]; o.Code != enrichment.CodeInvalidAnswer {
		t.Errorf("the bad record alone: %+v", o)
	}
}

func TestServerRefuses(t *testing.T) {
	server := startServer(t)
	long := strings.Repeat("é", maxKey+1)
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/v1/clients:lookup", `{"key":""}`, 400},
		{"/v1/clients:lookup", `{"key":"` + long + `"}`, 400},
		{"/v1/clients:lookup", `{"key":"` + long[2:] + `"}`, 200},
		{"/v1/clients:lookup", `{"keys":["1"]}`, 400},
		{"/v1/clients:lookup", `{"key":7}`, 400},
		{"/v1/clients:batch", `{"keys":[]}`, 400},
		{"/v1/clients:batch", `{"keys":["1",""]}`, 400},
		{"/v1/clients:batch", `{"keys":["` + strings.Repeat(`1","`, maxKeys) + `1"]}`, 400},
		{"/v1/clients:batch", `{"keys":["` + strings.Repeat(`1","`, maxKeys-1) + `1"]}`, 200},
		{"/v1/clients:batch", `{"keys":["` + strings.Repeat("1", maxRequest) + `"]}`, 400},
		{"/v1/clients:batch", `nonsense`, 400},
		{"/v1/clients", `{"key":"1"}`, 404},
		{"/faults", `{"mode":"odd"}`, 400},
		{"/faults", `{"mode":"ok","next":-1}`, 400},
	} {
		status, answer := request(t, http.MethodPost, server.URL+c.path, c.body)
		if status != c.status || status != 200 && strings.Contains(answer, "éé") {
			t.Errorf("%s %.40s: %d %.80s, want %d", c.path, c.body, status, answer, c.status)
		}
	}
	if status, _ := request(t, http.MethodGet, server.URL+"/v1/clients:lookup?key=1", ""); status != http.StatusMethodNotAllowed {
		t.Errorf("a key in the URL: status %d", status)
	}
	if status, answer := request(t, http.MethodGet, server.URL+"/health", ""); status != 200 || answer != `{"status":"ok"}` {
		t.Errorf("health: %d %s", status, answer)
	}
	resp, err := http.Post(server.URL+"/v1/clients:lookup", "text/plain", strings.NewReader(`{"key":"1"}`)) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("text/plain: status %d", resp.StatusCode)
	}
}

func TestRunRefusesAddresses(t *testing.T) {
	for _, addr := range []string{"", "8095", "0.0.0.0:0", "192.0.2.1:0", "localhost:0", ":0", "127.0.0.1:99999"} {
		if err := run(t.Context(), addr, io.Discard); err == nil {
			t.Errorf("it listens on %q", addr)
		}
	}
}

func TestRunStopsWithCallsInFlight(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "127.0.0.1:0", out) }()
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := "http" + strings.TrimSpace(strings.SplitN(line, "http", 2)[1])
	server := &httptest.Server{URL: url}
	setFaults(t, server, "timeout", 0)
	e := newEnricher(t, enrichment.Initial(newSource(t, server)))
	answered := make(chan []enrichment.Outcome, 1)
	go func() { answered <- e.Enrich(t.Context(), testKeys(10)) }()
	for faultsOf(t, server).Batches == 0 {
		runtime.Gosched() // until the call is held
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if o := (<-answered)[0]; o.Status != etl.EnrichmentFailed {
		t.Errorf("the held call: %+v", o)
	}
}
