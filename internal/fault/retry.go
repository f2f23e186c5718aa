package fault

// Retryable tells whether the failure of an execution, by its error name, may
// pass by itself: a [Transient] fault, a timeout, or a failure of the services
// that ran the step. It knows every name that the machine retries, and those
// that end an execution without a step: its own timeout, and Step Functions'
// reading or writing of the items of a Map (Step Functions Developer Guide,
// "Error names"). What needs a person, a file or a correction is not retryable.
func Retryable(name string) bool {
	switch name {
	case "Transient",
		"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
		"Lambda.ClientExecutionTimeoutException", "Lambda.TooManyRequestsException", "Lambda.Unknown",
		"Runtime.ExitError", "Sandbox.Timedout",
		"States.Timeout", "TIMED_OUT", "States.ItemReaderFailed", "States.ResultWriterFailed":
		return true
	default:
		return false
	}
}
