//go:build e2e

package e2e

import (
	"errors"
	"testing"
	"time"

	"etl-dataloader/infra/proof/stack"
)

// patience is how long the product may take for anything; an import of these tests
// takes some ten seconds on two cores.
const patience = 3 * time.Minute

// errNever ends a wait whose condition cannot come true any more.
var errNever = errors.New("it cannot happen any more")

// until waits for a condition. It fails the test when patience is used up, or
// when the condition returns an error; what says what is waited for.
func until(t *testing.T, what string, condition func() (bool, error)) {
	t.Helper()
	if err := stack.Wait(t.Context(), what, patience, condition); err != nil {
		t.Fatal(err)
	}
}

// await waits until the import of a date is as wanted, as [until] does, and returns it.
func (s *system) await(t *testing.T, what, mode, date string, wanted func(stack.Import) (bool, error)) stack.Import {
	t.Helper()
	imp, err := s.Await(t.Context(), what, patience, mode, date, wanted)
	if err != nil {
		t.Fatal(err)
	}
	return imp
}
