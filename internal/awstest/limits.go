// Package awstest makes tests meet the documented limits of AWS, also where a fake
// stands in for it: the size of an item, a key, a message, a cause.
//
// [Enforce] sets them up in a client's configuration; the registry's tests have it
// by default (package registrytest). A fake that stands in for a client calls
// [Check] with each input. A request beyond a limit fails as AWS has it fail:
// with a fault of the client, which no retry mends.
package awstest

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// Limits, from the quota pages and API references of each service.
const (
	ItemBytes         = 400 << 10 // DynamoDB: an item, names and values
	PartitionKeyBytes = 2048      // DynamoDB
	SortKeyBytes      = 1024      // DynamoDB
	TransactionItems  = 100       // DynamoDB: actions of one TransactWriteItems
	TransactionBytes  = 4 << 20   // DynamoDB: its items together
	ObjectKeyBytes    = 1024      // S3
	MessageBytes      = 256 << 10 // SNS: subject and message
	SubjectBytes      = 99        // SNS: fewer than 100 ASCII characters
	CauseRunes        = 32768     // Step Functions: the cause of a failure
	ErrorRunes        = 256       // Step Functions: its name
	PayloadBytes      = 256 << 10 // Step Functions: an input or output
	ExecutionName     = 80        // Step Functions
	EventBytes        = 256 << 10 // CloudWatch Logs: an event, its 26 bytes of overhead included
)

// Enforce makes clients of cfg refuse what is beyond a limit.
func Enforce(cfg *aws.Config) {
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awstest.Limits",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				if err := Check(in.Parameters); err != nil {
					return middleware.InitializeOutput{}, middleware.Metadata{}, err
				}
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
	})
}

// Check returns the error with which AWS refuses the input of an operation, such
// as *sns.PublishInput; nil if it is within the limits that are known here.
func Check(input any) error {
	switch in := input.(type) {
	case *dynamodb.PutItemInput:
		return item(in.Item)
	case *dynamodb.GetItemInput:
		return keys(in.Key)
	case *dynamodb.DeleteItemInput:
		return keys(in.Key)
	case *dynamodb.UpdateItemInput:
		return keys(in.Key)
	case *dynamodb.TransactWriteItemsInput:
		return transaction(in.TransactItems)
	case *s3.PutObjectInput:
		return objectKey(in.Key)
	case *s3.GetObjectInput:
		return objectKey(in.Key)
	case *s3.HeadObjectInput:
		return objectKey(in.Key)
	case *s3.CreateMultipartUploadInput:
		return objectKey(in.Key)
	case *sns.PublishInput:
		return notification(in)
	case *sfn.StartExecutionInput:
		if len(aws.ToString(in.Input)) > PayloadBytes || utf8.RuneCountInString(aws.ToString(in.Name)) > ExecutionName {
			return Refuse("ValidationException", "the input or the name of the execution is too long")
		}
	case *sfn.StopExecutionInput:
		return Cause(aws.ToString(in.Error), aws.ToString(in.Cause))
	}
	return nil
}

// Cause returns the error with which Step Functions refuses the name or the cause
// of a failure.
func Cause(name, cause string) error {
	if utf8.RuneCountInString(name) > ErrorRunes || utf8.RuneCountInString(cause) > CauseRunes {
		return Refuse("ValidationException", "an error of %d and a cause of %d characters", utf8.RuneCountInString(name), utf8.RuneCountInString(cause))
	}
	return nil
}

// LogEvent returns the error with which CloudWatch Logs refuses a line.
func LogEvent(line []byte) error {
	const overhead = 26
	if len(line)+overhead > EventBytes {
		return Refuse("InvalidParameterException", "a log event of %d bytes", len(line))
	}
	return nil
}

// Refuse returns the error with which a service refuses a request by a code.
func Refuse(code, format string, arguments ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, arguments...), Fault: smithy.FaultClient}
}

func objectKey(key *string) error {
	if n := len(aws.ToString(key)); n > ObjectKeyBytes {
		return Refuse("KeyTooLongError", "a key of %d bytes", n)
	}
	return nil
}

func notification(in *sns.PublishInput) error {
	subject, text := aws.ToString(in.Subject), aws.ToString(in.Message)
	if n := len(subject) + len(text); n > MessageBytes {
		return Refuse("InvalidParameter", "a message of %d bytes", n)
	}
	if text == "" || !utf8.ValidString(text) {
		return Refuse("InvalidParameter", "the message is empty or not UTF-8")
	}
	for _, r := range subject {
		if r < ' ' || r > '~' {
			return Refuse("InvalidParameter", "the subject is not of printable ASCII")
		}
	}
	if in.Subject != nil && (subject == "" || len(subject) > SubjectBytes) {
		return Refuse("InvalidParameter", "a subject of %d characters", len(subject))
	}
	return nil
}

func transaction(writes []types.TransactWriteItem) error {
	if len(writes) > TransactionItems {
		return Refuse("ValidationException", "a transaction of %d actions", len(writes))
	}
	total := 0
	for _, w := range writes {
		var err error
		switch {
		case w.Put != nil:
			total += size(w.Put.Item)
			err = item(w.Put.Item)
		case w.ConditionCheck != nil:
			err = keys(w.ConditionCheck.Key)
		case w.Delete != nil:
			err = keys(w.Delete.Key)
		case w.Update != nil:
			err = keys(w.Update.Key)
		}
		if err != nil {
			return err
		}
	}
	if total > TransactionBytes {
		return Refuse("ValidationException", "a transaction of %d bytes", total)
	}
	return nil
}

func item(attributes map[string]types.AttributeValue) error {
	if n := size(attributes); n > ItemBytes {
		return Refuse("ValidationException", "Item size has exceeded the maximum allowed size: %d bytes", n)
	}
	return keys(attributes)
}

// keys checks the attributes pk and sk, which are the registry's keys.
func keys(attributes map[string]types.AttributeValue) error {
	for name, limit := range map[string]int{"pk": PartitionKeyBytes, "sk": SortKeyBytes} {
		if key, ok := attributes[name].(*types.AttributeValueMemberS); ok && (key.Value == "" || len(key.Value) > limit) {
			return Refuse("ValidationException", "the key %s has %d bytes", name, len(key.Value))
		}
	}
	return nil
}

// size is the size of an item (Amazon DynamoDB Developer Guide, "DynamoDB item
// sizes and formats").
func size(attributes map[string]types.AttributeValue) int {
	n := 0
	for name, value := range attributes {
		n += len(name) + valueSize(value)
	}
	return n
}

func valueSize(value types.AttributeValue) int {
	const container, element = 3, 1
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)/2 + 2
	case *types.AttributeValueMemberM:
		return container + size(v.Value) + element*len(v.Value)
	case *types.AttributeValueMemberL:
		n := container
		for _, e := range v.Value {
			n += valueSize(e) + element
		}
		return n
	case *types.AttributeValueMemberSS:
		n := container
		for _, e := range v.Value {
			n += len(e) + element
		}
		return n
	default:
		return 1
	}
}
