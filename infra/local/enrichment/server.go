package main

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"sync"
)

// What a source speaks.
const (
	rest = "rest"
	soap = "soap"
)

const (
	maxKeys    = 1000    // in a batch
	maxRequest = 1 << 20 // bytes
)

// standIn is a source and its controls. It is safe for concurrent use.
type standIn struct {
	mux    *http.ServeMux
	speaks string // rest or soap

	mu        sync.Mutex
	order     order
	remaining int // calls that the mode happens to; 0 is all
	ledger    ledger
	door      door
	jobs      map[string]*job
	lastJob   int
}

// wire is what a call is answered in.
type wire struct {
	media string
	err   string // an error in place of an answer
}

func inJSON() wire { return wire{"application/json", `{"error":"unavailable","code":503}`} }

// newServer returns both sources, each of which lets in who carries its credentials.
func newServer(clients, products credentials) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", newStandIn(clients))
	mux.Handle("/products/", http.StripPrefix("/products", newProducts(products)))
	return mux
}

// newStandIn returns the API of clients, which lets in who carries c.
func newStandIn(c credentials) *standIn {
	s := newControls(rest, c)
	s.mux.HandleFunc("POST /v1/clients:lookup", s.lookup)
	s.mux.HandleFunc("POST /v1/clients:batch", s.batch)
	s.mux.HandleFunc("GET /v1/jobs/{job}", s.look)
	return s
}

// newControls returns what all sources have.
func newControls(speaks string, c credentials) *standIn {
	s := &standIn{speaks: speaks, mux: http.NewServeMux(), order: defaults(), ledger: newLedger(), door: newDoor(c), jobs: map[string]*job{}}
	s.mux.HandleFunc("POST /token", s.token)
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	s.mux.HandleFunc("GET /faults", s.showFaults)
	s.mux.HandleFunc("POST /faults", s.setFaults)
	s.mux.HandleFunc("PUT /credentials", s.setCredentials)
	return s
}

// ServeHTTP implements [http.Handler].
func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *standIn) lookup(w http.ResponseWriter, r *http.Request) {
	var question struct {
		Key string `json:"key"`
	}
	if !s.admit(w, r) || !read(w, r, &question) {
		return
	}
	if !validKey(question.Key) {
		refuse(w, "a key is missing or too long")
		return
	}
	digests := []digest{digestOf(question.Key)}
	s.serve(w, r, inJSON(), false, digests, func(o order) {
		if ofBatches(o.Mode) {
			o.Mode = "ok"
		}
		s.reply(w, r, inJSON(), o, digests, appendResult(nil, question.Key, digests[0], o.Mode))
	})
}

func (s *standIn) batch(w http.ResponseWriter, r *http.Request) {
	var question struct {
		Keys []string `json:"keys"`
	}
	if !s.admit(w, r) || !read(w, r, &question) {
		return
	}
	keys := question.Keys
	if n := len(keys); n < 1 || n > maxKeys {
		refuse(w, fmt.Sprintf("%d keys instead of 1 to %d", n, maxKeys))
		return
	}
	digests := make([]digest, len(keys))
	for i, key := range keys {
		if !validKey(key) {
			refuse(w, "a key is missing or too long")
			return
		}
		digests[i] = digestOf(key)
	}
	s.serve(w, r, inJSON(), true, digests, func(o order) {
		if o.Mode == "job" || o.Mode == "job_gone" {
			s.accept(w, o, keys, digests)
			return
		}
		s.reply(w, r, inJSON(), o, digests, appendResults(make([]byte, 0, 128*len(keys)), keys, digests, o.Mode))
	})
}

// admit reports whether a call carries the right credentials, and refuses others.
func (s *standIn) admit(w http.ResponseWriter, r *http.Request) bool {
	admitted := s.admits(r, nil)
	if !admitted {
		denied(w)
	}
	return admitted
}

// admits reports whether a call carries the right credentials, and counts others.
func (s *standIn) admits(r *http.Request, token *userToken) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	admitted := s.door.admits(r, token)
	if !admitted {
		s.ledger.Refused++
	}
	return admitted
}

// serve counts a call, treats it as it was told to, and has respond answer what is left.
func (s *standIn) serve(w http.ResponseWriter, r *http.Request, as wire, batch bool, digests []digest, respond func(order)) {
	o := s.begin(batch, digests)
	defer s.end()
	switch {
	case !wait(r, o.Latency), o.misbehave(w, r, as):
	case slices.ContainsFunc(digests, func(d digest) bool { return d.startsWithAny(o.Poisoned) }):
		http.Error(w, "told to fail with this key", http.StatusInternalServerError)
	default:
		respond(o)
	}
}

// begin counts a call and returns how it is treated.
func (s *standIn) begin(batch bool, digests []digest) order {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.begin(batch, digests)
	o := s.order
	if s.remaining > 0 {
		if s.remaining--; s.remaining == 0 {
			s.order.Mode = "ok"
		}
	}
	return o
}

func (s *standIn) end() {
	s.mu.Lock()
	s.ledger.inFlight--
	s.mu.Unlock()
}

// reply answers with a body for the keys.
func (s *standIn) reply(w http.ResponseWriter, r *http.Request, as wire, o order, digests []digest, body []byte) {
	s.mu.Lock()
	s.ledger.answered(o.answered(digests))
	s.mu.Unlock()
	o.write(w, r, as.media, body)
}

// state is what GET /faults answers.
type state struct {
	Mode      string `json:"mode"`
	Remaining int    `json:"remaining"` // how many calls the mode happens to; 0 is all
	counts
}

func (s *standIn) showFaults(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	now := state{Mode: s.order.Mode, Remaining: s.remaining, counts: s.ledger.counts}
	s.mu.Unlock()
	answer(w, http.StatusOK, now)
}

// setFaults sets how further calls are treated, and counts anew unless told otherwise.
func (s *standIn) setFaults(w http.ResponseWriter, r *http.Request) {
	o := defaults()
	o.Mode = "" // must be told
	if !read(w, r, &o) {
		return
	}
	if !o.valid(s.speaks) {
		refuse(w, `"mode" is one of knownMode in faults.go, "poisoned" is hexadecimal, and no number is negative`)
		return
	}
	s.mu.Lock()
	s.order, s.remaining = o, o.Next
	if o.Mode == "expired" {
		s.door.expire()
	}
	if !o.Keep {
		fresh := newLedger()
		fresh.inFlight = s.ledger.inFlight
		s.ledger = fresh
		clear(s.jobs)
	}
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
	if _, err := decoder.Token(); err != io.EOF { //nolint:errorlint // the very value
		refuse(w, "there is more after the JSON")
		return false
	}
	return true
}

// refuse answers a call that breaks the contract, without quoting it.
func refuse(w http.ResponseWriter, reason string) { http.Error(w, reason, http.StatusBadRequest) }

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
