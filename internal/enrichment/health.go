package enrichment

import (
	"context"
	"slices"
	"sync"
	"time"
)

// verdict is what a failed attempt says about the source.
type verdict int

const (
	sourceUnknown verdict = iota // too early to tell: the attempt counts for nothing
	sourceAnswers                // it answers others: the failure is the call's own
	sourceDown
)

// health is what a run knows of its source. It is safe for concurrent use.
type health struct {
	cfg Config

	probing chan struct{} // holds one token while one call finds out for all

	mu       sync.Mutex
	made     int       // attempts, probes included
	good     string    // a key that was answered; empty: none yet
	keys     []string  // of the unit of work: what probes may ask for
	began    time.Time // when the latest of the answered attempts began
	inARow   int       // failures since then
	since    time.Time // start of the first of them
	over     *Outage   // the source is down
	throttle int       // throttled attempts since the last answer
}

func (h *health) count() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.made++
}

func (h *health) calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.made
}

func (h *health) outage() *Outage {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.over
}

// answered notes that the source answered an attempt for a key, which began at started.
func (h *health) answered(key string, started time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.good, h.inARow, h.throttle = key, 0, 0
	if started.After(h.began) {
		h.began = started
	}
}

// failed notes a failure of an attempt that began at started.
func (h *health) failed(started time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inARow++; h.inARow == 1 {
		h.since = started
	}
}

// answersSince reports whether the source answered an attempt that began after t.
func (h *health) answersSince(t time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.began.After(t)
}

// end declares the source down.
func (h *health) end(failure *Failure) verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over == nil {
		h.over = &Outage{Code: failure.Code, Since: h.since, RetryAfter: failure.RetryAfter}
	}
	return sourceDown
}

// enough reports whether so many attempts failed in a row that a failed probe proves
// the source down.
func (h *health) enough() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.inARow >= h.cfg.DownAfter
}

// busy notes a throttled attempt and reports whether the source said so often enough.
func (h *health) busy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.throttle++
	return h.throttle >= h.cfg.DownAfter
}

// probeKey returns a key that is not among those of a failed call: one that was
// answered, else any of the unit's. If there is none, it returns a key of the failed
// batch. For a single key there is no other.
func (h *health) probeKey(failed []string) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.good != "" && !slices.Contains(failed, h.good) {
		return h.good, true
	}
	from := int(h.cfg.Jitter() * float64(len(h.keys)))
	for i := range h.keys {
		if key := h.keys[(from+i)%len(h.keys)]; usable(key) && !slices.Contains(failed, key) {
			return key, true
		}
	}
	if len(failed) == 1 {
		return "", false
	}
	return failed[int(h.cfg.Jitter()*float64(len(failed)))], true
}

// judge finds out whether a failed attempt at keys is the source's fault. One call at a
// time asks the source; the others learn from it.
//
// It is the call's own only if the source answers an attempt that began after this one had
// failed. An answer that was under way at the same time proves nothing: one outage, however
// short, would look like two failures of a call that it met at its begin and at its end.
func (r *Run) judge(ctx context.Context, keys []string, failure *Failure, started time.Time) verdict {
	if failure.permanent() {
		return sourceAnswers // with a refusal
	}
	h, failed := &r.health, r.cfg.Now()
	h.failed(started)
	switch {
	case failure.RetryAfter > r.cfg.MaxRetryAfter:
		return h.end(failure)
	case failure.Code == CodeThrottled:
		if h.busy() {
			return h.end(failure)
		}
		return sourceUnknown
	}
	h.probing <- struct{}{}
	defer func() { <-h.probing }()
	if h.outage() != nil {
		return sourceDown
	}
	if h.answersSince(failed) {
		return sourceAnswers
	}
	return r.probe(ctx, keys, failure)
}

// probe asks for another key than those of a failed call.
func (r *Run) probe(ctx context.Context, keys []string, failure *Failure) verdict {
	h := &r.health
	key, ok := h.probeKey(keys)
	if ok {
		started := r.cfg.Now()
		_, other := r.attempt(ctx, []string{key})
		switch {
		case other == nil || other.permanent():
			h.answered(key, started)
			return sourceAnswers
		case other.Code == CodeCancelled:
			return sourceUnknown
		}
		h.failed(started)
		// Credentials that are refused for two keys are no matter of a key.
		if failure.Code == CodeUnauthorized && other.Code == CodeUnauthorized {
			return h.end(failure)
		}
	}
	if h.enough() || (!ok && failure.Code == CodeUnauthorized) {
		return h.end(failure)
	}
	return sourceUnknown
}
