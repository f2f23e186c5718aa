package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	oneKey  = `{"key":"1000"}`
	twoKeys = `{"keys":["1000","1001"]}`
)

// tell gives the server an order.
func tell(t *testing.T, server *httptest.Server, o map[string]any) {
	t.Helper()
	body, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if status, text := request(t, http.MethodPost, server.URL+"/faults", string(body)); status != http.StatusOK {
		t.Fatal(status, text)
	}
}

// post posts JSON and returns the answer with its body, as far as that comes.
func post(t *testing.T, url, body string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

// right is the right answer to twoKeys.
func right() (first, second string) {
	return string(appendResult(nil, "1000", digestOf("1000"), "ok")), string(appendResult(nil, "1001", digestOf("1001"), "ok"))
}

// TestModes: what each fault is, seen from outside.
func TestModes(t *testing.T) {
	first, second := right()
	whole := `{"results":[` + first + "," + second + `]}`
	for _, c := range []struct {
		mode   string
		status int
		body   string // what the body is or holds
	}{
		{"ok", 200, whole},
		{"error500", 500, "told to fail"},
		{"unavailable", 503, "told to be away"},
		{"throttled", 429, "told to throttle"},
		{"throttled_date", 429, "told to throttle"},
		{"throttled_silent", 429, "told to throttle"},
		{"unauthorized", 401, "credentials"},
		{"redirect", 307, ""},
		{"garbage", 200, "<html>"},
		{"error_body", 200, `{"error":"unavailable"`},
		{"content_type", 200, whole},
		{"drip", 200, whole},
		{"half", 200, `{"results":[` + first + `]}`},
		{"reordered", 200, `{"results":[` + second + "," + first + `]}`},
		{"doubled", 200, `{"results":[` + first + "," + first + "," + second + "," + second + `]}`},
		{"bad_record", 200, `"risk_score":"élevé"},` + second},
		{"out_of_range", 200, `"risk_score":17},` + second},
		{"huge_number", 200, `"risk_score":1e999999999},` + second},
		{"duplicate_members", 200, `,"segment":"essentiel"},` + second},
		{"unknown_members", 200, strings.TrimSuffix(first, "}") + `,"internal_id":7,"score_details":{"segment":["x"]}},`},
	} {
		t.Run(c.mode, func(t *testing.T) {
			server := startServer(t)
			tell(t, server, map[string]any{"mode": c.mode, "retry_after": 7, "drip_ms": 1, "next": 1})
			resp, body, err := post(t, server.URL+"/v1/clients:batch", twoKeys)
			if err != nil || resp.StatusCode != c.status || !strings.Contains(body, c.body) {
				t.Fatalf("%v, %v, %s", err, resp, body)
			}
			if resp, body, err = post(t, server.URL+"/v1/clients:batch", twoKeys); err != nil || resp.StatusCode != 200 || body != whole {
				t.Errorf("the call after it: %v, %v, %s", err, resp, body)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	server := startServer(t)
	for mode, want := range map[string]string{"throttled": "7", "unavailable": "7", "throttled_silent": "", "error500": ""} {
		tell(t, server, map[string]any{"mode": mode, "retry_after": 7})
		if resp, _, err := post(t, server.URL+"/v1/clients:lookup", oneKey); err != nil || resp.Header.Get("Retry-After") != want {
			t.Errorf("%s: %v, %v", mode, err, resp)
		}
	}
	tell(t, server, map[string]any{"mode": "throttled_date", "retry_after": 3600})
	resp, _, err := post(t, server.URL+"/v1/clients:lookup", oneKey)
	if err != nil {
		t.Fatal(err)
	}
	if at, err := http.ParseTime(resp.Header.Get("Retry-After")); err != nil || time.Until(at) < 50*time.Minute {
		t.Errorf("%v, %v", at, err)
	}
}

// TestBrokenConnections: neither an answer nor its second half.
func TestBrokenConnections(t *testing.T) {
	server := startServer(t)
	for mode, answered := range map[string]bool{"reset": false, "cut": true} {
		tell(t, server, map[string]any{"mode": mode})
		resp, body, err := post(t, server.URL+"/v1/clients:batch", twoKeys)
		if err == nil || (resp != nil) != answered || strings.HasSuffix(body, "}") {
			t.Errorf("%s: %v, %v, %s", mode, err, resp, body)
		}
	}
}

// TestLatency: an answer that takes an hour is not there when the caller goes.
func TestLatency(t *testing.T) {
	server := startServer(t)
	tell(t, server, map[string]any{"mode": "ok", "latency_ms": 3600_000})
	client := &http.Client{Timeout: 50 * time.Millisecond}
	resp, err := client.Post(server.URL+"/v1/clients:lookup", "application/json", strings.NewReader(oneKey)) //nolint:noctx // a test
	if err == nil {
		_ = resp.Body.Close()
		t.Error(resp)
	}
}

// TestPoison: every call with the key fails, and no other.
func TestPoison(t *testing.T) {
	server := startServer(t)
	d := digestOf("1001")
	for _, prefix := range []string{hex.EncodeToString(d[:]), hex.EncodeToString(d[:])[:7]} {
		tell(t, server, map[string]any{"mode": "ok", "poisoned": []string{prefix}})
		for body, want := range map[string]int{twoKeys: 500, `{"keys":["1000","1002"]}`: 200} {
			if resp, _, err := post(t, server.URL+"/v1/clients:batch", body); err != nil || resp.StatusCode != want {
				t.Errorf("%s: %v, %v", body, err, resp)
			}
		}
		if resp, _, err := post(t, server.URL+"/v1/clients:lookup", `{"key":"1001"}`); err != nil || resp.StatusCode != 500 {
			t.Errorf("%v, %v", err, resp)
		}
	}
}

// TestCounts: keys are told apart, those asked for from those answered.
func TestCounts(t *testing.T) {
	server := startServer(t)
	ask := func(mode string, bodies ...string) {
		t.Helper()
		tell(t, server, map[string]any{"mode": mode, "keep": true})
		for _, body := range bodies {
			path := "/v1/clients:batch"
			if body == oneKey {
				path = "/v1/clients:lookup"
			}
			if _, _, err := post(t, server.URL+path, body); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask("error500", twoKeys)
	ask("ok", oneKey, `{"keys":["1000","1002"]}`, oneKey)
	ask("half", twoKeys)
	want := counts{Lookups: 2, Batches: 3, Keys: 8, Distinct: 3, Repeated: 2, Answered: 2, AnsweredAgain: 1, MostInFlight: 1}
	if got := faultsOf(t, server).counts; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	setFaults(t, server, "ok", 0)
	if got := faultsOf(t, server).counts; got != (counts{}) {
		t.Errorf("after a reset: %+v", got)
	}
}

// TestJobs: a job is not done for as many looks as the order says, then once.
func TestJobs(t *testing.T) {
	first, second := right()
	server := startServer(t)
	tell(t, server, map[string]any{"mode": "job", "polls": 1, "retry_after": 7})
	resp, _, err := post(t, server.URL+"/v1/clients:batch", twoKeys)
	if err != nil || resp.StatusCode != 202 || resp.Header.Get("Retry-After") != "7" {
		t.Fatalf("%v, %v", err, resp)
	}
	job := server.URL + resp.Header.Get("Location")
	for i, want := range []int{202, 200, 404} {
		status, body := request(t, http.MethodGet, job, "")
		if status != want || status == 200 && body != `{"results":[`+first+","+second+`]}` {
			t.Errorf("look %d: %d %s, want %d", i+1, status, body, want)
		}
	}
	if resp, body, err := post(t, server.URL+"/v1/clients:lookup", oneKey); err != nil || resp.StatusCode != 200 || body != first {
		t.Errorf("a lookup: %v, %v", err, resp)
	}
	if got := faultsOf(t, server).counts; got.Jobs != 1 || got.Polls != 3 || got.Answered != 2 {
		t.Errorf("%+v", got)
	}
	tell(t, server, map[string]any{"mode": "job_gone"})
	if resp, _, err = post(t, server.URL+"/v1/clients:batch", twoKeys); err != nil || resp.StatusCode != 202 {
		t.Fatalf("%v, %v", err, resp)
	}
	if status, _ := request(t, http.MethodGet, server.URL+resp.Header.Get("Location"), ""); status != 410 {
		t.Errorf("a job that is gone: %d", status)
	}
}

// BenchmarkBatch asks for a million keys over and over. 100,000 keys a second are wanted.
func BenchmarkBatch(b *testing.B) {
	handler := newStandIn(credentials{})
	bodies := make([]string, 1000)
	for i := range bodies {
		keys := make([]string, maxKeys)
		for j := range keys {
			keys[j] = fmt.Sprint(1_000_000 + i*maxKeys + j)
		}
		text, _ := json.Marshal(map[string][]string{"keys": keys})
		bodies[i] = string(text)
	}
	n := 0
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/clients:batch", strings.NewReader(bodies[n%len(bodies)]))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
		n++
	}
	b.ReportMetric(float64(n*maxKeys)/b.Elapsed().Seconds(), "keys/s")
}
