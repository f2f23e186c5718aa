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
	states   map[string][]string
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

func (f *fence) Restart(_ context.Context, imp registry.Import, force bool) (int, error) {
	err := f.move(imp.ImportID, imp.Generation)
	if force {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.forced++
	}
	return imp.Generation + 1, err
}

func (f *fence) Abandon(_ context.Context, imp registry.Import) error {
	return f.move(imp.ImportID, imp.Generation)
}

// RecordState keeps the newest state as the database does.
func (f *fence) RecordState(_ context.Context, imp registry.Import) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == "state" {
		f.fail = ""
		return errLost
	}
	f.states[imp.ImportID] = append(f.states[imp.ImportID], fmt.Sprintf("%d %s %s %s", imp.Attempts, imp.Status, imp.Step, imp.Reason))
	return nil
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
