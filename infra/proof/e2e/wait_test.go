//go:build e2e

package e2e

import (
	"errors"
	"testing"
	"time"
)

// patience is how long the product may take for anything; an import of the story
// takes some ten seconds on two cores.
const patience = 3 * time.Minute

// pause between two looks at a condition.
const pause = 100 * time.Millisecond

// errNever ends a wait whose condition cannot come true any more.
var errNever = errors.New("it cannot happen any more")

// until waits for a condition. It fails the test when patience is used up, or
// when the condition returns an error; what says what is waited for.
func until(t *testing.T, what string, condition func() (bool, error)) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		ok, err := condition()
		if err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("waited %s in vain for %s", patience, what)
		case <-t.Context().Done():
			t.Fatalf("waiting for %s: %v", what, t.Context().Err())
		case <-tick.C:
		}
	}
}
