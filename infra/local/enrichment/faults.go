package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// order is what POST /faults sets. Each order sets all of it; what it leaves out has its
// default.
type order struct {
	Mode       string   `json:"mode"`          // what happens to calls: see knownMode
	Next       int      `json:"next"`          // to how many calls; 0 is all, until told otherwise
	Latency    int      `json:"latency_ms"`    // before every answer
	RetryAfter int      `json:"retry_after"`   // seconds, of throttled, unavailable and job; default 1
	Drip       int      `json:"drip_ms"`       // between two bytes of drip; default 1,000
	Polls      int      `json:"polls"`         // how often a job is not done yet; default 2
	TokenLife  int      `json:"token_seconds"` // of tokens given out from now on; default 3,600
	Poisoned   []string `json:"poisoned"`      // SHA-256 of keys in hexadecimal, or their first digits: calls with one fail (500)
	Keep       bool     `json:"keep"`          // the counts go on
}

// defaults are the order of a server that was told nothing.
func defaults() order { return order{Mode: "ok", RetryAfter: 1, Drip: 1000, Polls: 2, TokenLife: 3600} }

// knownMode reports whether a source can be told to treat calls this way. Faults are those
// of SOAP alone, and jobs of REST.
func knownMode(mode, speaks string) bool {
	if faultOfSOAP(mode) {
		return speaks == soap
	}
	switch mode {
	case "ok", // answers
		// Calls without an answer.
		"error500",         // status 500
		"unavailable",      // status 503 with Retry-After
		"throttled",        // status 429 with Retry-After in seconds
		"throttled_date",   // status 429 with Retry-After as a date
		"throttled_silent", // status 429 without Retry-After
		"unauthorized",     // status 401, whatever the credentials
		"expired",          // status 401 to the credentials and tokens of before, until there are new ones
		"redirect",         // status 307 to another path
		"timeout",          // no answer until the caller goes
		"reset",            // the connection ends without an answer
		// Answers that are none.
		"garbage",      // status 200 with a body that is neither JSON nor XML
		"error_body",   // status 200 with an error in place of the result
		"cut",          // the right answer, of which the second half does not come
		"content_type", // the right answer under text/html
		"drip",         // the right answer, a byte at a time
		// Answers with too much.
		"unknown_members": // members that the contract does not name
		return true
	}
	return spoils(mode) || ofBatches(mode) && (speaks == rest || !ofJobs(mode))
}

// faultOfSOAP reports whether a mode is one of a SOAP service alone.
func faultOfSOAP(mode string) bool {
	switch mode {
	case "fault", // a fault of the source, with status 500
		"fault_ok",     // the same with status 200
		"fault_sender", // a fault that refuses the call
		"namespace",    // the right answer in another namespace
		"bomb":         // an answer with entities that expand to a gigabyte
		return true
	}
	return false
}

func ofJobs(mode string) bool { return mode == "job" || mode == "job_gone" }

// ofBatches reports whether a mode happens to batches alone. Lookups are answered.
func ofBatches(mode string) bool {
	switch mode {
	case "half", "reordered", "doubled", // the results are not those of the keys
		"job",      // the batch is a job
		"job_gone": // the job is forgotten before it is done
		return true
	}
	return false
}

// valid reports whether an order can be followed.
func (o order) valid(speaks string) bool {
	for _, prefix := range o.Poisoned {
		if _, err := hex.DecodeString(prefix + strings.Repeat("0", len(prefix)%2)); err != nil || prefix == "" || prefix != strings.ToLower(prefix) {
			return false
		}
	}
	return knownMode(o.Mode, speaks) && min(o.Next, o.Latency, o.RetryAfter, o.Polls) >= 0 && min(o.Drip, o.TokenLife) > 0
}

// misbehave answers without the result where the mode says so, and reports whether it did.
func (o order) misbehave(w http.ResponseWriter, r *http.Request, as wire) bool {
	switch o.Mode {
	case "error500":
		http.Error(w, "told to fail", http.StatusInternalServerError)
	case "unavailable":
		w.Header().Set("Retry-After", strconv.Itoa(o.RetryAfter))
		http.Error(w, "told to be away", http.StatusServiceUnavailable)
	case "throttled", "throttled_date", "throttled_silent":
		if o.Mode == "throttled" {
			w.Header().Set("Retry-After", strconv.Itoa(o.RetryAfter))
		}
		if o.Mode == "throttled_date" {
			at := time.Now().Add(time.Duration(o.RetryAfter) * time.Second)
			w.Header().Set("Retry-After", at.UTC().Format(http.TimeFormat))
		}
		http.Error(w, "told to throttle", http.StatusTooManyRequests)
	case "unauthorized":
		denied(w)
	case "redirect":
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	case "timeout":
		<-r.Context().Done()
	case "reset":
		panic(http.ErrAbortHandler)
	case "garbage":
		w.Header().Set("Content-Type", as.media)
		_, _ = io.WriteString(w, "<html>this is no answer")
	case "error_body":
		w.Header().Set("Content-Type", as.media)
		_, _ = io.WriteString(w, as.err)
	default:
		return false
	}
	return true
}

// write writes the answer, as the mode has it.
func (o order) write(w http.ResponseWriter, r *http.Request, media string, body []byte) {
	w.Header().Set("Content-Type", media)
	switch o.Mode {
	case "content_type":
		w.Header().Set("Content-Type", "text/html")
	case "cut":
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "drip":
		flush := http.NewResponseController(w).Flush
		for i := range body {
			if flush() != nil || !wait(r, o.Drip) {
				return
			}
			_, _ = w.Write(body[i : i+1])
		}
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// answered returns those of the keys that have their right answer, and one, as the mode
// has it. An answer that drips may never be read to its end, so it does not count.
func (o order) answered(digests []digest) []digest {
	switch o.Mode {
	case "ok", "expired", "unknown_members", "reordered", "job":
		return digests
	case "half":
		return digests[:len(digests)/2]
	}
	if spoils(o.Mode) {
		return digests[1:]
	}
	return nil
}

// wait waits for so many milliseconds, and reports whether the caller is still there.
func wait(r *http.Request, milliseconds int) bool {
	if milliseconds == 0 {
		return true
	}
	timer := time.NewTimer(time.Duration(milliseconds) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
