package fault_test

import (
	"errors"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

func TestRetryable(t *testing.T) {
	cause := errors.New("cause")
	for _, stop := range []error{
		&fault.Unexpected{Err: cause}, &fault.MissingFiles{}, &fault.InvalidFile{}, &fault.Superseded{}, &fault.BudgetExceeded{}, &fault.Implausible{},
		&fault.Incompatible{}, &fault.Mismatch{}, &fault.Refused{}, &fault.TooManyRecords{}, &fault.TokenKeyChanged{},
		&fault.AccessDenied{Err: cause}, &fault.KeyUnusable{Err: cause},
	} {
		if name := fault.Name(stop); fault.Retryable(name) {
			t.Errorf("%s is retryable", name)
		}
	}
	for _, name := range []etl.Fault{fault.Name(&fault.Transient{Op: "x", Err: cause}), "States.Timeout", "Lambda.Unknown"} {
		if !fault.Retryable(name) {
			t.Errorf("%s is not retryable", name)
		}
	}
	for _, name := range []etl.Fault{"", "ABORTED", "FAILED", "States.ExceedToleratedFailureThreshold", "States.DataLimitExceeded"} {
		if fault.Retryable(name) {
			t.Errorf("%q is retryable", name)
		}
	}
}

// TestNameOf: Step Functions has no name of its own for a refused invocation.
func TestNameOf(t *testing.T) {
	t.Parallel()
	const invoke = "User: arn:aws:sts::1:assumed-role/machine/x is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:r:1:function:f because no identity-based policy allows it"
	for _, c := range []struct {
		name  etl.Fault
		cause string
		want  etl.Fault
	}{
		{"Lambda.AWSLambdaException", invoke, "AccessDenied"},
		{"Lambda.AWSLambdaException", "x (Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException; Request ID: 1)", "AccessDenied"},
		{"States.Permissions", "", "AccessDenied"},
		{"States.ItemReaderFailed", "User x is not authorized to perform: s3:GetObject on resource: y", "AccessDenied"},
		{"States.ItemReaderFailed", "arn:aws:kms:r:1:key/ab-1 is disabled. (Service: S3, Status Code: 400, Request ID: 1)", "KeyUnusable"},
		{"States.ResultWriterFailed", "x (Service: Amazon S3; Status Code: 400; Error Code: KMS.KMSInvalidStateException; Request ID: 1)", "KeyUnusable"},
		{"States.ResultWriterFailed", "arn:aws:kms:r:1:key/ab-1 is pending deletion. (Service: S3, Status Code: 400, Request ID: 1)", "KeyUnusable"},
		{"States.ItemReaderFailed", "x (Service: Amazon S3; Status Code: 503; Error Code: SlowDown; Request ID: 1)", "States.ItemReaderFailed"},
		{"Unexpected", "arn:aws:kms:r:1:key/ab-1 is disabled.", "Unexpected"},
		{"Lambda.KMSDisabledException", "", "KeyUnusable"},
		{"Lambda.AWSLambdaException", "Internal error", "Lambda.AWSLambdaException"},
		{"Lambda.Unknown", "", "Lambda.Unknown"},
		{"Unexpected", invoke, "Unexpected"},
		{"", "", ""},
	} {
		if got := fault.NameOf(c.name, c.cause); got != c.want {
			t.Errorf("%s (%s) is %s, want %s", c.name, c.cause, got, c.want)
		}
	}
}
