// Package enrichment completes records with what external systems know about
// them, such as the segment of a client.
//
// A [Source] asks one system once. An [Enricher] stands between the records and
// a source: it cuts the keys into calls, keeps a bounded number of them in
// flight, gives each a timeout, retries with backoff, limits their rate, and
// stops asking for a while when a system is down. The initial import asks for
// about 1,000 keys a call and retries a failed call once; the daily import asks
// for one key a call. The difference is the configuration alone: see [Initial]
// and [Daily].
//
// An import never fails for want of enrichment. Every key gets an [Outcome]; a
// failed one says by a [Code] what the system did, and its record becomes an
// event all the same, marked so that it can be enriched again later.
//
// Keys may be sensitive. They travel in the body of a TLS request only, and
// stand in no URL, no error and no log; nor do the answers.
package enrichment

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Status says how a key's enrichment ended. The values are those of the column
// "enrichment" of final.events.
type Status string

// The statuses of a key.
const (
	OK       Status = "ok"        // the source knows the key
	NotFound Status = "not_found" // the source answered that it does not
	Failed   Status = "failed"    // there is no answer, or none that can be used
)

// Code says why a key's enrichment failed.
type Code string

// The causes of failure. They are stored and shown; none is ever renamed.
const (
	CodeTimeout       Code = "timeout"        // no answer in time
	CodeUnreachable   Code = "unreachable"    // no connection, or it broke
	CodeServerError   Code = "server_error"   // the source failed (HTTP 5xx)
	CodeThrottled     Code = "throttled"      // the source asks for fewer calls (HTTP 429)
	CodeRefused       Code = "refused"        // the source refuses the call as it is (HTTP 3xx, 4xx)
	CodeInvalidAnswer Code = "invalid_answer" // the answer breaks the source's contract
	CodeRecordError   Code = "record_error"   // the source could not answer for this one key
	CodeCircuitOpen   Code = "circuit_open"   // not asked: the source failed too often just now
	CodeUnusableKey   Code = "unusable_key"   // not asked: the key is empty, too long or no UTF-8
	CodeCancelled     Code = "cancelled"      // not finished: the caller's context ended
)

// MaxKey is the longest key in characters that a source is asked for, as its
// contract says. A longer one would cost its whole batch the answer.
const MaxKey = 64

// Outcome is the enrichment of one key.
type Outcome struct {
	Status Status
	Code   Code            // why, if Status is Failed; else empty
	Values json.RawMessage // the enriched fields as a JSON object, if Status is OK; else nil
}

// Source asks one external system.
//
// Lookup makes one attempt and returns one outcome a key, in the order of keys.
// It fails with a *Failure where there is no answer for any of them. It does not
// retry, ends when ctx does, and is safe for concurrent use.
type Source interface {
	Lookup(ctx context.Context, keys []string) ([]Outcome, error)
}

// Failure is a call to a source that brought no answer. Its text holds neither
// keys nor anything of the answer.
type Failure struct {
	Code       Code
	RetryAfter time.Duration // how long the source asks to be left alone; 0 if it does not say
	Reason     string        // what happened, for a log
}

// Error implements error.
func (f *Failure) Error() string { return "enrichment: " + string(f.Code) + ": " + f.Reason }

// permanent reports whether the same call would fail the same way again.
func (f *Failure) permanent() bool { return f.Code == CodeRefused }

// failureOf returns the failure in err, which an attempt under ctx brought.
func failureOf(ctx context.Context, err error) *Failure {
	if ctx.Err() != nil {
		return &Failure{Code: CodeCancelled, Reason: "the caller's context ended"}
	}
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Failure{Code: CodeTimeout, Reason: "no answer in time"}
	}
	return &Failure{Code: CodeUnreachable, Reason: "the source failed without saying how"}
}
