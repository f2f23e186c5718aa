package stack

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"etl-dataloader/internal/etl"
)

// Item is an item of the registry as DynamoDB holds it.
type Item = map[string]types.AttributeValue

// Import is what the registry holds of an import.
type Import struct {
	ImportID     string     `dynamodbav:"import_id"`
	Status       etl.Status `dynamodbav:"status"`
	Generation   int        `dynamodbav:"generation"`
	ExecutionARN string     `dynamodbav:"execution_arn"`
	Executions   int        `dynamodbav:"executions"`
	Attempts     int        `dynamodbav:"attempts"`
	State        string     `dynamodbav:"state"`
	Step         string     `dynamodbav:"step"`
	Fault        string     `dynamodbav:"fault"`
	Reason       string     `dynamodbav:"reason"`
	Observed     int        `dynamodbav:"observed"`
	Notified     int        `dynamodbav:"notified"`
	Sealed       int        `dynamodbav:"sealed_generation"`
	StartedAt    time.Time  `dynamodbav:"started_at"`
	Files        []File     `dynamodbav:"files"`
}

// File is a file of an import.
type File struct {
	Resource  string `dynamodbav:"resource"`
	Key       string `dynamodbav:"key"`
	VersionID string `dynamodbav:"version_id"`
	Status    string `dynamodbav:"file_status"`
	Reason    string `dynamodbav:"file_reason"` // why it was refused
}

// Reported reports whether the end of the last attempt was written and told.
func (i Import) Reported() bool {
	return i.Status != etl.StatusRunning && i.Notified == i.Observed+1
}

// Attempt is one start, redrive or restart of an import.
type Attempt struct {
	Kind         string `dynamodbav:"kind"`
	Trigger      string `dynamodbav:"trigger"`
	Generation   int    `dynamodbav:"generation"`
	FailedStep   string `dynamodbav:"failed_step"`
	FailedReason string `dynamodbav:"failed_reason"`
}

// Item reads one item of the registry into v; false if there is none.
func (s *Stack) Item(ctx context.Context, pk, sk string, v any) (bool, error) {
	out, err := s.DynamoDB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.Env["REGISTRY_TABLE"]), ConsistentRead: aws.Bool(true),
		Key: Item{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}},
	})
	if err != nil || len(out.Item) == 0 {
		return false, err
	}
	return true, attributevalue.UnmarshalMap(out.Item, v)
}

// Items returns every item of the registry.
func (s *Stack) Items(ctx context.Context) (items []Item, err error) {
	pages := dynamodb.NewScanPaginator(s.DynamoDB, &dynamodb.ScanInput{
		TableName: aws.String(s.Env["REGISTRY_TABLE"]), ConsistentRead: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
	}
	return items, nil
}

// ImportOf returns the import of a date; false while it has none.
func (s *Stack) ImportOf(ctx context.Context, mode, date string) (imp Import, found bool, err error) {
	var allotted Import
	found, err = s.Item(ctx, "DATE#"+mode+"#"+date, "IMPORT", &allotted)
	if err != nil || !found {
		return imp, false, err
	}
	found, err = s.Item(ctx, "IMPORT#"+allotted.ImportID, "META", &imp)
	return imp, found, err
}

// Attempts returns the attempts of an import, oldest first.
func (s *Stack) Attempts(ctx context.Context, importID string) (attempts []Attempt, err error) {
	for n := 1; ; n++ {
		var a Attempt
		found, err := s.Item(ctx, "IMPORT#"+importID, fmt.Sprintf("ATTEMPT#%03d", n), &a)
		if err != nil || !found {
			return attempts, err
		}
		attempts = append(attempts, a)
	}
}
