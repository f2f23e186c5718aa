// Package enrichment completes records with what external systems know about
// them, such as the segment of a client.
//
// A [Source] makes one call to one system. An [Enricher] calls a source for many
// records: it divides the keys into calls, bounds the concurrent ones and their rate,
// gives each a timeout, and retries with backoff. The initial import asks for a batch of
// keys per call, the daily import for one. They differ only in their configuration: see
// [Initial] and [Daily].
//
// # Down or poisoned
//
// A call that fails is one of two things. Either the source is down: [Config.DownAfter]
// attempts in a row failed over different keys, and so did a probe with a key of another
// call. Then the run ends with an [Outage], the keys without an answer are asked for again
// later, and no attempt counts. Or the call is poisoned: it failed [Config.Attempts] times
// while the source answered other calls or a probe. Then its keys have a failed [Outcome]
// with a [Code] for the cause, and the rest goes on. Their records become events all the
// same, marked so that they can be enriched again.
//
// A key of several fields is one text: see [JoinKey]. Keys may be sensitive. They travel
// only in the body of a TLS request; neither keys nor answers appear in a URL, an error
// or a log.
//
// # Limits
//
// A source is a REST API ([NewREST]) or a SOAP service ([NewSOAP]), with one key field, or
// a PostgreSQL database ([NewDatabase]).
package enrichment

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"etl-dataloader/internal/etl"
)

// Code is why the enrichment of a key failed.
type Code string

// Causes of failure. They are stored and shown, and never renamed.
const (
	CodeTimeout       Code = "timeout"        // no answer in time
	CodeUnreachable   Code = "unreachable"    // no connection, or it broke
	CodeServerError   Code = "server_error"   // the source failed (HTTP 5xx, or a fault of its own)
	CodeThrottled     Code = "throttled"      // the source asks for fewer calls (HTTP 429)
	CodeUnauthorized  Code = "unauthorized"   // the source lets nobody in (HTTP 401, 403, a fault of WS-Security), or there is no usable secret
	CodeRefused       Code = "refused"        // the source refuses the call as it is (HTTP 3xx, other 4xx, a fault of the sender)
	CodeInvalidAnswer Code = "invalid_answer" // the answer breaks the source's contract
	CodeRecordError   Code = "record_error"   // the source could not answer for this one key
	CodeNoResult      Code = "no_result"      // the answer has no result for this one key
	CodeUnusableKey   Code = "unusable_key"   // not asked: a value of the key is empty, too long, no UTF-8, or nothing that the source's protocol carries
	CodeCancelled     Code = "cancelled"      // not finished: the caller's context ended
)

// Outcome is the enrichment of one key.
type Outcome struct {
	Status  etl.Enrichment
	Code    Code            // why, if Status is Failed; else empty
	Values  json.RawMessage // the enriched fields as a JSON object, if Status is OK; else nil
	Dropped int             // members of the answer for the key that the contract does not name
}

// Source calls one external system.
//
// Lookup makes one attempt and returns one outcome a key, in the order of keys, which
// are distinct.
// It fails with a *Failure where there is no answer for any of them. It does not
// retry, ends when ctx does, and is safe for concurrent use.
type Source interface {
	Lookup(ctx context.Context, keys []string) ([]Outcome, error)
}

// Failure reports a call without a usable answer. Its text contains neither keys nor
// parts of the answer.
type Failure struct {
	Code       Code
	RetryAfter time.Duration // how long the source asks to wait; 0 if unknown
	Reason     string        // what happened, for a log
}

// Error implements error.
func (f *Failure) Error() string { return "enrichment: " + string(f.Code) + ": " + f.Reason }

// permanent reports whether the same call would fail the same way again.
func (f *Failure) permanent() bool { return f.Code == CodeRefused }

// failureOf returns the failure in err, the error of an attempt under ctx.
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
