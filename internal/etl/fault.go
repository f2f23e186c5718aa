package etl

// Fault is the name of a failure, as Step Functions and the registry know it: the
// name of a type of package fault, or one of AWS.
type Fault string

// Names of the types of package fault.
const (
	FaultTransient       Fault = "Transient"
	FaultUnexpected      Fault = "Unexpected"
	FaultMissingFiles    Fault = "MissingFiles"
	FaultInvalidFile     Fault = "InvalidFile"
	FaultTooManyRecords  Fault = "TooManyRecords"
	FaultBudgetExceeded  Fault = "BudgetExceeded"
	FaultImplausible     Fault = "Implausible"
	FaultIncompatible    Fault = "Incompatible"
	FaultMismatch        Fault = "Mismatch"
	FaultSuperseded      Fault = "Superseded"
	FaultRefused         Fault = "Refused"
	FaultAccessDenied    Fault = "AccessDenied"
	FaultKeyUnusable     Fault = "KeyUnusable"
	FaultTokenKeyChanged Fault = "TokenKeyChanged"
)
