package enrichment

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"
)

// brief is the time that calls have where the source does not answer in time. It is
// waited for, and nothing depends on how long that takes.
const brief = 50 * time.Millisecond

// held answers nothing until the caller goes.
func held(_ http.ResponseWriter, r *http.Request, release <-chan struct{}) {
	_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the caller go
	select {
	case <-r.Context().Done():
	case <-release:
	}
}

// discarded is the log of a server whose complaints are what the test wants.
func discarded() *log.Logger { return log.New(io.Discard, "", 0) }

// assertTimeout checks that a call to source ends when its time is up.
func assertTimeout(t *testing.T, source Source) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), brief)
	defer cancel()
	if got, err := source.Lookup(ctx, []string{secretKey}); codeOf(t, err) != CodeTimeout || got != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSlowSource: whatever a source does slowly, a call ends when its time is up.
func TestSlowSource(t *testing.T) {
	release := make(chan struct{})
	head := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_ = http.NewResponseController(w).Flush()
	}
	for name, handle := range map[string]http.HandlerFunc{
		"no head": func(w http.ResponseWriter, r *http.Request) { held(w, r, release) },
		"a head and no body": func(w http.ResponseWriter, r *http.Request) {
			head(w)
			held(w, r, release)
		},
		"a drip": func(w http.ResponseWriter, r *http.Request) {
			head(w)
			for r.Context().Err() == nil { // a byte after the other, for ever, and less than MaxAnswer in the time
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(time.Millisecond):
				case <-release:
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			assertTimeout(t, serve(t, handle))
		})
	}
	close(release)
}

// TestHangingConnections: a source that accepts connections and says nothing, neither
// HTTP nor TLS.
func TestHangingConnections(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // connections wait in its queue, accepted by the system alone
	for _, scheme := range []string{"http://", "https://"} {
		assertTimeout(t, newREST(t, scheme+listener.Addr().String()))
	}
}

// TestCompressedAnswerIsBounded: what is limited is the answer as it is read, not as it
// comes.
func TestCompressedAnswerIsBounded(t *testing.T) {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, _ = w.Write(bytes.Repeat([]byte(" "), MaxAnswer))
	_, _ = io.WriteString(w, goodResult)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	source := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("accepts %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		answer(http.StatusOK, "application/json", compressed.String())(w, r)
	})
	if _, err := source.Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != CodeInvalidAnswer {
		t.Error(err)
	}
}
