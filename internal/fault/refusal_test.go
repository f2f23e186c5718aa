package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"etl-dataloader/internal/fault"
)

// asked is an error of an operation of a service.
func asked(service, operation string, err error) error {
	return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: err}
}

func says(code, text string) error {
	return &smithy.GenericAPIError{Code: code, Message: text, Fault: smithy.FaultClient}
}

// notAuthorized is how IAM explains a refusal.
const notAuthorized = `User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: %s on resource: %s because no identity-based policy allows it`

// TestDenied: whatever a service calls it, a missing permission is AccessDenied,
// and it names the action and what it was refused on.
func TestDenied(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:eu-west-3:123456789012:key/abc"
	for name, c := range map[string]struct {
		err              error
		action, resource string
	}{
		"KMS, as it explains":   {asked("KMS", "Decrypt", says("AccessDeniedException", fmt.Sprintf(notAuthorized, "kms:Decrypt", key))), "kms:Decrypt", key},
		"S3, not explained":     {asked("S3", "GetObject", answered(403, says("AccessDenied", "Access Denied"))), "s3:GetObject", ""},
		"S3, explained":         {asked("S3", "PutObject", says("AccessDenied", fmt.Sprintf(notAuthorized, "s3:PutObject", `"arn:aws:s3:::b/k"`))), "s3:PutObject", "arn:aws:s3:::b/k"},
		"S3, for its key":       {asked("S3", "PutObject", says("AccessDenied", fmt.Sprintf(notAuthorized, "kms:GenerateDataKey", key))), "kms:GenerateDataKey", key},
		"S3, a HEAD":            {asked("S3", "HeadObject", answered(403, says("Forbidden", "Forbidden"))), "s3:GetObject", ""},
		"S3, a list":            {asked("S3", "ListObjectVersions", says("AccessDenied", "")), "s3:ListBucketVersions", ""},
		"S3, a part":            {asked("S3", "UploadPart", says("AccessDenied", "")), "s3:PutObject", ""},
		"S3, a page of deletes": {asked("S3", "DeleteObjects", says("AccessDenied", "")), "s3:DeleteObjectVersion", ""},
		"DynamoDB":              {asked("DynamoDB", "TransactWriteItems", answered(400, says("AccessDeniedException", fmt.Sprintf(notAuthorized, "dynamodb:PutItem", "arn:aws:dynamodb:r:a:table/t")))), "dynamodb:PutItem", "arn:aws:dynamodb:r:a:table/t"},
		"Step Functions":        {asked("SFN", "StartExecution", says("AccessDeniedException", "")), "states:StartExecution", ""},
		"Secrets Manager":       {asked("Secrets Manager", "GetSecretValue", says("AccessDeniedException", "Access to KMS is not allowed")), "secretsmanager:GetSecretValue", ""},
		"SNS":                   {asked("SNS", "Publish", &snstypes.AuthorizationErrorException{}), "sns:Publish", ""},
		"DynamoDB, for its key": {asked("DynamoDB", "PutItem", says("AccessDeniedException", behindDynamoDB("AccessDeniedException", "x"))), "dynamodb:PutItem", ""},
		"SNS, for its key":      {asked("SNS", "Publish", &snstypes.KMSAccessDeniedException{}), "sns:Publish", ""},
		"Scheduler, the role":   {asked("Scheduler", "CreateSchedule", says("AccessDeniedException", fmt.Sprintf(notAuthorized, "iam:PassRole", "arn:aws:iam::1:role/x"))), "iam:PassRole", "arn:aws:iam::1:role/x"},
		"expired credentials":   {asked("S3", "GetObject", answered(400, says("ExpiredToken", ""))), "s3:GetObject", ""},
		"unknown credentials":   {asked("KMS", "Decrypt", says("UnrecognizedClientException", "")), "kms:Decrypt", ""},
		"a status alone":        {answered(403, errPlain), "s3:PutObject", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *fault.AccessDenied
			if err := fault.FromAWS("op", fmt.Errorf("x: %w", c.err)); !errors.As(fault.Lift(err), &got) || !errors.Is(err, c.err) {
				t.Fatalf("got %T %v", err, err)
			}
			if got.Action != c.action || got.Resource != c.resource || got.Op != "op" {
				t.Errorf("got %q on %q, want %q on %q", got.Action, got.Resource, c.action, c.resource)
			}
			for _, part := range []string{c.action, c.resource, "op"} {
				if !strings.Contains(got.Error(), part) {
					t.Errorf("%q does not name %s", got, part)
				}
			}
			if !fault.Denied(c.err) {
				t.Error("it is not waited for")
			}
		})
	}
}

// behindDynamoDB is how DynamoDB reports what KMS told it.
func behindDynamoDB(code, text string) string {
	return fmt.Sprintf("KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: %s (Service: AWSKMS; Status Code: 400; Error Code: %s; Request ID: 1; Proxy: null)", text, code)
}

// TestKeyStates: a key that is disabled or about to be deleted is another matter
// than a permission, and its state is named.
func TestKeyStates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		state string
	}{
		"KMS, disabled":          {asked("KMS", "Decrypt", &kmstypes.DisabledException{Message: aws.String("arn:k is disabled.")}), "Disabled"},
		"KMS, pending deletion":  {asked("KMS", "Decrypt", &kmstypes.KMSInvalidStateException{Message: aws.String("arn:k is pending deletion.")}), "PendingDeletion"},
		"KMS, pending import":    {asked("KMS", "Decrypt", &kmstypes.KMSInvalidStateException{Message: aws.String("arn:k is pending import.")}), "InvalidState"},
		"KMS, gone":              {asked("KMS", "Decrypt", &kmstypes.NotFoundException{Message: aws.String("Invalid keyId")}), "NotFound"},
		"S3, disabled":           {asked("S3", "GetObject", answered(400, says("KMS.DisabledException", "arn:k is disabled."))), "Disabled"},
		"S3, pending deletion":   {asked("S3", "GetObject", answered(400, says("KMS.KMSInvalidStateException", "arn:k is pending deletion."))), "PendingDeletion"},
		"SNS, disabled":          {asked("SNS", "Publish", &snstypes.KMSDisabledException{}), "Disabled"},
		"SNS, gone":              {asked("SNS", "Publish", &snstypes.KMSNotFoundException{}), "NotFound"},
		"SNS, pending deletion":  {asked("SNS", "Publish", &snstypes.KMSInvalidStateException{Message: aws.String("pending deletion")}), "PendingDeletion"},
		"Step Functions, its":    {asked("SFN", "StartExecution", says("KmsInvalidStateException", "pending deletion")), "PendingDeletion"},
		"the service is unknown": {&kmstypes.DisabledException{}, "Disabled"},
		"KMS, another key":       {asked("KMS", "Decrypt", &kmstypes.IncorrectKeyException{}), "IncorrectKey"},
		"DynamoDB, disabled":     {asked("DynamoDB", "PutItem", says("AccessDeniedException", behindDynamoDB("DisabledException", "arn:k is disabled."))), "Disabled"},
		"DynamoDB, deletion":     {asked("DynamoDB", "PutItem", says("AccessDeniedException", behindDynamoDB("KMSInvalidStateException", "arn:k is pending deletion."))), "PendingDeletion"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *fault.KeyUnusable
			if err := fault.FromAWS("op", c.err); !errors.As(fault.Lift(err), &got) || got.State != c.state || !errors.Is(err, c.err) {
				t.Fatalf("got %v, want the state %s", err, c.state)
			}
			if !strings.Contains(got.Error(), c.state) || fault.Denied(c.err) {
				t.Errorf("got %q", got)
			}
		})
	}
	for name, err := range map[string]error{
		"no such object": asked("S3", "GetObject", answered(404, says("NotFound", ""))),
		"no such secret": asked("Secrets Manager", "GetSecretValue", says("ResourceNotFoundException", "")),
		"no such topic":  asked("SNS", "Publish", says("NotFoundException", "")),
	} {
		if got := fault.Lift(fault.FromAWS("op", err)); fault.Name(got) != "Unexpected" {
			t.Errorf("%s: got %s", name, fault.Name(got))
		}
	}
}
