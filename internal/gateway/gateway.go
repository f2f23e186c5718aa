// Package gateway serves the requests that people sign: they come through the HTTP API
// of the stack, which checks the signature and names who signed (AWS_IAM).
//
// A function is invoked in two ways. API Gateway invokes its alias [Alias], which no
// policy of the product grants to anybody else; only there is the identity in the
// event trusted. Every other invocation, such as a test event in the Lambda console, is
// from somebody unknown, even if it looks like an event of API Gateway.
package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// Alias is the name of the alias that API Gateway invokes.
const Alias = "api"

// event is what matters of an event of an HTTP API (API Gateway developer guide,
// "Work with AWS Lambda proxy integrations for HTTP APIs", payload format 2.0).
type event struct {
	Route          string `json:"routeKey"`
	Body           string `json:"body"`
	Base64         bool   `json:"isBase64Encoded"`
	RequestContext struct {
		Authorizer struct {
			IAM struct {
				UserARN   string `json:"userArn"`
				AccessKey string `json:"accessKey"`
			} `json:"iam"`
		} `json:"authorizer"`
	} `json:"requestContext"`
}

// Response is the answer to API Gateway, in payload format 2.0.
type Response struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// Failure is the body of a response whose request was not carried out. It has the form
// in which Lambda reports the error of a function.
type Failure struct {
	Name etl.Fault `json:"errorType"`
	Text string    `json:"errorMessage"` // in French, for people
}

// Handler answers a request of somebody whose identity may be unknown.
type Handler[In, Out any] func(ctx context.Context, by caller.Identity, in In) (Out, error)

// Serve returns the handler of a function. invoked returns the ARN by which the
// function was invoked, with its alias.
func Serve[In, Out any](log *slog.Logger, invoked func(context.Context) string, handle Handler[In, Out]) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		if !strings.HasSuffix(invoked(ctx), ":"+Alias) {
			return direct(ctx, log, payload, handle)
		}
		by, _, body, failed := read(payload)
		if failed != nil {
			return *failed, nil
		}
		return respond(carryOut(ctx, log, by, body, json.Unmarshal, handle)), nil
	}
}

// Route carries out the requests of one route.
type Route func(ctx context.Context, log *slog.Logger, by caller.Identity, body []byte) (any, error)

// To returns the route of a handler. It refuses a request with a member that the handler
// does not know: a misspelt one would be a wider request.
func To[In, Out any](handle Handler[In, Out]) Route {
	return func(ctx context.Context, log *slog.Logger, by caller.Identity, body []byte) (any, error) {
		return carryOut(ctx, log, by, body, strict, handle)
	}
}

// ServeRoutes returns the handler of a function that answers several routes of the API,
// such as "POST /reveal", and nobody else. Each route is a permission of its own.
func ServeRoutes(log *slog.Logger, invoked func(context.Context) string, routes map[string]Route) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		if !strings.HasSuffix(invoked(ctx), ":"+Alias) {
			log.WarnContext(ctx, LogDirect)
			return nil, &fault.Refused{Reason: RefusedDirect}
		}
		by, name, body, failed := read(payload)
		if failed != nil {
			return *failed, nil
		}
		route, ok := routes[name]
		if !ok {
			return *failure(http.StatusNotFound, RefusedRequest), nil
		}
		return respond(route(ctx, log, by, body)), nil
	}
}

// Through returns a handler that hands the events of invocations by an alias to one
// handler, and all others to another.
func Through[A, B, OutA, OutB any](alias string, invoked func(context.Context) string,
	aliased func(context.Context, A) (OutA, error), others func(context.Context, B) (OutB, error),
) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		if strings.HasSuffix(invoked(ctx), ":"+alias) {
			return decoded(ctx, payload, aliased)
		}
		return decoded(ctx, payload, others)
	}
}

func decoded[In, Out any](ctx context.Context, payload json.RawMessage, handle func(context.Context, In) (Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("gateway: decode an event: %w", err)
	}
	return handle(ctx, in)
}

// direct answers an invocation that did not come through the API.
func direct[In, Out any](ctx context.Context, log *slog.Logger, payload json.RawMessage, handle Handler[In, Out]) (any, error) {
	out, err := carryOut(ctx, log, caller.Identity{}, payload, json.Unmarshal, handle)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// errMember reports a member that a request should not have. Unlike the error of
// encoding/json, it does not quote it.
var errMember = errors.New("gateway: an unknown member")

// strict decodes JSON as json.Unmarshal does, but fails with errMember if the value does
// not know a member.
func strict(body []byte, value any) error {
	if err := json.Unmarshal(body, value); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(value) != nil {
		return errMember
	}
	return nil
}

// carryOut reads a request and hands it to its handler. Its error is a lifted fault.
func carryOut[In, Out any](ctx context.Context, log *slog.Logger, by caller.Identity, body []byte, decode func([]byte, any) error, handle Handler[In, Out]) (Out, error) {
	return fault.Boundary(log, func(ctx context.Context, body []byte) (Out, error) {
		var in In
		switch err := decode(body, &in); {
		case errors.Is(err, errMember):
			return *new(Out), &fault.Refused{Reason: RefusedMember}
		case err != nil:
			// The error may quote the request.
			return *new(Out), &fault.Refused{Reason: RefusedRequest}
		}
		return handle(ctx, by, in)
	})(ctx, body)
}

// read returns who signed a request, its route and its body. failed is the answer to a
// request that has no identity or cannot be read.
func read(payload json.RawMessage) (by caller.Identity, route string, body []byte, failed *Response) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return by, "", nil, failure(http.StatusBadRequest, RefusedRequest)
	}
	signer := e.RequestContext.Authorizer.IAM
	by = caller.Identity{ARN: signer.UserARN, AccessKey: signer.AccessKey}
	if !by.Verified() {
		return by, "", nil, failure(http.StatusUnauthorized, RefusedUnsigned)
	}
	if !e.Base64 {
		return by, e.Route, []byte(e.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(e.Body)
	if err != nil {
		return by, "", nil, failure(http.StatusBadRequest, RefusedRequest)
	}
	return by, e.Route, body, nil
}

func failure(status int, reason string) *Response {
	r := response(status, Failure{Name: etl.FaultRefused, Text: reason})
	return &r
}

// respond returns the response with a result, or with a fault.
func respond[Out any](out Out, err error) Response {
	if err == nil {
		return response(http.StatusOK, out)
	}
	status := http.StatusInternalServerError
	switch fault.Name(err) {
	case etl.FaultRefused:
		status = http.StatusConflict
	case etl.FaultTransient:
		status = http.StatusServiceUnavailable
	}
	return response(status, Failure{Name: fault.Name(err), Text: err.Error()})
}

func response(status int, body any) Response {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{}`)
	}
	return Response{
		Status: status, Body: string(text),
		Headers: map[string]string{"content-type": "application/json", "cache-control": "no-store"},
	}
}
