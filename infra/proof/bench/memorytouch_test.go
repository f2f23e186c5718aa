package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTouchMemory: the file is as large as asked, has no content on the disk, and
// goes when it is forgotten.
func TestTouchMemory(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new")
	const size = 5<<20 + 1
	forget, err := touchMemory(folder, size)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "memory"))
	if err != nil || info.Size() != size {
		t.Errorf("%v, %v", info, err)
	}
	if err := forget(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%v remain, %v", left, err)
	}
}

func TestAvailableMemory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "meminfo")
	for text, want := range map[string]int64{
		"MemTotal:  24683 kB\nMemFree: 1 kB\nMemAvailable:   23032 kB\n": 23032 << 10,
		"MemTotal:  24683 kB\n":     0,
		"MemAvailable:   many kB\n": 0,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := availableMemory(path); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if _, err := availableMemory(path + ".gone"); err == nil {
		t.Error("a file that is not there is no error")
	}
}
