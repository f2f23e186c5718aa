package objectstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/objectstore"
)

// Sizes below and above the 8 MiB from which an object is uploaded in parts.
const (
	small = 1000
	large = 9 << 20
)

func TestPutOnce(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"empty": 0, "small": small, "one part": 8 << 20, "parts": large} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, want := open(t), content(size, 1)
			object, created, err := s.PutOnce(t.Context(), "a/b.copy", map[string]string{"schema": "cafe"}, writing(want))
			if err != nil || !bool(created) {
				t.Fatalf("created %v, %v", created, err)
			}
			if object.Key != "a/b.copy" || object.VersionID == "" || object.Bytes != int64(size) || object.Checksum != checksum(want) {
				t.Errorf("it is told as %+v", object)
			}
			if got := read(t, s, object.Key, object.VersionID); !bytes.Equal(got, want) {
				t.Errorf("%d bytes were stored, other than the %d written", len(got), len(want))
			}
			body, err := s.Open(t.Context(), object.Key, object.VersionID)
			if err != nil {
				t.Fatal(err)
			}
			_ = body.Close()
			if body.Metadata["schema"] != "cafe" {
				t.Errorf("its metadata is %v", body.Metadata)
			}
			again, created, err := s.PutOnce(t.Context(), "a/b.copy", nil, writing(content(size+1, 2)))
			if err != nil || bool(created) {
				t.Fatalf("the second write: created %v, %v", created, err)
			}
			if again.VersionID != object.VersionID || again.Bytes != object.Bytes || again.Checksum != "" {
				t.Errorf("the second write tells %+v, want the first without its checksum", again)
			}
			if n := versions(t, s, "a/b.copy"); n != 1 {
				t.Errorf("the key has %d versions", n)
			}
			if n := uploads(t, s); n != 0 {
				t.Errorf("%d uploads were left open", n)
			}
		})
	}
}

// TestPutOnceConcurrent: of many writers one wins, and all are told which.
func TestPutOnceConcurrent(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"small": small, "parts": large} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			var wait sync.WaitGroup
			objects, created := make([]objectstore.Object, 4), make([]objectstore.Created, 4)
			for i := range objects {
				wait.Go(func() {
					var err error
					objects[i], created[i], err = s.PutOnce(t.Context(), "k", nil, writing(content(size, byte(i))))
					if err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			winner := -1
			for i, c := range created {
				if c {
					if winner >= 0 {
						t.Error("two writers won")
					}
					winner = i
				}
				if objects[i].VersionID != objects[0].VersionID {
					t.Error("the writers are told different versions")
				}
			}
			if winner < 0 {
				t.Fatal("nobody won")
			}
			if !bytes.Equal(read(t, s, "k", objects[winner].VersionID), content(size, byte(winner))) {
				t.Error("the object is not the winner's")
			}
		})
	}
}

// TestPutOnceFailedNotSaved: a producer that fails leaves no object, however far
// it came, and no upload that is paid for; the key can be written then.
func TestPutOnceFailedNotSaved(t *testing.T) {
	t.Parallel()
	broken := errors.New("the source broke")
	for name, size := range map[string]int{"at once": 0, "small": small, "in the second part": large} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			_, _, err := s.PutOnce(t.Context(), "k", nil, func(w io.Writer) error {
				if err := writing(content(size, 1))(w); err != nil {
					return err
				}
				return fmt.Errorf("produce: %w", broken)
			})
			if !errors.Is(err, broken) {
				t.Errorf("got %v", err)
			}
			if n := versions(t, s, "k") + uploads(t, s); n != 0 {
				t.Errorf("%d versions and uploads were left", n)
			}
			if _, created, err := s.PutOnce(t.Context(), "k", nil, writing(content(size, 1))); err != nil || !bool(created) {
				t.Errorf("then: created %v, %v", created, err)
			}
		})
	}
}

// TestPutOnceLost is the failure table of a write whose answer is lost: the
// caller gets a Transient fault, and the retry finds out what happened.
func TestPutOnceLost(t *testing.T) {
	t.Parallel()
	type serve = func(http.ResponseWriter, func() *httptest.ResponseRecorder)
	for name, c := range map[string]struct {
		size    int
		match   func(*http.Request) bool
		serve   serve
		created bool // by the retry
	}{
		"PutObject failed, not persisted":                {small, putObject, loseRequest, true},
		"PutObject failed, but persisted":                {small, putObject, loseAnswer, false},
		"CompleteMultipartUpload failed, not persisted":  {large, completeUpload, loseRequest, true},
		"CompleteMultipartUpload failed, but persisted":  {large, completeUpload, loseAnswer, false},
		"PutObject refused: another writer is at it":     {small, putObject, refuse(http.StatusConflict, "ConditionalRequestConflict"), true},
		"PutObject refused: the server is busy":          {small, putObject, refuse(http.StatusServiceUnavailable, "SlowDown"), true},
		"CompleteMultipartUpload refused: another is it": {large, completeUpload, refuse(http.StatusConflict, "ConditionalRequestConflict"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := open(t), newProxy(t)
			p.disturb(disturbance{match: c.match, times: 1, serve: c.serve})
			lossy, want := through(t, p, s.Bucket(), 1), content(c.size, 3)
			if _, _, err := lossy.PutOnce(t.Context(), "k", nil, writing(want)); !isTransient(err) {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			object, created, err := lossy.PutOnce(t.Context(), "k", nil, writing(want))
			if err != nil || bool(created) != c.created {
				t.Fatalf("the retry: created %v, %v; want %v", created, err, c.created)
			}
			if !bytes.Equal(read(t, s, "k", object.VersionID), want) {
				t.Error("the object is not what was written")
			}
			if n := versions(t, s, "k"); n != 1 {
				t.Errorf("the key has %d versions", n)
			}
		})
	}
}

// TestPutOnceRecovers: the client's own retry meets the object that its first
// attempt wrote; the caller is told that it stands.
func TestPutOnceRecovers(t *testing.T) {
	t.Parallel()
	s, p := open(t), newProxy(t)
	p.disturb(disturbance{match: putObject, times: 1, serve: loseAnswer})
	want := content(small, 4)
	object, created, err := through(t, p, s.Bucket(), 3).PutOnce(t.Context(), "k", nil, writing(want))
	if err != nil || bool(created) || !bytes.Equal(read(t, s, "k", object.VersionID), want) {
		t.Errorf("got %+v, created %v, %v", object, created, err)
	}
}

// TestPutOnceDenied: what the request itself gets wrong is not retried.
func TestPutOnceDenied(t *testing.T) {
	t.Parallel()
	s, p := open(t), newProxy(t)
	p.disturb(disturbance{match: putObject, times: -1, serve: refuse(http.StatusForbidden, "AccessDenied")})
	_, _, err := through(t, p, s.Bucket(), 1).PutOnce(t.Context(), "k", nil, writing(content(small, 5)))
	if err == nil || isTransient(err) {
		t.Errorf("got %v", err)
	}
}

func TestPut(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, text := range []string{"first", "second"} {
		if err := s.Put(t.Context(), "report.json", "application/json", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, s, "report.json", ""); string(got) != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

// TestUploadsLeaveTheBodyUnsigned: over plain HTTP as over TLS; the checksum that S3
// compares goes with the request in both.
func TestUploadsLeaveTheBodyUnsigned(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mutex sync.Mutex
			signed := map[string]int{}
			server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodPut {
					mutex.Lock()
					defer mutex.Unlock()
					signed[r.Header.Get("X-Amz-Content-Sha256")]++
					if r.Header.Get("X-Amz-Checksum-Crc32")+r.Header.Get("X-Amz-Trailer") == "" {
						t.Errorf("%s has no checksum: %v", r.URL, r.Header)
					}
					w.Header().Set("ETag", "etag")
					return
				}
				_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>`)
			}))
			t.Cleanup(server.Close)
			store := objectstore.New(s3.New(emulator.S3(t).Options(), func(o *s3.Options) {
				o.BaseEndpoint, o.HTTPClient = aws.String(server.URL), server.Client()
			}), "bucket")
			for _, size := range []int{small, large} {
				if _, _, err := store.PutOnce(t.Context(), "a", nil, writing(content(size, 1))); err != nil {
					t.Fatal(err)
				}
			}
			want := map[string]map[string]int{"http": {"UNSIGNED-PAYLOAD": 3}, "https": {"STREAMING-UNSIGNED-PAYLOAD-TRAILER": 3}}[name]
			if diff := cmp.Diff(want, signed); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
