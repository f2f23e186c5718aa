package stack

import (
	"context"
	"fmt"
	"time"
)

// A wait looks at first every shortest, then after a fiftieth of the time waited
// so far: what it sees is late by 2% at most, and a long import, whose emulator
// answers it on the same two cores, is hardly asked at all.
const (
	shortest = 30 * time.Millisecond
	share    = 50
)

// Wait looks again and again whether a condition has come true, for at most limit.
// It ends with the condition's error, if it returns one; what says what is waited for.
func Wait(ctx context.Context, what string, limit time.Duration, condition func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not within %s", limit))
	defer cancel()
	began := time.Now()
	for {
		ok, err := condition()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		timer := time.NewTimer(max(shortest, time.Since(began)/share))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		case <-timer.C:
		}
	}
}

// Await waits, for at most limit, until the import of a date is as wanted, and returns
// it as it is then. It ends with the error of wanted, if that returns one; what says
// what is waited for.
func (s *Stack) Await(ctx context.Context, what string, limit time.Duration, mode, date string, wanted func(Import) (bool, error)) (imp Import, err error) {
	err = Wait(ctx, what, limit, func() (found bool, err error) {
		if imp, found, err = s.ImportOf(ctx, mode, date); err != nil || !found {
			return false, err
		}
		return wanted(imp)
	})
	return imp, err
}
