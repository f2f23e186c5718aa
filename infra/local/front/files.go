package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
)

// The emulator answers a GET that carries handOver with no body, but with where
// the bytes are: a file, and which bytes of which inode and time of change of it
// (infra/local/emulator/files.py).
const (
	handOver   = "X-Front-Reads-Files"
	fileHeader = "X-Front-File"
	partHeader = "X-Front-Part"
)

// fetch answers a GET of an object with the emulator's headers and with the bytes
// of the file that the emulator names, which the kernel sends without a copy in
// either process. An error means that nothing was answered yet.
func (f *front) fetch(w http.ResponseWriter, r *http.Request) error {
	answer, err := f.ask(r, func(headers http.Header) { headers.Set(handOver, "1") })
	if err != nil {
		return err
	}
	body, size := io.Reader(answer.Body), answer.ContentLength
	defer func() { _ = answer.Body.Close() }()
	if name := answer.Header.Get(fileHeader); name != "" {
		file, err := openPart(name, answer.Header.Get(partHeader))
		if errors.Is(err, os.ErrNotExist) { // replaced or removed meanwhile: ask for the bytes
			f.proxy.ServeHTTP(w, r)
			return nil
		}
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		body, size = file.LimitedReader, file.N
	}
	maps.Copy(w.Header(), answer.Header)
	w.Header().Del(fileHeader)
	w.Header().Del(partHeader)
	if size >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, body) // a client that gets less than was announced asks again
	return nil
}

// filePart is a range of an open file.
type filePart struct {
	*io.LimitedReader
	io.Closer
}

// openPart opens the bytes that the emulator names; an os.ErrNotExist if the file is
// another by now.
func openPart(name, part string) (*filePart, error) {
	path, err := url.PathUnescape(name)
	if err != nil {
		return nil, fmt.Errorf("the emulator names a file as %q: %w", name, err)
	}
	var inode uint64
	var changed, start, size int64
	if _, err := fmt.Sscanf(part, "%d %d %d %d", &inode, &changed, &start, &size); err != nil {
		return nil, fmt.Errorf("the emulator names a part of a file as %q: %w", part, err)
	}
	file, err := os.Open(path) //nolint:gosec // the emulator's own file
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Ino != inode || info.ModTime().UnixNano() != changed {
			err = fmt.Errorf("%s was replaced: %w", path, os.ErrNotExist)
		}
	}
	if err == nil {
		_, err = file.Seek(start, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &filePart{&io.LimitedReader{R: file, N: size}, file}, nil
}
