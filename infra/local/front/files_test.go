package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// library is an emulator that hands a file over, and records what it was asked for.
type library struct {
	path, part string
	plain      int // how often it was asked for the bytes themselves
}

func (l *library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Etag", "e")
	w.Header().Set("Content-Range", "bytes 2-5/10")
	if r.Header.Get(handOver) == "" {
		l.plain++
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, "then")
		return
	}
	w.Header().Set(fileHeader, url.PathEscape(l.path))
	w.Header().Set(partHeader, l.part)
	w.WriteHeader(http.StatusPartialContent)
}

func TestHandedOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "é %41 f.csv")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	inode, changed := info.Sys().(*syscall.Stat_t).Ino, info.ModTime().UnixNano()
	for name, c := range map[string]struct {
		path, part, want string
		status, plain    int
	}{
		"the file":                {path, fmt.Sprintf("%d %d 2 4", inode, changed), "2345", http.StatusPartialContent, 0},
		"nothing of it":           {path, fmt.Sprintf("%d %d 10 0", inode, changed), "", http.StatusPartialContent, 0},
		"another file since then": {path, fmt.Sprintf("%d %d 2 4", inode+1, changed), "then", http.StatusPartialContent, 1},
		"changed since then":      {path, fmt.Sprintf("%d %d 2 4", inode, changed-1), "then", http.StatusPartialContent, 1},
		"removed since then":      {path + "x", fmt.Sprintf("%d %d 2 4", inode, changed), "then", http.StatusPartialContent, 1},
		"no part":                 {path, "x", "", http.StatusServiceUnavailable, 0},
	} {
		l := &library{path: c.path, part: c.part}
		emulator := httptest.NewServer(l)
		t.Cleanup(emulator.Close)
		target, err := url.Parse(emulator.URL)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(newFront(target, t.TempDir()))
		t.Cleanup(server.Close)
		answer, got := call(t, http.MethodGet, server.URL+"/landing/f.csv?versionId=v", "", "Range", "bytes=2-5")
		if answer.StatusCode != c.status || l.plain != c.plain {
			t.Errorf("%s: status %d, asked %d times for the bytes", name, answer.StatusCode, l.plain)
		}
		if answer.StatusCode != http.StatusPartialContent {
			continue
		}
		if got != c.want || answer.ContentLength != int64(len(c.want)) || answer.Header.Get("Content-Range") != "bytes 2-5/10" {
			t.Errorf("%s: %q, want %q; headers %v", name, got, c.want, answer.Header)
		}
		if answer.Header.Get("Etag") != "e" || answer.Header.Get(fileHeader) != "" || answer.Header.Get(partHeader) != "" {
			t.Errorf("%s: headers %v", name, answer.Header)
		}
	}
}
