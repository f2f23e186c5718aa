package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// touchLimit is above what an import of a million clients writes, in bytes.
const touchLimit = 16 << 30

// touchMemory has so many bytes of memory used once before anything is measured. A
// virtual machine gets a page from its host when it is first written, which takes
// longer than writing it; an import, which writes gigabytes, would pay for that, and
// the copies after it would not. The memory goes to the page cache of a file without
// content, in folder, which gives it away to whoever wants it, and is in use until
// forget.
func touchMemory(folder string, size int64) (forget func() error, err error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(folder, "memory")) //nolint:gosec // a folder of our own
	if err != nil {
		return nil, err
	}
	forget = func() error { return errors.Join(file.Close(), os.Remove(file.Name())) }
	began := time.Now()
	err = file.Truncate(size)
	if err == nil {
		_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{file}, make([]byte, 1<<20))
	}
	if err != nil {
		return nil, errors.Join(err, forget())
	}
	fmt.Printf("\nMemory: %.1f GiB used once, in %.1f s, before anything is measured\n", float64(size)/(1<<30), time.Since(began).Seconds())
	return forget, nil
}

// availableMemory reads, from a file like /proc/meminfo, how many bytes the machine
// can give away.
func availableMemory(path string) (int64, error) {
	kilobytes, err := strconv.ParseInt(strings.TrimSuffix(fact(path, "MemAvailable"), " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s does not say MemAvailable: %w", path, err)
	}
	return kilobytes << 10, nil
}
