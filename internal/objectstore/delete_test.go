package objectstore_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
)

// place writes a small object under a key.
func place(t *testing.T, s *objectstore.Store, key string) {
	t.Helper()
	if err := s.Put(t.Context(), key, "text/plain", []byte(key)); err != nil {
		t.Fatal(err)
	}
}

// keysOf lists every version and every delete marker of a bucket.
func keysOf(t *testing.T, s *objectstore.Store) (keys []string) {
	t.Helper()
	pages := s3.NewListObjectVersionsPaginator(emulator.S3(t), &s3.ListObjectVersionsInput{Bucket: aws.String(s.Bucket())})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			keys = append(keys, aws.ToString(v.Key))
		}
		for _, m := range page.DeleteMarkers {
			keys = append(keys, "deleted "+aws.ToString(m.Key))
		}
	}
	return keys
}

// TestDeleteAll: more than a page goes, in all versions; what only looks alike
// stays. A second call finds nothing.
func TestDeleteAll(t *testing.T) {
	t.Parallel()
	s := open(t)
	const many = 1003
	for n := range many {
		place(t, s, fmt.Sprintf("I/g1/raw/%04d", n))
	}
	place(t, s, "I/g1/raw/0000") // a second version
	if _, err := emulator.S3(t).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(s.Bucket()), Key: aws.String("I/g1/raw/0001")}); err != nil {
		t.Fatal(err)
	}
	kept := []string{"I/g10/raw/0000", "I/g2/raw/0000", "I/report.json", "J/g1/raw/0000"}
	for _, key := range kept {
		place(t, s, key)
	}
	for _, want := range []int{many + 2, 0} {
		if got, err := s.DeleteAll(t.Context(), "I/g1/"); err != nil || got != want {
			t.Errorf("deleted %d, %v; want %d", got, err, want)
		}
	}
	if got := strings.Join(keysOf(t, s), " "); got != strings.Join(kept, " ") {
		t.Errorf("left: %s", got)
	}
	if _, err := s.DeleteAll(t.Context(), ""); err == nil {
		t.Error("a whole bucket was deleted")
	}
}

// TestDeleteAllFails is the failure table: the deletion fails, or its answer is
// lost, and the next call does what is left to do.
func TestDeleteAllFails(t *testing.T) {
	t.Parallel()
	isDelete := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("delete") }
	answer := func(status int, body string) func(http.ResponseWriter, func() *httptest.ResponseRecorder) {
		return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const single = `<?xml version="1.0"?><DeleteResult><Error><Key>I/g1/a</Key><Code>%s</Code><Message>m</Message></Error></DeleteResult>`
	for name, c := range map[string]struct {
		serve func(http.ResponseWriter, func() *httptest.ResponseRecorder)
		fault etl.Fault
		again int // deleted by the second call
	}{
		"failed, not saved": {answer(http.StatusServiceUnavailable, ""), "Transient", 2},
		"failed, but saved": {func(w http.ResponseWriter, forward func() *httptest.ResponseRecorder) {
			forward()
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "Transient", 0},
		"single objects": {answer(http.StatusOK, fmt.Sprintf(single, "InternalError")), "Transient", 2},
		"access denied":  {answer(http.StatusOK, fmt.Sprintf(single, "AccessDenied")), "AccessDenied", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, bucket := newProxy(t), emulator.Bucket(t)
			s := through(t, p, bucket, 1)
			place(t, s, "I/g1/a")
			place(t, s, "I/g1/b")
			p.disturb(disturbance{match: isDelete, times: 1, serve: c.serve})
			if _, err := s.DeleteAll(t.Context(), "I/g1/"); fault.Name(fault.Lift(err)) != c.fault {
				t.Errorf("got %v, want %s", err, c.fault)
			}
			if got, err := s.DeleteAll(t.Context(), "I/g1/"); err != nil || got != c.again {
				t.Errorf("again: deleted %d, %v; want %d", got, err, c.again)
			}
		})
	}
}
