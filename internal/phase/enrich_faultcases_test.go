package phase_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
)

// sourceFault is a fault of a source, and how an import ends that meets it.
type sourceFault struct {
	name string
	// when reports whether the next call, for these keys, meets it.
	when func(s *faultySource, keys []string) bool
	// act does something to such a call, and reports whether it is answered so.
	act func(s *faultySource, w http.ResponseWriter, r *http.Request, keys []string) bool
	// result is the result for the keys that are spoilt, and shape which results an answer has.
	result  func(key string) string
	spoilt  []string
	shape   func(keys []string) []string
	refuses bool                  // the connection
	lag     time.Duration         // after which the secret is the one that the source demands
	setUp   func(s *faultySource) // before anything is asked
	only    contract.SourceKind   // that can have it; empty is any API
	// database is the body of the function that knows the clients, while a database has the
	// fault; empty if nobody is there.
	database string

	initial, daily *faultEnd // nil if the fault cannot be in this mode
}

func (f *sourceFault) ends(mode etl.Mode) *faultEnd {
	if mode == etl.ModeInitial {
		return f.initial
	}
	return f.daily
}

// faultEnd is how Enrich ends.
type faultEnd struct {
	failed  int // records
	code    enrichment.Code
	unknown int // records
	dropped int // members of answers
	failing int // calls at most that the fault meets
	probes  int // at most that are answered
	waits   int // at most, of all units
	kills   int
	alerts  int
	longest time.Duration // that Enrich takes; 0 is an hour, and 5 minutes for each wait
}

// most is the bound of the calls: one a batch, or a key; those that fail, and the probes that
// judge them; for each wait, and each function that is killed, those of one part.
func (e *faultEnd) most(mode etl.Mode) int {
	calls, part := faultClients, faultPartKeys
	if mode == etl.ModeInitial {
		calls, part = faultUnits*((faultUnitSize+faultBatch-1)/faultBatch), faultPartKeys/faultBatch
	}
	return calls + e.failing + e.probes + (e.waits+e.kills)*part
}

func (e *faultEnd) within() time.Duration {
	return cmp.Or(e.longest, time.Hour+time.Duration(e.waits)*5*time.Minute)
}

// String is the end in the table.
func (e *faultEnd) String() string {
	text := fmt.Sprintf("%d enriched", faultClients-e.failed-e.unknown)
	if e.failed > 0 {
		text += fmt.Sprintf(", %d `%s`", e.failed, e.code)
	}
	if e.unknown > 0 {
		text += fmt.Sprintf(", %d not found", e.unknown)
	}
	return text
}

// tableOfFaults writes the table in Markdown.
func tableOfFaults(faults []sourceFault) string {
	var b strings.Builder
	b.WriteString("| fault | initial | calls | waits | daily | calls | waits |\n|---|---|---|---|---|---|---|\n")
	for _, f := range faults {
		name := f.name
		if f.only != "" {
			name += " (" + strings.ToUpper(string(f.only)) + ")"
		}
		fmt.Fprintf(&b, "| %s |", name)
		for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
			if e := f.ends(mode); e != nil {
				fmt.Fprintf(&b, " %s | %d | %d |", e, e.most(mode), e.waits)
			} else {
				b.WriteString(" – | | |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// spoiltKey is the key of a record, in the second unit, whose fault is its own.
const spoiltKey = "1009"

// ofCalls meets n calls from the one counted from 0.
func ofCalls(from, n int) func(*faultySource, []string) bool {
	return func(s *faultySource, _ []string) bool { return s.calls >= from && s.calls < from+n }
}

// ofKey meets every call with a key.
func ofKey(key string) func(*faultySource, []string) bool {
	return func(_ *faultySource, keys []string) bool { return slices.Contains(keys, key) }
}

func ofAll(*faultySource, []string) bool { return true }

// lasting meets the calls of a time that begins with the fourth one.
func lasting(d time.Duration) func(*faultySource, []string) bool {
	return func(s *faultySource, _ []string) bool {
		if s.from.IsZero() && s.calls >= 3 {
			s.from = s.clock.now()
		}
		return !s.from.IsZero() && s.clock.now().Sub(s.from) < d
	}
}

// fails answers with a status and perhaps a Retry-After.
func fails(status int, retryAfter func(*faultySource) string) func(*faultySource, http.ResponseWriter, *http.Request, []string) bool {
	return func(s *faultySource, w http.ResponseWriter, _ *http.Request, _ []string) bool {
		if retryAfter != nil {
			w.Header().Set("Retry-After", retryAfter(s))
		}
		w.WriteHeader(status)
		return true
	}
}

func seconds(n int) func(*faultySource) string {
	return func(*faultySource) string { return strconv.Itoa(n) }
}

// says answers with a body of a content type.
func says(contentType, body string) func(*faultySource, http.ResponseWriter, *http.Request, []string) bool {
	return func(s *faultySource, w http.ResponseWriter, _ *http.Request, _ []string) bool {
		contentType, body := s.inSOAP(contentType, body)
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// hangs gives no answer; after the first bytes, if there are any.
func hangs(begin string) func(*faultySource, http.ResponseWriter, *http.Request, []string) bool {
	return func(s *faultySource, w http.ResponseWriter, r *http.Request, _ []string) bool {
		if begin != "" {
			w.Header().Set("Content-Type", s.media())
			_, _ = w.Write([]byte(begin))
			_ = http.NewResponseController(w).Flush()
		}
		s.stall(r)
		return true
	}
}

// late answers when the time of the call is up.
func late(s *faultySource, w http.ResponseWriter, r *http.Request, keys []string) bool {
	s.stall(r)
	_, _ = w.Write([]byte(s.body(keys, len(keys) == 1, false)))
	return true
}

// slow answers in half of the time that a call has.
func slow(s *faultySource, _ http.ResponseWriter, _ *http.Request, _ []string) bool {
	s.clock.advance(s.timeout / 2)
	return false
}

// resets ends the connection without an answer.
func resets(*faultySource, http.ResponseWriter, *http.Request, []string) bool {
	panic(http.ErrAbortHandler)
}

// cut ends the connection in the middle of the answer.
func cut(s *faultySource, w http.ResponseWriter, r *http.Request, keys []string) bool {
	body := s.body(keys, len(keys) == 1, false)
	w.Header().Set("Content-Type", s.media())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write([]byte(body[:len(body)/2]))
	_ = http.NewResponseController(w).Flush()
	return resets(s, w, r, keys)
}

// kills ends the function that asks.
func kills(s *faultySource, _ http.ResponseWriter, r *http.Request, _ []string) bool {
	s.mu.Lock()
	s.kill()
	s.mu.Unlock()
	<-r.Context().Done()
	return true
}

// accepts makes a job of a batch; it is forgotten at once if it is lost.
func accepts(lost bool) func(*faultySource, http.ResponseWriter, *http.Request, []string) bool {
	return func(s *faultySource, w http.ResponseWriter, _ *http.Request, keys []string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		path := "/v1/jobs/" + keys[0] // which no other batch has
		if !lost {
			s.jobs[path] = keys
		}
		w.Header().Set("Location", path)
		w.WriteHeader(http.StatusAccepted)
		return true
	}
}

// demand changes what the source demands; what it demanded is refused from now on. With
// stored the secret changes at the same time.
func demand(value string, stored bool) func(*faultySource, http.ResponseWriter, *http.Request, []string) bool {
	return func(s *faultySource, _ http.ResponseWriter, _ *http.Request, _ []string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.demands, s.from = value, s.clock.now()
		if stored {
			s.stored = headerSecret(value)
		}
		return false
	}
}
