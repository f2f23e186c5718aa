package enrichment

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
)

const (
	soapNamespace11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soapNamespace12 = "http://www.w3.org/2003/05/soap-envelope"
	testNamespace   = "urn:etl-dataloader:enrichment:clients:v1"
)

// soapVersions are the versions, with what distinguishes their messages.
func soapVersions() []struct {
	version          contract.SOAPVersion
	namespace, media string
} {
	return []struct {
		version          contract.SOAPVersion
		namespace, media string
	}{{contract.SOAP11, soapNamespace11, "text/xml"}, {contract.SOAP12, soapNamespace12, "application/soap+xml"}}
}

func soapConfig(url string, version contract.SOAPVersion) SOAPConfig {
	return SOAPConfig{URL: url, Version: version, Name: "clients", Fields: testFields, Connections: 1, Now: func() time.Time { return testNow }}
}

func newSOAP(t testing.TB, cfg SOAPConfig) *SOAP {
	t.Helper()
	s, err := NewSOAP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.keeper.base.CloseIdleConnections)
	return s
}

// serveSOAP answers every request of a source of SOAP 1.1 by handle.
func serveSOAP(t testing.TB, handle http.HandlerFunc) *SOAP {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return newSOAP(t, soapConfig(server.URL+"/soap", contract.SOAP11))
}

// envelope11 is a message of SOAP 1.1 with a body.
func envelope11(body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="` + soapNamespace11 + `"><soap:Body>` + body + `</soap:Body></soap:Envelope>`
}

// response is the body that answers an operation with results.
func response(operation, results string) string {
	return `<r:` + operation + `Response xmlns:r="` + testNamespace + `" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` + results + `</r:` + operation + `Response>`
}

const goodSOAPValues = `<r:segment>fidèle &lt;1&gt;</r:segment><r:tier>or</r:tier><r:risk_score>0.250</r:risk_score><r:orders>12</r:orders><r:active>true</r:active>` +
	`<r:since>2024-10-08</r:since><r:seen_at>2024-10-08T10:00:00Z</r:seen_at><r:internal_id>99</r:internal_id>`

const goodSOAPResult = `<r:result><r:key>904711337</r:key><r:found>true</r:found><r:values>` + goodSOAPValues + `</r:values></r:result>`

// TestSOAPRequests: what a call looks like, in each version and operation.
func TestSOAPRequests(t *testing.T) {
	for _, v := range soapVersions() {
		for _, c := range []struct {
			operation string
			keys      []string
			asked     string
			batches   bool
		}{
			{"Lookup", []string{`<"é&'` + "\r\n"}, "<key>&lt;&#34;é&amp;&#39;&#xD;&#xA;</key>", false},
			{"LookupList", []string{"a"}, "<key>a</key>", true},
			{"LookupList", []string{"a", "b"}, "<key>a</key><key>b</key>", false},
		} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<soap:Envelope xmlns:soap="` + v.namespace + `"><soap:Body>` +
					`<` + c.operation + ` xmlns="` + testNamespace + `">` + c.asked + `</` + c.operation + `></soap:Body></soap:Envelope>`
				if err != nil || r.Method != http.MethodPost || r.URL.String() != "/soap" || string(body) != want {
					t.Errorf("%s %s %s %v", r.Method, r.URL, body, err)
				}
				action := `"` + testNamespace + ":" + c.operation + `"`
				kind := v.media + "; charset=utf-8"
				if v.version == contract.SOAP12 {
					kind, action = kind+"; action="+action, ""
				}
				if r.Header.Get("Content-Type") != kind || r.Header.Get("Soapaction") != action || r.Header.Get("Accept") != v.media {
					t.Errorf("%v", r.Header)
				}
				results := ""
				for _, key := range c.keys {
					results += "<r:result><r:key>" + strings.NewReplacer("<", "&lt;", "&", "&amp;", "\r", "&#13;").Replace(key) + "</r:key><r:found>0</r:found></r:result>"
				}
				answer(http.StatusOK, v.media+"; charset=UTF-8", strings.Replace(envelope11(response(c.operation, results)), soapNamespace11, v.namespace, 1))(w, r)
			}))
			cfg := soapConfig(server.URL+"/soap", v.version)
			cfg.Batches = c.batches
			got, err := newSOAP(t, cfg).Lookup(t.Context(), c.keys)
			server.Close()
			if err != nil || len(got) != len(c.keys) || got[0].Status != etl.EnrichmentNotFound {
				t.Errorf("%s, %q: %+v, %v", v.version, c.keys, got, err)
			}
		}
	}
}

// TestSOAPUnusableKeys: a key that XML cannot carry is not asked, and no other takes its
// place.
func TestSOAPUnusableKeys(t *testing.T) {
	calls := 0
	source := serveSOAP(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		body, err := io.ReadAll(r.Body)
		if err != nil || strings.ContainsRune(string(body), '\ufffd') {
			t.Errorf("%s, %v", body, err)
		}
		answer(200, "text/xml", envelope11(response("LookupList", `<r:result><r:key>b</r:key><r:found>false</r:found></r:result>`)))(w, r)
	})
	got, err := source.Lookup(t.Context(), []string{"a\x01", "b", "c\uffff", "d"})
	if err != nil || len(got) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, want := range []Code{CodeUnusableKey, "", CodeUnusableKey, CodeNoResult} {
		if got[i].Code != want {
			t.Errorf("key %d: %+v, want %s", i, got[i], want)
		}
	}
	if got, err := source.Lookup(t.Context(), []string{"\x00"}); err != nil || len(got) != 1 || got[0].Code != CodeUnusableKey || calls != 1 {
		t.Errorf("%+v, %v, %d calls", got, err, calls)
	}
}

func TestNewSOAP(t *testing.T) {
	for name, change := range map[string]func(*SOAPConfig){
		"no name":         func(c *SOAPConfig) { c.Name = "" },
		"no fields":       func(c *SOAPConfig) { c.Fields = nil },
		"no connections":  func(c *SOAPConfig) { c.Connections = 0 },
		"no clock":        func(c *SOAPConfig) { c.Now = nil },
		"no version":      func(c *SOAPConfig) { c.Version = "" },
		"another version": func(c *SOAPConfig) { c.Version = "2.0" },
		"no URL":          func(c *SOAPConfig) { c.URL = "" },
		"plain HTTP":      func(c *SOAPConfig) { c.URL = "http://enrichment.example.com/hidden" },
		"a user":          func(c *SOAPConfig) { c.URL = "https://user:hidden@enrichment.example.com" },
		"a query":         func(c *SOAPConfig) { c.URL = "https://enrichment.example.com?key=hidden" },
	} {
		cfg := soapConfig("https://enrichment.example.com/soap", contract.SOAP12)
		change(&cfg)
		if _, err := NewSOAP(cfg); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSOAPStatuses: a status alone has the cause that it has of a REST source.
func TestSOAPStatuses(t *testing.T) {
	const echo = "no such client: " + secretKey
	for _, c := range []struct {
		name   string
		handle http.HandlerFunc
		code   Code
	}{
		{"500", answer(500, "text/plain", echo), CodeServerError},
		{"500 with a page", answer(500, "text/html", echo), CodeServerError},
		{"500 with XML that is none", answer(500, "text/xml", "<"+echo), CodeServerError},
		{"500 with an answer", answer(500, "text/xml", envelope11(response("Lookup", goodSOAPResult))), CodeServerError},
		{"503", answer(503, "text/xml", envelope11(`<soap:Fault><faultcode>soap:Client</faultcode></soap:Fault>`)), CodeServerError},
		{"429", answer(429, "text/plain", echo), CodeThrottled},
		{"408", answer(408, "text/plain", echo), CodeTimeout},
		{"400", answer(400, "text/plain", echo), CodeRefused},
		{"404", answer(404, "text/plain", echo), CodeRefused},
		{"415", answer(415, "text/plain", echo), CodeRefused},
		{"202", answer(202, "text/plain", ""), CodeRefused},
		{"401", answer(401, "text/plain", echo), CodeUnauthorized},
		{"403", answer(403, "text/plain", echo), CodeUnauthorized},
		{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, CodeUnreachable},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, CodeRefused},
	} {
		source := serveSOAP(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/soap" {
				t.Error("the redirect was followed")
			}
			w.Header().Set("Retry-After", "7")
			c.handle(w, r)
		})
		got, err := source.Lookup(t.Context(), []string{secretKey})
		if code := codeOf(t, err); code != c.code || got != nil {
			t.Errorf("%s: %+v, %v, want %s", c.name, got, err, c.code)
		}
		if after := err.(*Failure).RetryAfter; c.code != CodeUnreachable && after != 7*time.Second { //nolint:errorlint // checked by codeOf
			t.Errorf("%s: retry after %v", c.name, after)
		}
	}
}

// TestSlowSOAP: an answer that drips ends when its time is up.
func TestSlowSOAP(t *testing.T) {
	release := make(chan struct{})
	source := serveSOAP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, "<")
		_ = http.NewResponseController(w).Flush()
		held(w, r, release)
	})
	assertTimeout(t, source)
	close(release)
}

// TestEnricherOverSOAP: the whole way, with a fault that is retried.
func TestEnricherOverSOAP(t *testing.T) {
	calls := 0
	source := serveSOAP(t, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 1 {
			answer(500, "text/xml", envelope11(`<soap:Fault><faultcode>soap:Server</faultcode><faultstring>x</faultstring></soap:Fault>`))(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		results := ""
		for _, asked := range strings.Split(string(body), "<key>")[1:] {
			key, _, _ := strings.Cut(asked, "</key>")
			results += strings.Replace(goodSOAPResult, secretKey, key, 1)
		}
		answer(200, "text/xml", envelope11(response("LookupList", results)))(w, r)
	})
	source.batches = true
	e := newEnricher(t, Initial(source, 100, time.Minute), func(c *Config) { c.Backoff = 0 })
	for i, o := range ask(t, e, testKeys(1000), 1).Outcomes {
		if o.Status != etl.EnrichmentOK || string(o.Values) != goodValues {
			t.Fatalf("key %d: %+v", i, o)
		}
	}
	if calls != 12 { // with a retry and a probe
		t.Errorf("%d calls, want 12", calls)
	}
}

func BenchmarkSOAPBatch(b *testing.B) {
	keys := testKeys(1000)
	results := ""
	for _, key := range keys {
		results += strings.Replace(goodSOAPResult, secretKey, key, 1)
	}
	source := serveSOAP(b, answer(200, "text/xml", envelope11(response("LookupList", results))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := source.Lookup(b.Context(), keys); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(keys))/b.Elapsed().Seconds(), "keys/s")
}

// describe writes outcomes shortly.
func describe(outcomes []Outcome) string {
	texts := make([]string, len(outcomes))
	for i, o := range outcomes {
		texts[i] = fmt.Sprintf("%s %s %s/%d", o.Status, o.Code, o.Values, o.Dropped)
	}
	return strings.Join(texts, "; ")
}
