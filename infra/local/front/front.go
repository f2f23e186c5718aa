package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// front passes requests on to the emulator. It is safe for concurrent use.
type front struct {
	proxy *httputil.ReverseProxy
	parts parts
}

// buffers lend the proxy what it copies answers with: streams are long.
type buffers struct{ pool sync.Pool }

// copyBytes is the length of a buffer.
const copyBytes = 256 << 10

// Get implements [httputil.BufferPool].
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, copyBytes)
}

// Put implements [httputil.BufferPool].
func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

// original is what a request asked for before the front changed it.
type original struct{ method, byteRange string }

// originalKey is its key in a request's context.
type originalKey struct{}

// newFront returns the handler; the parts are in dir.
func newFront(emulator *url.URL, dir string) *front {
	f := &front{parts: parts{dir: dir}}
	f.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(emulator)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: f.resolve,
		BufferPool:     &buffers{},
		Transport:      &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			// The client retries as it would with S3, also if the front itself failed.
			http.Error(w, fmt.Sprintf("front: %v", err), http.StatusServiceUnavailable)
		},
	}
	return f
}

// ServeHTTP takes the bytes of parts away, asks for whole streams, and passes
// everything else on as it is.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".copy") {
		switch {
		case isPart(r):
			if err := f.keep(r); err != nil {
				http.Error(w, fmt.Sprintf("front: %v", err), http.StatusServiceUnavailable)
				return
			}
		case isRead(r):
			ctx := context.WithValue(r.Context(), originalKey{}, original{r.Method, r.Header.Get("Range")})
			r = r.Clone(ctx)
			r.Method = http.MethodGet
			r.Header.Del("Range")
			r.Header.Del("X-Amz-Checksum-Mode")
		}
	}
	if err := buffer(r); err != nil {
		http.Error(w, fmt.Sprintf("front: %v", err), http.StatusServiceUnavailable)
		return
	}
	f.proxy.ServeHTTP(w, r)
}

// bufferBytes is up to which length a request is read whole before it goes on.
const bufferBytes = 1 << 20

// buffer reads a short body whole. Were it still being read from the client when
// the emulator answers, the transport would close the connection in mid-answer.
func buffer(r *http.Request) error {
	if r.ContentLength <= 0 || r.ContentLength > bufferBytes {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// isPart tells an upload of a part whose body is the part's bytes, plain.
func isPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("partNumber") && r.ContentLength > referenceBytes &&
		r.Header.Get("X-Amz-Copy-Source") == "" && !strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked")
}

// isRead tells a GET or HEAD of an object's content.
func isRead(r *http.Request) bool {
	query := r.URL.Query()
	query.Del("versionId")
	query.Del("x-id")
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && len(query) == 0
}

// keep stores the body and puts its reference in its place. Checksums of the body
// go: the emulator makes those of the reference.
func (f *front) keep(r *http.Request) error {
	reference, err := f.parts.write(r.Body, r.ContentLength)
	if err != nil {
		return err
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-Checksum-") || name == "Content-Md5" {
			r.Header.Del(name)
		}
	}
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	r.Header.Set("Content-Length", strconv.Itoa(len(reference)))
	r.ContentLength = int64(len(reference))
	r.Body = io.NopCloser(bytes.NewReader(reference))
	return nil
}

// resolve puts the files in the place of the references, and cuts out the range
// that was asked for.
func (f *front) resolve(answer *http.Response) error {
	asked, ok := answer.Request.Context().Value(originalKey{}).(original)
	if !ok || answer.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	content, err := f.parts.open(body)
	if err != nil {
		return err
	}
	start, end := int64(0), content.size
	if asked.byteRange != "" {
		if start, end, ok = byteRange(asked.byteRange, content.size); !ok {
			_ = content.Close()
			answer.StatusCode, answer.Status = http.StatusRequestedRangeNotSatisfiable, ""
			answer.Header.Set("Content-Range", fmt.Sprintf("bytes */%d", content.size))
			answer.Header.Set("Content-Length", "0")
			answer.Body, answer.ContentLength = http.NoBody, 0
			return nil
		}
		answer.StatusCode, answer.Status = http.StatusPartialContent, ""
		answer.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, end-1, content.size))
	}
	answer.ContentLength = end - start
	answer.Header.Set("Content-Length", strconv.FormatInt(end-start, 10))
	if asked.method == http.MethodHead {
		answer.Body = http.NoBody
		return content.Close()
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(content, start, end-start), content}
	return nil
}

// byteRange reads "bytes=a-b", "bytes=a-" and "bytes=-n" (RFC 9110, 14.1.2) as
// [start, end); false if it lies beyond the content.
func byteRange(text string, size int64) (start, end int64, ok bool) {
	first, last, found := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
	from, fromErr := strconv.ParseInt(first, 10, 64)
	to, toErr := strconv.ParseInt(last, 10, 64)
	switch {
	case !found || (fromErr != nil && toErr != nil):
		return 0, 0, false
	case fromErr != nil:
		return max(0, size-to), size, to > 0
	case toErr != nil:
		return from, size, from < size
	default:
		return from, min(to+1, size), from < size && from <= to
	}
}
