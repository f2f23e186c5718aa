package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/gateway"
)

const (
	direct = "arn:aws:lambda:eu-west-3:111122223333:function:rerun"
	byAPI  = direct + ":api"
	anne   = "arn:aws:iam::111122223333:user/anne"
)

type request struct {
	ImportID string `json:"import_id"`
	By       string `json:"by"`
}

type answer struct {
	By       string `json:"by"`
	ImportID string `json:"import_id"`
}

// serve invokes a function by an ARN; its handler tells who asks, or fails.
func serve(t *testing.T, arn string, payload string, fail error) (any, error) {
	t.Helper()
	log := centrallog.New(&bytes.Buffer{}, slog.LevelInfo)
	handler := gateway.Serve(log, func(context.Context) string { return arn }, func(_ context.Context, by caller.Identity, in request) (answer, error) {
		return answer{By: by.String(), ImportID: in.ImportID}, fail
	})
	return handler(t.Context(), json.RawMessage(payload))
}

// documented is an event of API Gateway as AWS documents it, with changes.
func documented(t *testing.T, changes ...string) string {
	t.Helper()
	body, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(changes...).Replace(string(body))
}

func TestIdentity(t *testing.T) {
	iam := `"iam": {`
	for name, c := range map[string]struct{ arn, payload, by string }{
		"signed":                        {byAPI, documented(t), anne + " (clé AKIA1)"},
		"direct":                        {direct, `{"import_id":"I"}`, caller.Unverified},
		"forged in the body":            {byAPI, documented(t, `\"import_id\"`, `\"by\":\"arn:root\",\"import_id\"`), anne + " (clé AKIA1)"},
		"forged in a header":            {byAPI, documented(t, `"header1": "value1"`, `"x-amzn-iam-user-arn": "arn:root"`), anne + " (clé AKIA1)"},
		"forged in a direct invocation": {direct, `{"import_id":"I","by":"arn:root","requestContext":{"authorizer":{"iam":{"userArn":"arn:root"}}}}`, caller.Unverified},
		"by another alias":              {direct + ":live", `{"import_id":"I"}`, caller.Unverified},
		"base64":                        {byAPI, documented(t, `"isBase64Encoded": false`, `"isBase64Encoded": true`, `{\"import_id\": \"I\"}`, "eyJpbXBvcnRfaWQiOiJJIn0="), anne + " (clé AKIA1)"},
		"with another authorizer too":   {byAPI, documented(t, iam, `"jwt": {"claims": {"sub": "root"}}, `+iam), anne + " (clé AKIA1)"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serve(t, c.arn, c.payload, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := answer{By: c.by, ImportID: "I"}
			if r, ok := got.(gateway.Response); ok {
				var told answer
				if err := json.Unmarshal([]byte(r.Body), &told); err != nil || r.Status != 200 {
					t.Fatalf("response %+v, %v", r, err)
				}
				got = told
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// A whole event of API Gateway that somebody sends to the function itself has no
// identity, whatever it says.
func TestForgedEvent(t *testing.T) {
	got, err := serve(t, direct, documented(t), nil)
	if a, ok := got.(answer); err != nil || !ok || a.By != caller.Unverified {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFailures(t *testing.T) {
	refused := &fault.Refused{ImportID: "I", Reason: "no"}
	for name, c := range map[string]struct {
		payload string
		fail    error
		status  int
		fault   string
	}{
		"refused":       {documented(t), refused, 409, "Refused"},
		"transient":     {documented(t), &fault.Transient{Op: "op", Err: errors.New("lost")}, 503, "Transient"},
		"unexpected":    {documented(t), errors.New("other"), 500, "Unexpected"},
		"not signed":    {documented(t, `"userArn": "`+anne+`"`, `"userArn": null`), nil, 401, "Refused"},
		"no JSON":       {documented(t, `{\"import_id\": \"I\"}`, "secret"), nil, 409, "Refused"},
		"no base64":     {documented(t, `"isBase64Encoded": false`, `"isBase64Encoded": true`), nil, 400, "Refused"},
		"no such event": {`[]`, nil, 400, "Refused"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serve(t, byAPI, c.payload, c.fail)
			r, ok := got.(gateway.Response)
			var failed gateway.Failure
			if err != nil || !ok || r.Status != c.status || json.Unmarshal([]byte(r.Body), &failed) != nil || string(failed.Name) != c.fault {
				t.Errorf("got %+v, %v", got, err)
			}
			if strings.Contains(r.Body, "secret") {
				t.Error("the response quotes the request")
			}
		})
	}
	if _, err := serve(t, direct, `{}`, refused); fault.Name(err) != "Refused" {
		t.Errorf("direct: %v", err)
	}
}

func TestThrough(t *testing.T) {
	for arn, want := range map[string]string{byAPI: "aliased I", direct: "other I", direct + ":live": "other I"} {
		tell := func(name string) func(context.Context, request) (string, error) {
			return func(_ context.Context, in request) (string, error) { return name + " " + in.ImportID, nil }
		}
		handler := gateway.Through("api", func(context.Context) string { return arn }, tell("aliased"), tell("other"))
		if got, err := handler(t.Context(), json.RawMessage(`{"import_id":"I"}`)); err != nil || got != want {
			t.Errorf("%s: %s, %v", arn, got, err)
		}
		if _, err := handler(t.Context(), json.RawMessage(`[]`)); err == nil {
			t.Errorf("%s: no error", arn)
		}
	}
}

// A function that answers the API alone refuses everybody else, however well an event is
// forged, and tells its routes apart.
func TestServeRoutes(t *testing.T) {
	tell := func(name string) gateway.Route {
		return gateway.To(func(_ context.Context, by caller.Identity, in request) (answer, error) {
			return answer{By: name + " " + by.String(), ImportID: in.ImportID}, nil
		})
	}
	routes := map[string]gateway.Route{"POST /rerun": tell("rerun"), "POST /find": tell("find")}
	log := &bytes.Buffer{}
	serve := func(arn, payload string) (any, error) {
		handler := gateway.ServeRoutes(centrallog.New(log, slog.LevelInfo), func(context.Context) string { return arn }, routes)
		return handler(t.Context(), json.RawMessage(payload))
	}
	for _, arn := range []string{direct, direct + ":live"} {
		if got, err := serve(arn, documented(t)); fault.Name(err) != "Refused" || got != nil {
			t.Errorf("%s: %v, %v", arn, got, err)
		}
	}
	if !strings.Contains(log.String(), gateway.LogDirect) {
		t.Error("the refusals are not logged")
	}
	for route, want := range map[string]int{"POST /rerun": 200, "POST /find": 200, "POST /other": 404} {
		got, err := serve(byAPI, documented(t, `"routeKey": "POST /rerun",
  "rawPath"`, `"routeKey": "`+route+`", "rawPath"`))
		r, ok := got.(gateway.Response)
		if err != nil || !ok || r.Status != want || (want == 200 && !strings.Contains(r.Body, strings.TrimPrefix(route, "POST /")+" "+anne)) {
			t.Errorf("%s: %+v, %v", route, got, err)
		}
	}
}

// A member that a route does not know is refused, not ignored: a misspelt one would
// widen what is asked.
func TestUnknownMembers(t *testing.T) {
	type request struct {
		Where  *struct{ Field string } `json:"where"`
		Fields []string                `json:"fields"`
	}
	type answer struct{ Fields int }
	routes := map[string]gateway.Route{"POST /reveal": gateway.To(func(_ context.Context, _ caller.Identity, in request) (answer, error) {
		return answer{len(in.Fields)}, nil
	})}
	handler := gateway.ServeRoutes(centrallog.New(&bytes.Buffer{}, slog.LevelInfo), func(context.Context) string { return byAPI }, routes)
	for body, want := range map[string]string{
		`{"fields": ["email"], "where": {"field": "nif"}}`: "200 ",
		`{"field": ["secret"]}`:                            "409 " + gateway.RefusedMember,
		`{"fields": [], "secret": 1}`:                      "409 " + gateway.RefusedMember,
		`{"where": {"field": "nif", "secret": ""}}`:        "409 " + gateway.RefusedMember,
		`{"fields": ["email"]} {"secret": 1}`:              "409 " + gateway.RefusedRequest,
		`{"fields": "secret"}`:                             "409 " + gateway.RefusedRequest,
		`secret`:                                           "409 " + gateway.RefusedRequest,
	} {
		payload := `{"routeKey": "POST /reveal", "body": ` + strconv.Quote(body) + `, "requestContext": {"authorizer": {"iam": {"userArn": "` + anne + `"}}}}`
		got, err := handler(t.Context(), json.RawMessage(payload))
		r, _ := got.(gateway.Response)
		var failed gateway.Failure
		if err != nil || json.Unmarshal([]byte(r.Body), &failed) != nil || fmt.Sprint(r.Status, " ", failed.Text) != want || strings.Contains(r.Body, "secret") {
			t.Errorf("%s: %+v, %v; want %s", body, r, err, want)
		}
	}
}
