package phase_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"sync"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
)

// faultySource is an API as docs/enrichment/clients-openapi.yaml has it, or a SOAP service
// as products.wsdl, with a fault.
// Its time, and that of whoever waits for it, is a clock of the tests.
type faultySource struct {
	url     string
	kind    contract.SourceKind
	fault   sourceFault
	clock   *clock
	timeout time.Duration // of a call
	live    enrichment.Source
	dead    enrichment.Source // at an address where nobody listens
	// database is asked in place of the API; nil if there is none.
	database *faultyDatabase

	mu      sync.Mutex
	calls   int                                // for keys, with those that the fault meets
	right   map[string]int                     // how often a key had its right answer, probes of batches left out
	settled map[string]bool                    // keys whose answers a part holds
	again   int                                // times that a settled key was asked for, probes of batches left out
	from    time.Time                          // when a fault that lasts began
	kill    context.CancelFunc                 // ends the function that asks
	callers map[string]context.CancelCauseFunc // by address: ends a call whose time is up
	demands string                             // what the header of a call must hold; empty is nothing
	stored  string                             // the secret
	tokens  int                                // given out
	jobs    map[string][]string                // keys, by path
}

// newFaultySource starts a source of a kind for the imports of a mode.
func newFaultySource(t *testing.T, l *line, mode etl.Mode, kind contract.SourceKind, f sourceFault) *faultySource {
	t.Helper()
	s := &faultySource{
		kind: kind, fault: f, clock: l.clock, timeout: time.Minute,
		right: map[string]int{}, settled: map[string]bool{}, callers: map[string]context.CancelCauseFunc{}, jobs: map[string][]string{},
	}
	if mode == etl.ModeDaily {
		s.timeout = 10 * time.Second
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/clients:lookup", s.answer)
	mux.HandleFunc("POST /v1/clients:batch", s.answer)
	mux.HandleFunc("POST /soap", s.answer)
	mux.HandleFunc("GET /v1/jobs/{job}", s.look)
	mux.HandleFunc("POST /token", s.token)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	if f.setUp != nil {
		f.setUp(s)
	}
	s.live, s.dead = s.client(t, l, s.url, mode), s.client(t, l, "http://127.0.0.1:1", mode)
	return s
}

// client asks the source at an address.
func (s *faultySource) client(t *testing.T, l *line, url string, mode etl.Mode) (source enrichment.Source) {
	t.Helper()
	cfg := enrichment.RESTConfig{
		URL: url, Name: "clients", Fields: l.common.Contract.Resource("clients").Enrichment.Fields, Connections: faultCalls,
		Batches: mode == etl.ModeInitial, Now: l.clock.now,
	}
	if s.stored != "" {
		cfg.Secret = s.secret
	}
	var err error
	if s.kind == contract.KindSOAP {
		source, err = enrichment.NewSOAP(enrichment.SOAPConfig{
			URL: url + "/soap", Version: contract.SOAP11, Name: cfg.Name, Fields: cfg.Fields, Connections: cfg.Connections,
			Batches: cfg.Batches, Secret: cfg.Secret, Now: cfg.Now,
		})
	} else {
		source, err = enrichment.NewREST(cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// Lookup implements [enrichment.Source]. A call that the source keeps waiting ends when
// its time is up by the clock of the tests.
func (s *faultySource) Lookup(ctx context.Context, keys []string) ([]enrichment.Outcome, error) {
	if s.database != nil {
		return s.database.lookup(ctx, s, keys)
	}
	if s.fault.refuses && s.struck(keys) {
		return s.dead.Lookup(ctx, keys)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return s.live.Lookup(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(conn httptrace.GotConnInfo) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.callers[conn.Conn.LocalAddr().String()] = cancel
	}}), keys)
}

// struck counts a call, and reports whether the fault meets it.
func (s *faultySource) struck(keys []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	met := s.fault.when != nil && s.fault.when(s, keys)
	if met || !s.fault.refuses {
		s.calls++
		s.count(keys)
	}
	return met
}

// count counts keys that are asked for although a part has their answers. A batch of one
// key is a probe, which may ask for any.
func (s *faultySource) count(keys []string) {
	for _, key := range keys {
		if s.settled[key] && !s.probes(keys) {
			s.again++
		}
	}
}

// probes reports whether a call of an initial import is a probe.
func (s *faultySource) probes(keys []string) bool { return s.timeout == time.Minute && len(keys) == 1 }

// stall keeps a call waiting until its time is up.
func (s *faultySource) stall(r *http.Request) {
	s.clock.advance(s.timeout)
	s.mu.Lock()
	cancel := s.callers[r.RemoteAddr]
	s.mu.Unlock()
	cancel(context.DeadlineExceeded)
	<-r.Context().Done()
}

// answer answers a call for one key or several.
func (s *faultySource) answer(w http.ResponseWriter, r *http.Request) {
	keys, single, err := s.asked(r)
	if err != nil {
		http.Error(w, "no question", http.StatusBadRequest)
		return
	}
	met := false
	if s.fault.refuses {
		s.mu.Lock()
		s.calls++
		s.count(keys)
		s.mu.Unlock()
	} else {
		met = s.struck(keys)
	}
	switch {
	case met && s.fault.act != nil && s.fault.act(s, w, r, keys):
	case !s.admits(r):
		w.WriteHeader(http.StatusUnauthorized)
	default:
		s.reply(w, s.body(keys, single, met), keys)
	}
}

// reply writes a body, which has the right answers for keys.
func (s *faultySource) reply(w http.ResponseWriter, body string, keys []string) {
	s.mu.Lock()
	if !s.probes(keys) {
		for _, key := range keys {
			s.right[key]++
		}
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", s.media())
	_, _ = fmt.Fprint(w, body)
}

// body returns the answer for keys; a fault of results spoils it.
func (s *faultySource) body(keys []string, single, met bool) string {
	result := func(key string) string {
		if met && s.fault.result != nil && slices.Contains(s.fault.spoilt, key) {
			return s.fault.result(key)
		}
		return rightResult(key)
	}
	if !single && met && s.fault.shape != nil {
		keys = s.fault.shape(keys)
	}
	results := make([]string, len(keys))
	for i, key := range keys {
		results[i] = result(key)
	}
	return s.answerOf(results, single)
}

// tierOf is what the source knows of a key.
func tierOf(key string) string { return "niveau-" + key }

func rightResult(key string) string {
	return `{"key":"` + key + `","found":true,"segment":"` + segment + `","loyalty_tier":"` + tierOf(key) + `","risk_score":` + score + `}`
}

// look gives out the results of a job.
func (s *faultySource) look(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	keys, known := s.jobs[r.URL.Path]
	s.mu.Unlock()
	if !known {
		w.WriteHeader(http.StatusGone)
		return
	}
	s.reply(w, s.body(keys, false, false), keys)
}

// admits reports whether a call carries what the source demands.
func (s *faultySource) admits(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.demands == "" || r.Header.Get("Authorization") == s.demands
}

// secret reads the secret, which may be changed later than what the source demands.
func (s *faultySource) secret(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault.lag > 0 && !s.from.IsZero() && s.clock.now().Sub(s.from) >= s.fault.lag {
		s.stored = headerSecret(s.demands)
	}
	return s.stored, nil
}

func headerSecret(value string) string {
	return `{"type":"header","name":"Authorization","value":"` + value + `"}`
}

// token gives out a token, which replaces those before it.
func (s *faultySource) token(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
	token := fmt.Sprintf("token-%d", s.tokens)
	s.demands = "Bearer " + token
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
}
