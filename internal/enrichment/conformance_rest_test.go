package enrichment

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func restKind() sourceKind {
	return sourceKind{name: "rest", source: func(t *testing.T, situation string, read func() string) Source {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var question struct{ Keys []string }
			if r.Header.Get("X-Api-Key") != rightCredential {
				answer(http.StatusUnauthorized, "text/plain", r.Header.Get("X-Api-Key"))(w, r)
			} else if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
				t.Error(err)
			} else {
				respond(w, r, situation, question.Keys)
			}
		}))
		t.Cleanup(server.Close)
		if situation == "nobody there" {
			server.Close()
		}
		s, err := NewREST(RESTConfig{
			URL: server.URL, Name: "clients", Fields: conformanceFields, Connections: 2, Batches: true, Now: testClock,
			Secret: func(context.Context) (string, error) {
				return secretOf(t, map[string]any{"type": "header", "name": "X-Api-Key", "value": read()}), nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.keeper.base.CloseIdleConnections)
		return s
	}}
}

// respond answers for keys as a REST API in a situation does.
func respond(w http.ResponseWriter, r *http.Request, situation string, keys []string) {
	echo := strings.Join(keys, " ")
	switch situation {
	case "an error":
		answer(http.StatusInternalServerError, "text/plain", echo)(w, r)
	case "too many calls":
		answer(http.StatusTooManyRequests, "text/plain", echo)(w, r)
	case "a call that it cannot read":
		answer(http.StatusBadRequest, "text/plain", echo)(w, r)
	case "something else than an answer":
		answer(http.StatusOK, "text/html", "<p>"+echo)(w, r)
	case "no answer":
		<-r.Context().Done()
	case "an answer that breaks off":
		w.Header().Set("Content-Length", "100000")
		answer(http.StatusOK, "application/json", restResults(situation, keys))(w, r)
		panic(http.ErrAbortHandler)
	default:
		answer(http.StatusOK, "application/json", restResults(situation, keys))(w, r)
	}
}

// restResults is the body of an answer.
func restResults(situation string, keys []string) string {
	var results []string
	for _, key := range keys {
		values := `"found":true,"segment":"fidèle <1>","risk_score":0.25,"orders":12`
		switch key {
		case "unknown":
			values = `"found":false`
		case "nulls":
			values = `"found":true,"segment":null,"risk_score":null,"orders":null`
		default:
			values = strings.NewReplacer(spoiled(situation)...).Replace(values)
		}
		results = append(results, fmt.Sprintf(`{"key":%q,%s}`, key, values))
	}
	switch situation {
	case "answers in another order":
		results[0], results[2] = results[2], results[0]
	case "half an answer":
		results = results[:1]
	case "every result twice":
		results = append(results, results[:2]...)
	case "a result for another key":
		results[0] = `{"key":"another","found":false}`
	case "an answer that is too long":
		results[0] += strings.Repeat(" ", MaxAnswer)
	}
	return `{"results":[` + strings.Join(results, ",") + `]}`
}

// spoiled returns what a situation changes in a result, as old and new texts.
func spoiled(situation string) []string {
	switch situation {
	case "unknown members":
		return []string{`"orders"`, `"internal":{"orders":7},"more":null,"orders"`}
	case "a value out of bounds":
		return []string{"0.25", "17"}
	case "a value that is too long":
		return []string{"fidèle", strings.Repeat("é", 13)}
	case "a number without end":
		return []string{"0.25", "1e999999999"}
	case "a value of another type":
		return []string{"12", `"douze"`}
	case "a missing member":
		return []string{`,"orders":12`, ""}
	}
	return nil
}
