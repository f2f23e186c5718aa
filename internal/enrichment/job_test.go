package enrichment

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/etl"
)

// jobAnswer is an answer of a source that takes batches as jobs.
type jobAnswer struct {
	status int
	header map[string]string
	body   string
}

const batchAnswer = `{"results":[{"key":"a","found":false},{"key":"b","found":false}]}`

func accepted(location, retryAfter string) jobAnswer {
	header := map[string]string{"Location": location}
	if retryAfter != "" {
		header["Retry-After"] = retryAfter
	}
	return jobAnswer{status: http.StatusAccepted, header: header}
}

func done() jobAnswer {
	return jobAnswer{status: http.StatusOK, header: map[string]string{"Content-Type": "application/json"}, body: batchAnswer}
}

// jobs serves answers one after the other, and returns what was asked and how long the
// source waited between.
func jobs(t *testing.T, answers ...jobAnswer) (source *REST, asked *[]string, waits *[]time.Duration) {
	t.Helper()
	asked, waits = &[]string{}, &[]time.Duration{}
	source = serve(t, func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.String())
		if len(*asked) > len(answers) {
			t.Errorf("asked once more: %s %s", r.Method, r.URL)
			return
		}
		a := answers[len(*asked)-1]
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	})
	source.idle = func(ctx context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return ctx.Err()
	}
	return source, asked, waits
}

// TestJob: a batch that becomes a job is looked at until it is done, at the pace that
// the source asks for.
func TestJob(t *testing.T) {
	source, asked, waits := jobs(t,
		accepted("/api/jobs/7?part=1", "3"), accepted("", "Wed, 09 Oct 2024 15:00:20 GMT"), accepted("", ""), accepted("", "0"),
		jobAnswer{status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": "9"}}, done())
	got, err := source.Lookup(t.Context(), []string{"a", "b"})
	if err != nil || len(got) != 2 || got[1].Status != etl.EnrichmentNotFound {
		t.Fatalf("%+v, %v", got, err)
	}
	want := "POST /api/v1/clients:batch" + strings.Repeat(" GET /api/jobs/7?part=1", 5)
	if strings.Join(*asked, " ") != want {
		t.Errorf("asked %v", *asked)
	}
	if fmt.Sprint(*waits) != "[3s 20s 100ms 200ms 9s]" {
		t.Errorf("waited %v", *waits)
	}
}

// TestJobPausesGrow: where the source names no pause, looks become rarer up to a bound.
func TestJobPausesGrow(t *testing.T) {
	answers := make([]jobAnswer, 9)
	for i := range answers {
		answers[i] = accepted("/job", "")
	}
	source, _, waits := jobs(t, append(answers, done())...)
	if _, err := source.Lookup(t.Context(), []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(*waits) != "[100ms 200ms 400ms 800ms 1.6s 3.2s 5s 5s 5s]" {
		t.Errorf("waited %v", *waits)
	}
}

func TestJobFailures(t *testing.T) {
	const here = "/job"
	for _, c := range []struct {
		name  string
		asked int
		code  Code
		from  []jobAnswer
	}{
		{"gone", 2, CodeServerError, []jobAnswer{accepted(here, ""), {status: http.StatusGone}}},
		{"unknown", 3, CodeServerError, []jobAnswer{accepted(here, ""), accepted(here, ""), {status: http.StatusNotFound}}},
		{"failed", 2, CodeServerError, []jobAnswer{accepted(here, ""), {status: http.StatusInternalServerError}}},
		{"refused", 2, CodeUnauthorized, []jobAnswer{accepted(here, ""), {status: http.StatusForbidden}}},
		{"moved elsewhere", 2, CodeRefused, []jobAnswer{accepted(here, ""), {status: http.StatusSeeOther, header: map[string]string{"Location": "/other"}}}},
		{"done without JSON", 2, CodeInvalidAnswer, []jobAnswer{accepted(here, ""), {status: http.StatusOK, body: "done"}}},
		{"without an address", 1, CodeInvalidAnswer, []jobAnswer{{status: http.StatusAccepted}}},
		{"at an address that is none", 1, CodeInvalidAnswer, []jobAnswer{accepted("http://%zz", "")}},
		{"at another host", 1, CodeInvalidAnswer, []jobAnswer{accepted("http://192.0.2.1/job", "")}},
		{"at another host, without a scheme", 1, CodeInvalidAnswer, []jobAnswer{accepted("//192.0.2.1/job", "")}},
		{"at another port", 1, CodeInvalidAnswer, []jobAnswer{accepted("http://127.0.0.1:1/job", "")}},
		{"by another scheme", 1, CodeInvalidAnswer, []jobAnswer{accepted("https://127.0.0.1/job", "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, asked, _ := jobs(t, c.from...)
			got, err := source.Lookup(t.Context(), []string{"a", "b"})
			if code := codeOf(t, err); code != c.code || got != nil || len(*asked) != c.asked {
				t.Errorf("%+v, %v after %d calls; want %s after %d", got, err, len(*asked), c.code, c.asked)
			}
		})
	}
}

// TestJobWithUserIsRefused: an address with a user would send a password of the source's
// choice.
func TestJobWithUserIsRefused(t *testing.T) {
	source := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://user:word@"+r.Host+"/job")
		w.WriteHeader(http.StatusAccepted)
	})
	if _, err := source.Lookup(t.Context(), []string{"a", "b"}); codeOf(t, err) != CodeInvalidAnswer {
		t.Error(err)
	}
}

// TestJobEndsWithTheCall: a job that does not get done takes no longer than the call may.
func TestJobEndsWithTheCall(t *testing.T) {
	source := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/job")
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusAccepted)
	})
	ctx, cancel := context.WithTimeout(t.Context(), brief)
	defer cancel()
	if _, err := source.Lookup(ctx, []string{"a", "b"}); codeOf(t, err) != CodeTimeout {
		t.Error(err)
	}
}

// TestOneKeyIsNoJob: a lookup is answered at once or not at all.
func TestOneKeyIsNoJob(t *testing.T) {
	source, asked, _ := jobs(t, accepted("/job", ""))
	if _, err := source.Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != CodeRefused || len(*asked) != 1 {
		t.Errorf("%v after %v", err, *asked)
	}
}

// TestJobWithSecret: looks at a job carry the credentials, and read them again when they
// are refused.
func TestJobWithSecret(t *testing.T) {
	v := &vault{texts: []string{headerSecretOf("old"), headerSecretOf("new")}}
	var asked []string
	source := serve(t, func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.Header.Get("X-Api-Key"), canary)
		asked = append(asked, r.Method+" "+key)
		switch {
		case r.Method == http.MethodPost:
			w.Header().Set("Location", "/job")
			w.WriteHeader(http.StatusAccepted)
		case key == "old":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			answer(http.StatusOK, "application/json", batchAnswer)(w, r)
		}
	})
	source.keeper = newKeeper(source.keeper.base, v.read, source.now)
	source.idle = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if _, err := source.Lookup(t.Context(), []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, ", "); got != "POST old, GET old, GET new" {
		t.Errorf("asked %s", got)
	}
}
