package fault_test

import (
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// TestNames: the vocabulary names the types that Step Functions sees.
func TestNames(t *testing.T) {
	t.Parallel()
	for want, err := range map[etl.Fault]error{
		etl.FaultTransient: new(fault.Transient), etl.FaultUnexpected: new(fault.Unexpected),
		etl.FaultMissingFiles: new(fault.MissingFiles), etl.FaultInvalidFile: new(fault.InvalidFile),
		etl.FaultTooManyRecords: new(fault.TooManyRecords), etl.FaultBudgetExceeded: new(fault.BudgetExceeded),
		etl.FaultImplausible: new(fault.Implausible), etl.FaultIncompatible: new(fault.Incompatible),
		etl.FaultMismatch: new(fault.Mismatch), etl.FaultSuperseded: new(fault.Superseded), etl.FaultRefused: new(fault.Refused),
		etl.FaultAccessDenied: new(fault.AccessDenied), etl.FaultKeyUnusable: new(fault.KeyUnusable),
		etl.FaultTokenKeyChanged: new(fault.TokenKeyChanged),
	} {
		if got := fault.Name(err); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
