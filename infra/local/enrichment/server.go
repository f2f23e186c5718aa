package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"
)

const (
	maxKeys    = 1000    // in a batch
	maxKey     = 64      // characters
	maxRequest = 1 << 20 // bytes
)

// client is what the API knows about a key, as the contract's ClientResult.
type client struct {
	Key         string  `json:"key"`
	Found       bool    `json:"found"`
	Segment     *string `json:"segment,omitempty"`
	LoyaltyTier *string `json:"loyalty_tier,omitempty"`
	RiskScore   any     `json:"risk_score,omitempty"`
}

// clientOf derives the answer for a key from its hash, one byte a fact: under 5
// of 256 keys (2%) are unknown.
func clientOf(key string) client {
	segments := [...]string{"essentiel", "confort", "premium", "professionnel"}
	tiers := [...]string{"bronze", "argent", "or", "platine"}
	sum := sha256.Sum256([]byte(key))
	if sum[0] < 5 {
		return client{Key: key}
	}
	segment, tier := segments[int(sum[1])%len(segments)], tiers[int(sum[2])%len(tiers)]
	score := binary.BigEndian.Uint16(sum[3:5]) % 1001
	return client{
		Key: key, Found: true, Segment: &segment, LoyaltyTier: &tier,
		RiskScore: json.Number(fmt.Sprintf("%d.%03d", score/1000, score%1000)),
	}
}

// faults is the state of the control endpoint.
type faults struct {
	Mode      string `json:"mode"`      // what happens to calls: see knownMode
	Remaining int    `json:"remaining"` // how many calls it happens to; 0 is all, until told otherwise
	Lookups   int    `json:"lookups"`   // calls for one key so far
	Batches   int    `json:"batches"`   // calls for several keys so far
	Keys      int    `json:"keys"`      // keys asked for so far
}

// knownMode reports whether the server can be told to treat calls this way.
func knownMode(mode string) bool {
	switch mode {
	case "ok", // answers
		"error500",   // status 500
		"throttled",  // status 429 with Retry-After: 1
		"timeout",    // no answer until the caller goes
		"garbage",    // status 200 with a body that is no JSON
		"redirect",   // status 307 to another path
		"bad_record": // an answer whose first result breaks the contract
		return true
	}
	return false
}

// standIn is the API and its controls. It is safe for concurrent use.
type standIn struct {
	mux *http.ServeMux

	mu    sync.Mutex
	state faults
}

func newStandIn() *standIn {
	s := &standIn{mux: http.NewServeMux(), state: faults{Mode: "ok"}}
	s.mux.HandleFunc("POST /v1/clients:lookup", s.lookup)
	s.mux.HandleFunc("POST /v1/clients:batch", s.batch)
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]string{"status": "ok"}) })
	s.mux.HandleFunc("GET /faults", s.showFaults)
	s.mux.HandleFunc("POST /faults", s.setFaults)
	return s
}

// ServeHTTP implements [http.Handler].
func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *standIn) lookup(w http.ResponseWriter, r *http.Request) {
	var question struct {
		Key string `json:"key"`
	}
	if !read(w, r, &question) {
		return
	}
	mode := s.count(0, 1)
	if s.misbehave(w, r, mode) {
		return
	}
	if !validKey(question.Key) {
		refuse(w, "a key is missing or too long")
		return
	}
	answer := clientOf(question.Key)
	if mode == "bad_record" {
		answer = spoiled(answer)
	}
	reply(w, answer)
}

func (s *standIn) batch(w http.ResponseWriter, r *http.Request) {
	var question struct {
		Keys []string `json:"keys"`
	}
	if !read(w, r, &question) {
		return
	}
	mode := s.count(1, len(question.Keys))
	if s.misbehave(w, r, mode) {
		return
	}
	if n := len(question.Keys); n < 1 || n > maxKeys {
		refuse(w, fmt.Sprintf("%d keys instead of 1 to %d", n, maxKeys))
		return
	}
	results := make([]client, len(question.Keys))
	for i, key := range question.Keys {
		if !validKey(key) {
			refuse(w, "a key is missing or too long")
			return
		}
		results[i] = clientOf(key)
	}
	if mode == "bad_record" {
		results[0] = spoiled(results[0])
	}
	reply(w, map[string][]client{"results": results})
}

func validKey(key string) bool { return key != "" && len([]rune(key)) <= maxKey }

// spoiled breaks the contract for one result: a text where a number belongs.
func spoiled(answer client) client {
	answer.Found, answer.RiskScore = true, "élevé"
	return answer
}

// count counts a call (a batch or not) for n keys and returns the mode it gets.
func (s *standIn) count(batches, n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Batches += batches
	s.state.Lookups += 1 - batches
	s.state.Keys += n
	mode := s.state.Mode
	if s.state.Remaining > 0 {
		if s.state.Remaining--; s.state.Remaining == 0 {
			s.state.Mode = "ok"
		}
	}
	return mode
}

// misbehave answers as the mode says, and reports whether it did.
func (s *standIn) misbehave(w http.ResponseWriter, r *http.Request, mode string) bool {
	switch mode {
	case "error500":
		http.Error(w, "told to fail", http.StatusInternalServerError)
	case "throttled":
		w.Header().Set("Retry-After", "1")
		http.Error(w, "told to throttle", http.StatusTooManyRequests)
	case "timeout":
		<-r.Context().Done()
	case "garbage":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "<html>this is no JSON")
	case "redirect":
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	default:
		return false
	}
	return true
}

func (s *standIn) showFaults(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	state := s.state
	s.mu.Unlock()
	reply(w, state)
}

// setFaults sets the mode for all further calls or for the "next" so many, and
// starts counting calls anew.
func (s *standIn) setFaults(w http.ResponseWriter, r *http.Request) {
	var order struct {
		Mode string `json:"mode"`
		Next int    `json:"next"`
	}
	if !read(w, r, &order) {
		return
	}
	if !knownMode(order.Mode) || order.Next < 0 {
		refuse(w, `"mode" is ok, error500, throttled, timeout, garbage, redirect or bad_record, and "next" is not negative`)
		return
	}
	s.mu.Lock()
	s.state = faults{Mode: order.Mode, Remaining: order.Next}
	s.mu.Unlock()
	s.showFaults(w, r)
}

// read reads a request's body into v, or refuses it and returns false.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		http.Error(w, "the body must be application/json", http.StatusUnsupportedMediaType)
		return false
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	decoder.DisallowUnknownFields()
	if decoder.Decode(v) != nil {
		refuse(w, "the body is not the JSON that is asked for")
		return false
	}
	return true
}

// refuse answers a call that breaks the contract, without quoting it.
func refuse(w http.ResponseWriter, reason string) { http.Error(w, reason, http.StatusBadRequest) }

func reply(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
