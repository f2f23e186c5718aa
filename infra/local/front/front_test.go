package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bucket is an emulator that keeps the body of each PUT of a path, parts one
// after the other, and the headers of the last request.
type bucket struct {
	mutex   sync.Mutex
	objects map[string][]byte
	headers http.Header
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.headers = r.Header.Clone()
	switch body, _ := io.ReadAll(r.Body); r.Method {
	case http.MethodPut:
		if !r.URL.Query().Has("partNumber") {
			b.objects[r.URL.Path] = nil
		}
		b.objects[r.URL.Path] = append(b.objects[r.URL.Path], body...)
	case http.MethodGet:
		object, ok := b.objects[r.URL.Path]
		if !ok {
			http.Error(w, "NoSuchKey", http.StatusNotFound)
			return
		}
		w.Header().Set("X-Amz-Version-Id", "v1")
		if r.Header.Get("Range") != "" {
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(object)
	default:
		_, _ = w.Write(body)
	}
}

// open starts a bucket and a front before it.
func open(t *testing.T) (b *bucket, address, dir string) {
	t.Helper()
	b, dir = &bucket{objects: map[string][]byte{}}, t.TempDir()
	emulator := httptest.NewServer(b)
	t.Cleanup(emulator.Close)
	target, err := url.Parse(emulator.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newFront(target, dir))
	t.Cleanup(server.Close)
	return b, server.URL, dir
}

// call sends a request; headers are pairs of a name and a value.
func call(t *testing.T, method, address, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

func TestParts(t *testing.T) {
	t.Parallel()
	b, address, dir := open(t)
	one, two := strings.Repeat("a", 100_000), strings.Repeat("b", 70_000)
	for _, part := range []string{one, two} {
		call(t, http.MethodPut, address+"/work/x.copy?partNumber=1&uploadId=u", part, "X-Amz-Checksum-Crc32", "sum", "X-Amz-Meta-Schema", "s")
	}
	if got := len(b.objects["/work/x.copy"]); got != 2*referenceBytes {
		t.Fatalf("the emulator has %d bytes", got)
	}
	if b.headers.Get("X-Amz-Checksum-Crc32") != "" || b.headers.Get("X-Amz-Meta-Schema") != "s" {
		t.Errorf("headers of a part: %v", b.headers)
	}
	whole := one + two
	for asked, want := range map[string]string{
		"": whole, "bytes=0-9": whole[:10], "bytes=99999-100000": "ab", "bytes=169990-": whole[169990:], "bytes=-3": "bbb", "bytes=5-999999": whole[5:],
	} {
		answer, got := call(t, http.MethodGet, address+"/work/x.copy?versionId=v1", "", "Range", asked)
		status := http.StatusPartialContent
		if asked == "" {
			status = http.StatusOK
		}
		if answer.StatusCode != status || got != want || answer.ContentLength != int64(len(want)) || answer.Header.Get("X-Amz-Version-Id") != "v1" {
			t.Errorf("range %q: %d, %d bytes, want %d", asked, answer.StatusCode, len(got), len(want))
		}
	}
	if answer, _ := call(t, http.MethodGet, address+"/work/x.copy", "", "Range", "bytes=170000-170001"); answer.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a range behind the end: %d", answer.StatusCode)
	}
	if answer, _ := call(t, http.MethodHead, address+"/work/x.copy", ""); answer.StatusCode != http.StatusOK || answer.ContentLength != 170_000 {
		t.Errorf("HEAD: %d, length %d", answer.StatusCode, answer.ContentLength)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if answer, _ := call(t, http.MethodGet, address+"/work/x.copy", ""); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("an object whose part is gone: %d", answer.StatusCode)
	}
}

// TestPassesThrough: what is no part of a stream stays with the emulator.
func TestPassesThrough(t *testing.T) {
	t.Parallel()
	b, address, _ := open(t)
	long := strings.Repeat("z", 2*bufferBytes)
	for path, headers := range map[string][]string{
		"/landing/daily/f.csv?partNumber=1&uploadId=u": nil,
		"/work/small.copy":                           nil,
		"/work/chunked.copy?partNumber=1&uploadId=u": {"Content-Encoding", "aws-chunked"},
		"/work/copied.copy?partNumber=1&uploadId=u":  {"X-Amz-Copy-Source", "/work/y.copy"},
	} {
		call(t, http.MethodPut, address+path, long, headers...)
		plain, _, _ := strings.Cut(path, "?")
		if !bytes.Equal(b.objects[plain], []byte(long)) {
			t.Errorf("%s: the emulator has %d bytes", path, len(b.objects[plain]))
		}
	}
	if answer, got := call(t, http.MethodGet, address+"/work/small.copy", "", "Range", "bytes=1-3"); answer.StatusCode != http.StatusPartialContent || got != "zzz" {
		t.Errorf("a range of a small object: %d %q", answer.StatusCode, got)
	}
	if answer, _ := call(t, http.MethodGet, address+"/work/none.copy", ""); answer.StatusCode != http.StatusNotFound {
		t.Errorf("no object: %d", answer.StatusCode)
	}
	if _, got := call(t, http.MethodPost, address+"/", `{"a":1}`); got != `{"a":1}` {
		t.Errorf("a call of another service came back as %q", got)
	}
}

func TestAnnouncedSize(t *testing.T) {
	t.Parallel()
	p := parts{dir: t.TempDir()}
	if _, err := p.write(strings.NewReader("short"), 100); err == nil {
		t.Error("a part that ends early is kept")
	}
	if left, _ := filepath.Glob(filepath.Join(p.dir, "*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", "8.8.8.8:80", "x"} {
		if err := run(t.Context(), addr, "http://127.0.0.1:1", t.TempDir()); err == nil {
			t.Errorf("%s is taken", addr)
		}
	}
}
