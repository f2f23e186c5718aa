package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
)

// The loader's own source, on the stand-in: both keep
// docs/enrichment/clients-openapi.yaml, or these tests fail.

func startServer(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(newServer(credentials{}, credentials{}))
	t.Cleanup(server.Close)
	return server
}

func newSource(t *testing.T, server *httptest.Server) *enrichment.REST {
	t.Helper()
	return sourceWith(t, server, nil)
}

// sourceWith is the loader's source on the stand-in, with what reads its secret.
func sourceWith(t *testing.T, server *httptest.Server, secret func(context.Context) (string, error)) *enrichment.REST {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	delivered := pkg.Resource("clients").Enrichment
	source, err := enrichment.NewREST(enrichment.RESTConfig{
		URL: server.URL, Name: delivered.Source, Fields: delivered.Fields, Connections: 8, Secret: secret, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
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

func faultsOf(t *testing.T, server *httptest.Server) state {
	t.Helper()
	var state state
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
		want := digestOf(key)
		if !want.found() {
			if notFound++; got[i].Status != etl.EnrichmentNotFound {
				t.Fatalf("key %d: %+v, want not found", i, got[i])
			}
			continue
		}
		values := fmt.Sprintf(`{"segment":%q,"loyalty_tier":%q,"risk_score":%s}`, want.segment(), want.tier(), want.score())
		if got[i].Status != etl.EnrichmentOK || string(got[i].Values) != values {
			t.Fatalf("key %d: %s %s, want %s", i, got[i].Status, got[i].Values, values)
		}
	}
	return notFound
}

func TestBatchesAndLookupsGiveTheSameAnswers(t *testing.T) {
	server := startServer(t)
	source, keys := newSource(t, server), testKeys(3500)
	notFound := 0
	for batch := range slices.Chunk(keys, maxKeys) {
		notFound += assertAnswers(t, batch, lookup(t, source, batch))
	}
	if notFound < 35 || notFound > 140 {
		t.Errorf("%d of 3500 keys are unknown, want about 2%%", notFound)
	}
	if state := faultsOf(t, server); state.Batches != 4 || state.Lookups != 0 || state.Keys != 3500 || state.Repeated != 0 {
		t.Errorf("batches: %+v", state)
	}
	setFaults(t, server, "ok", 0)
	for key := range slices.Chunk(keys[:300], 1) {
		assertAnswers(t, key, lookup(t, source, key))
	}
	if state := faultsOf(t, server); state.Batches != 0 || state.Lookups != 300 || state.Keys != 300 {
		t.Errorf("lookups: %+v", state)
	}
}

// lookup asks a source that answers.
func lookup(t *testing.T, source *enrichment.REST, keys []string) []enrichment.Outcome {
	t.Helper()
	got, err := source.Lookup(t.Context(), keys)
	if err != nil || len(got) != len(keys) {
		t.Fatalf("%d outcomes of %d, %v", len(got), len(keys), err)
	}
	return got
}

// patience is how long a test waits for an answer that does not come. An answer that
// does come takes milliseconds, on a busy machine some hundred.
const patience = 3 * time.Second

// TestFaults: what the loader makes of each fault of a whole call, be it for one key or
// for several, and that the next call is answered.
func TestFaults(t *testing.T) {
	for mode, code := range map[string]enrichment.Code{
		"error500": enrichment.CodeServerError, "unavailable": enrichment.CodeServerError,
		"throttled": enrichment.CodeThrottled, "throttled_date": enrichment.CodeThrottled, "throttled_silent": enrichment.CodeThrottled,
		"unauthorized": enrichment.CodeUnauthorized, "redirect": enrichment.CodeRefused,
		"timeout": enrichment.CodeTimeout, "drip": enrichment.CodeTimeout,
		"reset": enrichment.CodeUnreachable, "cut": enrichment.CodeUnreachable,
		"garbage": enrichment.CodeInvalidAnswer, "error_body": enrichment.CodeInvalidAnswer, "content_type": enrichment.CodeInvalidAnswer,
	} {
		for _, n := range []int{1, maxKeys} {
			t.Run(fmt.Sprintf("%s of %d", mode, n), func(t *testing.T) {
				t.Parallel()
				server := startServer(t)
				source, keys := newSource(t, server), testKeys(n)
				tell(t, server, map[string]any{"mode": mode, "next": 1, "retry_after": 7})
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if code == enrichment.CodeTimeout {
					ctx, cancel = context.WithTimeout(ctx, patience)
				}
				defer cancel()
				got, err := source.Lookup(ctx, keys)
				failure, ok := errors.AsType[*enrichment.Failure](err)
				if !ok || failure.Code != code || got != nil {
					t.Fatalf("%d outcomes, %v; want %s", len(got), err, code)
				}
				if asks := mode == "throttled" || mode == "throttled_date" || mode == "unavailable"; (failure.RetryAfter > 0) != asks {
					t.Errorf("retry after %v", failure.RetryAfter)
				}
				assertAnswers(t, keys, lookup(t, source, keys))
			})
		}
	}
}

// TestFaultsOfBatches: what the loader makes of a batch that is not what was asked for.
// The keys that have their answer are those that the server counts as answered.
func TestFaultsOfBatches(t *testing.T) {
	const n = 10
	for mode, want := range map[string]struct{ from, to int }{ // the keys that are answered
		"half": {0, n / 2}, "reordered": {0, n}, "doubled": {0, 0}, "unknown_members": {0, n}, "job": {0, n},
		"bad_record": {1, n}, "out_of_range": {1, n}, "huge_number": {1, n}, "duplicate_members": {1, n},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			server := startServer(t)
			keys := testKeys(n)
			tell(t, server, map[string]any{"mode": mode, "retry_after": 0})
			got := lookup(t, newSource(t, server), keys)
			assertAnswers(t, keys[want.from:want.to], got[want.from:want.to])
			for i, outcome := range got {
				if (i < want.from || i >= want.to) && outcome.Status != etl.EnrichmentFailed {
					t.Errorf("key %d: %+v", i, outcome)
				}
			}
			if state := faultsOf(t, server); state.Answered != want.to-want.from {
				t.Errorf("%d are counted as answered", state.Answered)
			}
		})
	}
}

func TestJobGone(t *testing.T) {
	server := startServer(t)
	tell(t, server, map[string]any{"mode": "job_gone", "retry_after": 0})
	_, err := newSource(t, server).Lookup(t.Context(), testKeys(2))
	if failure, ok := errors.AsType[*enrichment.Failure](err); !ok || failure.Code != enrichment.CodeServerError {
		t.Error(err)
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
		{"/v1/clients:lookup", `{"key":"1"} {"key":"2"}`, 400},
		{"/v1/clients:lookup", `null`, 400},
		{"/v1/clients:batch", `{"keys":["1",null]}`, 400},
		{"/v1/clients", `{"key":"1"}`, 404},
		{"/faults", `{"mode":"odd"}`, 400},
		{"/faults", `{"mode":"ok","next":-1}`, 400},
		{"/faults", `{"mode":"ok","latency_ms":-1}`, 400},
		{"/faults", `{"mode":"ok","drip_ms":0}`, 400},
		{"/faults", `{"mode":"ok","poisoned":["1024"]}`, 200},
		{"/faults", `{"mode":"ok","poisoned":["xyz"]}`, 400},
		{"/faults", `{"mode":"ok","poisoned":[""]}`, 400},
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
		if err := run(t.Context(), addr, "", "", io.Discard); err == nil {
			t.Errorf("it listens on %q", addr)
		}
	}
}

func TestRunStopsWithCallsInFlight(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "127.0.0.1:0", "", "", out) }()
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := "http" + strings.TrimSpace(strings.SplitN(line, "http", 2)[1])
	server := &httptest.Server{URL: url}
	setFaults(t, server, "timeout", 0)
	source := newSource(t, server)
	answered := make(chan error, 1)
	go func() {
		_, err := source.Lookup(t.Context(), testKeys(10))
		answered <- err
	}()
	for faultsOf(t, server).Batches == 0 {
		runtime.Gosched() // until the call is held
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if <-answered == nil {
		t.Error("the held call was answered")
	}
}
