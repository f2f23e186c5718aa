package fault_test

import (
	"errors"
	"testing"

	"etl-dataloader/internal/fault"
)

func TestRetryable(t *testing.T) {
	cause := errors.New("cause")
	for _, stop := range []error{
		&fault.Unexpected{Err: cause}, &fault.MissingFiles{}, &fault.InvalidFile{}, &fault.Superseded{}, &fault.BudgetExceeded{},
		&fault.Incompatible{}, &fault.Mismatch{}, &fault.Refused{},
	} {
		if name := fault.Name(stop); fault.Retryable(name) {
			t.Errorf("%s is retryable", name)
		}
	}
	for _, name := range []string{fault.Name(&fault.Transient{Op: "x", Err: cause}), "States.Timeout", "Lambda.Unknown"} {
		if !fault.Retryable(name) {
			t.Errorf("%s is not retryable", name)
		}
	}
	for _, name := range []string{"", "ABORTED", "FAILED", "States.ExceedToleratedFailureThreshold", "States.DataLimitExceeded"} {
		if fault.Retryable(name) {
			t.Errorf("%q is retryable", name)
		}
	}
}
