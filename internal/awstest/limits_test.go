package awstest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"etl-dataloader/internal/awstest"
)

func text(n int) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: strings.Repeat("x", n)}
}

// TestCheck: each limit itself is allowed, one more is not.
func TestCheck(t *testing.T) {
	t.Parallel()
	word := func(n int) *string { return aws.String(strings.Repeat("x", n)) }
	for name, input := range map[string]func(more int) any{
		"item": func(more int) any {
			return &dynamodb.PutItemInput{Item: map[string]types.AttributeValue{"pk": text(8), "sk": text(2), "n": text(awstest.ItemBytes - 15 + more)}}
		},
		"nested item": func(more int) any {
			return &dynamodb.PutItemInput{Item: map[string]types.AttributeValue{
				"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{text(awstest.ItemBytes - 5 + more)}},
			}}
		},
		"partition key": func(more int) any {
			return &dynamodb.GetItemInput{Key: map[string]types.AttributeValue{"pk": text(awstest.PartitionKeyBytes + more), "sk": text(1)}}
		},
		"sort key": func(more int) any {
			return &dynamodb.PutItemInput{Item: map[string]types.AttributeValue{"pk": text(1), "sk": text(awstest.SortKeyBytes + more)}}
		},
		"transaction": func(more int) any {
			return &dynamodb.TransactWriteItemsInput{TransactItems: make([]types.TransactWriteItem, awstest.TransactionItems+more)}
		},
		"item of a transaction": func(more int) any {
			return &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{Item: map[string]types.AttributeValue{"n": text(awstest.ItemBytes - 1 + more)}}}}}
		},
		"object key": func(more int) any { return &s3.PutObjectInput{Key: word(awstest.ObjectKeyBytes + more)} },
		"message":    func(more int) any { return &sns.PublishInput{Message: word(awstest.MessageBytes + more)} },
		"subject": func(more int) any {
			return &sns.PublishInput{Subject: word(awstest.SubjectBytes + more), Message: word(1)}
		},
		"cause": func(more int) any { return &sfn.StopExecutionInput{Cause: word(awstest.CauseRunes + more)} },
		"input": func(more int) any { return &sfn.StartExecutionInput{Input: word(awstest.PayloadBytes + more)} },
	} {
		if err := awstest.Check(input(0)); err != nil {
			t.Errorf("%s at its limit: %v", name, err)
		}
		err := awstest.Check(input(1))
		if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorFault() != smithy.FaultClient {
			t.Errorf("%s beyond its limit: %v", name, err)
		}
	}
	if awstest.Check(&sns.PublishInput{Subject: aws.String("échec"), Message: aws.String("m")}) == nil {
		t.Error("a subject with an accent is allowed")
	}
	if awstest.LogEvent(make([]byte, awstest.EventBytes-26)) != nil || awstest.LogEvent(make([]byte, awstest.EventBytes)) == nil {
		t.Error("the limit of a log event is another one")
	}
}

// TestEnforce: a client refuses before it sends anything.
func TestEnforce(t *testing.T) {
	t.Parallel()
	cfg := aws.Config{Region: "eu-west-3", BaseEndpoint: aws.String("http://127.0.0.1:1"), Credentials: aws.AnonymousCredentials{}}
	awstest.Enforce(&cfg)
	_, err := sns.NewFromConfig(cfg).Publish(context.Background(), &sns.PublishInput{
		TopicArn: aws.String("arn"), Message: aws.String(strings.Repeat("x", 300<<10)),
	})
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "InvalidParameter" {
		t.Errorf("got %v", err)
	}
}
