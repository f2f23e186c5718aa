package objectstore_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry/registrytest"
)

var emulator *registrytest.Emulator

func TestMain(m *testing.M) {
	os.Exit(registrytest.Run(m, func(e *registrytest.Emulator) { emulator = e }))
}

// open makes a fresh bucket and its store.
func open(t *testing.T) *objectstore.Store {
	t.Helper()
	return objectstore.New(emulator.S3(t), emulator.Bucket(t))
}

// through is the same bucket behind a proxy; the client makes a number of attempts.
func through(t *testing.T, p *proxy, bucket string, attempts int) *objectstore.Store {
	return objectstore.New(s3.New(emulator.S3(t).Options(), func(o *s3.Options) {
		o.BaseEndpoint, o.RetryMaxAttempts = aws.String(p.server.URL), attempts
	}), bucket)
}

// proxy stands between a client and the emulator and disturbs one request.
type proxy struct {
	server *httptest.Server
	mu     sync.Mutex
	rule   *disturbance
}

// disturbance is what happens to the requests that match: times of them.
type disturbance struct {
	match func(*http.Request) bool
	times int
	// serve answers the request; forward passes it on to the server and returns
	// the whole answer.
	serve func(w http.ResponseWriter, forward func() *httptest.ResponseRecorder)
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	target, err := url.Parse(aws.ToString(emulator.S3(t).Options().BaseEndpoint))
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	p := &proxy{}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule := p.matching(r)
		if rule == nil {
			pass.ServeHTTP(w, r)
			return
		}
		rule.serve(w, func() *httptest.ResponseRecorder {
			answer := httptest.NewRecorder()
			pass.ServeHTTP(answer, r)
			return answer
		})
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *proxy) matching(r *http.Request) *disturbance {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rule == nil || p.rule.times == 0 || !p.rule.match(r) {
		return nil
	}
	p.rule.times--
	return p.rule
}

func (p *proxy) disturb(d disturbance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rule = &d
}

// The requests by which an object comes to be.
func putObject(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Get("uploadId") == ""
}

func completeUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Get("uploadId") != ""
}
func getObject(r *http.Request) bool { return r.Method == http.MethodGet }

// loseRequest breaks the connection before the server hears of the request.
func loseRequest(http.ResponseWriter, func() *httptest.ResponseRecorder) { panic(http.ErrAbortHandler) }

// loseAnswer breaks it after the server has carried the request out.
func loseAnswer(_ http.ResponseWriter, forward func() *httptest.ResponseRecorder) {
	forward()
	panic(http.ErrAbortHandler)
}

// refuse answers in the place of the server.
func refuse(status int, code string) func(http.ResponseWriter, func() *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `<Error><Code>`+code+`</Code><Message>m</Message></Error>`)
	}
}

// truncate breaks the connection in the middle of the answer.
func truncate(w http.ResponseWriter, forward func() *httptest.ResponseRecorder) {
	answer := forward()
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
	panic(http.ErrAbortHandler)
}

// content is n bytes that differ from place to place.
func content(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16) ^ byte(i>>8) ^ byte(i) ^ seed
	}
	return b
}

// writing is a producer of content, in pieces.
func writing(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.Copy(w, struct{ io.Reader }{bytes.NewReader(b)})
		return err
	}
}

// read returns the content of a version.
func read(t *testing.T, s *objectstore.Store, key, version string) []byte {
	t.Helper()
	body, err := s.Open(t.Context(), key, version)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func isTransient(err error) bool {
	_, ok := errors.AsType[*fault.Transient](err)
	return ok
}

// versions is how many versions a key has.
func versions(t *testing.T, s *objectstore.Store, key string) int {
	t.Helper()
	out, err := emulator.S3(t).ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(s.Bucket()), Prefix: &key})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Versions)
}

// uploads is how many multipart uploads are open.
func uploads(t *testing.T, s *objectstore.Store) int {
	t.Helper()
	out, err := emulator.S3(t).ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(s.Bucket())})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Uploads)
}

func TestBucket(t *testing.T) {
	t.Parallel()
	if s := open(t); !strings.HasPrefix(s.Bucket(), "bucket-") {
		t.Errorf("the bucket is %q", s.Bucket())
	}
}
