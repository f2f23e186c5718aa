package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// front passes requests on to the emulator. It is safe for concurrent use.
type front struct {
	emulator  *url.URL
	transport *http.Transport
	proxy     *httputil.ReverseProxy
	parts     parts
}

// newFront returns the handler; the parts are in dir.
func newFront(emulator *url.URL, dir string) *front {
	f := &front{
		emulator: emulator, parts: parts{dir: dir},
		transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true},
	}
	f.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(emulator)
			r.Out.Host = r.In.Host
			overTLS(r.Out.Header)
		},
		Transport:    f.transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { unavailable(w, err) },
	}
	return f
}

// unavailable answers that the front itself failed: the client retries as it
// would with S3.
func unavailable(w http.ResponseWriter, err error) {
	http.Error(w, fmt.Sprintf("front: %v", err), http.StatusServiceUnavailable)
}

// ServeHTTP takes the bytes of parts away, answers with them, and passes
// everything else on as it is.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".copy") {
		switch {
		case isPart(r):
			if err := f.keep(r); err != nil {
				unavailable(w, err)
				return
			}
		case isRead(r):
			if err := f.read(w, r); err != nil {
				unavailable(w, err)
			}
			return
		}
	} else if r.Method == http.MethodGet && isRead(r) {
		if err := f.fetch(w, r); err != nil {
			unavailable(w, err)
		}
		return
	}
	if err := buffer(r); err != nil {
		unavailable(w, err)
		return
	}
	f.proxy.ServeHTTP(w, r)
}

// bufferBytes is the length up to which a request is read completely before it is passed
// on.
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

// isPart reports whether a request uploads a part whose body is the plain bytes.
func isPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("partNumber") && r.ContentLength > referenceBytes &&
		r.Header.Get("X-Amz-Copy-Source") == "" && !strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked")
}

// isRead reports whether a request is a GET or HEAD of an object's content.
func isRead(r *http.Request) bool {
	query := r.URL.Query()
	query.Del("versionId")
	query.Del("x-id")
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && len(query) == 0
}

// keep stores the body and puts its reference in its place. Checksums of the body
// go: the emulator makes those of the reference.
func (f *front) keep(r *http.Request) error {
	sign(r)
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

// read answers a GET or HEAD with the files in the place of the references. An
// error means that nothing was answered yet.
func (f *front) read(w http.ResponseWriter, r *http.Request) error {
	answer, err := f.ask(r, func(headers http.Header) { // for the whole of what it has
		headers.Del("Range")
		headers.Del("X-Amz-Checksum-Mode")
	})
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	maps.Copy(w.Header(), answer.Header)
	if answer.StatusCode != http.StatusOK {
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(body) // whoever asked has gone
		return nil
	}
	content, err := f.parts.open(body)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	start, end, status := int64(0), content.size, http.StatusOK
	if asked := r.Header.Get("Range"); asked != "" {
		var ok bool
		if start, end, ok = byteRange(asked, content.size); !ok {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", content.size))
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return nil
		}
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, end-1, content.size))
	}
	w.Header().Set("Content-Length", strconv.FormatInt(end-start, 10))
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_ = content.copy(w, start, end) // a client that gets less than was announced asks again
	}
	return nil
}

// ask asks the emulator for an object by a GET, with other headers than the request's.
func (f *front) ask(r *http.Request, change func(http.Header)) (*http.Response, error) {
	ask := r.Clone(r.Context())
	sign(ask)
	overTLS(ask.Header)
	ask.Method, ask.RequestURI, ask.Body = http.MethodGet, "", nil
	ask.URL.Scheme, ask.URL.Host = f.emulator.Scheme, f.emulator.Host
	change(ask.Header)
	return f.transport.RoundTrip(ask)
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
