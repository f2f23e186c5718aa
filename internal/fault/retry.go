package fault

import (
	"strings"

	"etl-dataloader/internal/etl"
)

// Retryable reports whether the failure of an execution, by its error name, may
// pass by itself: a [Transient] fault, a timeout, or a failure of the services
// that ran the step. It knows every name that the machine retries, and those
// that end an execution without a step: its own timeout, and Step Functions'
// reading or writing of the items of a Map (Step Functions Developer Guide,
// "Error names"). What needs a person, a file or a correction is not retryable.
func Retryable(name etl.Fault) bool {
	switch name {
	case etl.FaultTransient,
		"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
		"Lambda.ClientExecutionTimeoutException", "Lambda.TooManyRequestsException", "Lambda.Unknown",
		"Runtime.ExitError", "Sandbox.Timedout",
		"States.Timeout", "TIMED_OUT", "States.ItemReaderFailed", "States.ResultWriterFailed":
		return true
	default:
		return false
	}
}

// NameOf returns the name of an execution's failure: error, or AccessDenied or
// KeyUnusable where the cause says that Lambda or Step Functions lacked a permission, or
// that KMS refuses a key of theirs. Step Functions reports that under names which also
// stand for failures that pass by themselves.
func NameOf(name etl.Fault, cause string) etl.Fault {
	switch name {
	case "States.Permissions", "Lambda.AccessDeniedException", "Lambda.KMSAccessDeniedException":
		return etl.FaultAccessDenied
	case "Lambda.KMSDisabledException", "Lambda.KMSInvalidStateException", "Lambda.KMSNotFoundException":
		return etl.FaultKeyUnusable
	}
	platform := strings.HasPrefix(string(name), "Lambda.") || strings.HasPrefix(string(name), "States.")
	if platform && toldKeyState(cause) != "" {
		return etl.FaultKeyUnusable
	}
	if action, _ := refused(cause); platform && (action != "" || strings.Contains(cause, "Error Code: AccessDenied")) {
		return etl.FaultAccessDenied
	}
	return name
}
