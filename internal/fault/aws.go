package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// FromAWS wraps an error of an AWS service with op and classifies it for the machine.
// It is the only place that does. The result is an [AccessDenied] if a permission is
// missing, a [KeyUnusable] if the state of a KMS key forbids its use, and a [Transient]
// if a retry can help: the service did not answer, answered with a 5xx status, or
// throttled, and the SDK has used up its own retries. An error in the request itself
// stays a plain error. FromAWS(op, nil) is nil.
func FromAWS(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[Stop](err); ok {
		return fmt.Errorf("%s: %w", op, err)
	}
	if refused := refusal(op, err); refused != nil {
		return refused
	}
	// Without a status the connection broke before an answer came.
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && response.HTTPStatusCode() != 0 {
		status := response.HTTPStatusCode()
		if status < http.StatusInternalServerError && status != http.StatusTooManyRequests &&
			status != http.StatusRequestTimeout && !throttled(err) {
			return fmt.Errorf("%s: %w", op, err)
		}
		return &Transient{Op: op, Err: err}
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorFault() == smithy.FaultClient && !throttled(err) {
		return fmt.Errorf("%s: %w", op, err)
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &Transient{Op: op, Err: err}
}

// throttled reports whether a code means "slow down", or a conflict with another
// request, in one of the services in use.
func throttled(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return false
	}
	switch api.ErrorCode() {
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
		"Throttled", "ThrottledException", "ExecutionLimitExceeded",
		"ProvisionedThroughputExceededException", "KMSInternalException", "KeyUnavailableException", "RequestTimeout",
		// KMS was too busy for the service that asked it.
		"KMSThrottling", "KMSThrottlingException", "KmsThrottlingException", "KMS.ThrottlingException",
		// DynamoDB: two transactions met (Developer Guide, "Error handling").
		"TransactionConflictException", "TransactionInProgressException",
		// S3 refuses one of two conditional writes that meet.
		"ConditionalRequestConflict", "OperationAborted":
		return true
	default:
		return false
	}
}
