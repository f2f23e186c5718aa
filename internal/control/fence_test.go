package control_test

import (
	"context"
	"fmt"
	"sync"

	"etl-dataloader/internal/registry"
)

// fence counts generations as the database does.
type fence struct {
	fail    string // "before" or "after": the next call fails
	current map[string]int
	during  func() // runs inside the next call
	forced  int

	mu       sync.Mutex
	attempts []registry.Attempt
}

func (f *fence) move(importID string, from int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.during != nil {
		f.during()
		f.during = nil
	}
	if f.fail == "before" {
		f.fail = ""
		return errLost
	}
	f.current[importID] = max(f.current[importID], from+1)
	if f.fail == "after" {
		f.fail = ""
		return errLost
	}
	return nil
}

func (f *fence) Restart(_ context.Context, importID string, from int, force bool) (int, error) {
	err := f.move(importID, from)
	if force {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.forced++
	}
	return from + 1, err
}

func (f *fence) Abandon(_ context.Context, importID string, from int) error {
	return f.move(importID, from)
}

// RecordAttempts keeps the attempts as the database does.
func (f *fence) RecordAttempts(_ context.Context, _ string, attempts []registry.Attempt) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == "record" {
		f.fail = ""
		return errLost
	}
	f.attempts = attempts
	return nil
}

// work counts what was dropped, by import and generation.
type work struct {
	mu      sync.Mutex
	dropped map[string]int
	fail    bool // the next call fails half-way
}

func (w *work) Drop(_ context.Context, importID string, generation int) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropped[fmt.Sprintf("%s g%d", importID, generation)]++
	if w.fail {
		w.fail = false
		return 1, errLost
	}
	return 3, nil
}
