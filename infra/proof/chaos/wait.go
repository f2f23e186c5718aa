package main

import (
	"context"
	"fmt"
	"time"
)

// patience is how long the product may take for anything in a cell.
const patience = 90 * time.Second

// until looks every few milliseconds whether a condition has come true; what
// says what is waited for.
func until(ctx context.Context, what string, condition func() (bool, error)) error {
	return within(ctx, patience, what, condition)
}

// within is until with a patience of its own.
func within(ctx context.Context, patience time.Duration, what string, condition func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := condition()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
