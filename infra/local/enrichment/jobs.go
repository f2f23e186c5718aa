package main

import (
	"net/http"
	"strconv"
)

// job is a batch that is answered later.
type job struct {
	keys    []string
	digests []digest
	order   order
	polls   int // looks before it is done
}

// accept makes a job of a batch.
func (s *standIn) accept(w http.ResponseWriter, o order, keys []string, digests []digest) {
	s.mu.Lock()
	s.ledger.Jobs++
	s.lastJob++
	id := strconv.Itoa(s.lastJob)
	s.jobs[id] = &job{keys: keys, digests: digests, order: o, polls: o.Polls}
	s.mu.Unlock()
	w.Header().Set("Location", "/v1/jobs/"+id)
	pending(w, o)
}

// pending answers that a job is not done.
func pending(w http.ResponseWriter, o order) {
	if o.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(o.RetryAfter))
	}
	w.WriteHeader(http.StatusAccepted)
}

// look answers what has become of a job. Its results are given out once.
func (s *standIn) look(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r) {
		return
	}
	s.mu.Lock()
	s.ledger.Polls++
	j := s.jobs[r.PathValue("job")]
	done := j != nil && j.polls == 0
	switch {
	case done:
		delete(s.jobs, r.PathValue("job"))
	case j != nil:
		j.polls--
	}
	s.mu.Unlock()
	switch {
	case j == nil:
		http.Error(w, "there is no such job", http.StatusNotFound)
	case j.order.Mode == "job_gone":
		http.Error(w, "told to forget the job", http.StatusGone)
	case done:
		s.reply(w, r, inJSON(), j.order, j.digests, appendResults(nil, j.keys, j.digests, "ok"))
	default:
		pending(w, j.order)
	}
}
