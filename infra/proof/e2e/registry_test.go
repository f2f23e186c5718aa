//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The statuses of an import, as they are written everywhere.
const (
	running   = "en cours"
	succeeded = "réussi"
	failed    = "échoué"
)

// imported is what the registry says of an import.
type imported struct {
	ImportID     string    `dynamodbav:"import_id"`
	Status       string    `dynamodbav:"status"`
	Generation   int       `dynamodbav:"generation"`
	ExecutionARN string    `dynamodbav:"execution_arn"`
	Executions   int       `dynamodbav:"executions"`
	Attempts     int       `dynamodbav:"attempts"`
	State        string    `dynamodbav:"state"`
	Step         string    `dynamodbav:"step"`
	Fault        string    `dynamodbav:"fault"`
	Reason       string    `dynamodbav:"reason"`
	Observed     int       `dynamodbav:"observed"`
	Notified     int       `dynamodbav:"notified"`
	Sealed       int       `dynamodbav:"sealed_generation"`
	StartedAt    time.Time `dynamodbav:"started_at"`
	Files        []struct {
		Resource  string `dynamodbav:"resource"`
		Key       string `dynamodbav:"key"`
		VersionID string `dynamodbav:"version_id"`
	} `dynamodbav:"files"`
}

// attempt is one start, redrive or restart that the registry knows.
type attempt struct {
	Kind         string `dynamodbav:"kind"`
	Trigger      string `dynamodbav:"trigger"`
	Generation   int    `dynamodbav:"generation"`
	FailedStep   string `dynamodbav:"failed_step"`
	FailedReason string `dynamodbav:"failed_reason"`
}

// item reads one item of the registry into v; false if there is none.
func (s *stack) item(t *testing.T, pk, sk string, v any) bool {
	t.Helper()
	out, err := s.dynamo.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(s.env["REGISTRY_TABLE"]), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Item) == 0 {
		return false
	}
	if err := attributevalue.UnmarshalMap(out.Item, v); err != nil {
		t.Fatal(err)
	}
	return true
}

// registry returns every item of the registry.
func (s *stack) registry(t *testing.T) []map[string]types.AttributeValue {
	t.Helper()
	var items []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(s.dynamo, &dynamodb.ScanInput{TableName: aws.String(s.env["REGISTRY_TABLE"])})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	return items
}

// attempts returns the attempts of an import, oldest first.
func (s *stack) attempts(t *testing.T, importID string) []attempt {
	t.Helper()
	var attempts []attempt
	for n := 1; ; n++ {
		var a attempt
		if !s.item(t, "IMPORT#"+importID, fmt.Sprintf("ATTEMPT#%03d", n), &a) {
			return attempts
		}
		attempts = append(attempts, a)
	}
}

// importOf returns the import of a date; false while it has none.
func (s *stack) importOf(t *testing.T, mode, date string) (imported, bool) {
	t.Helper()
	var allotted, imp imported
	if !s.item(t, "DATE#"+mode+"#"+date, "IMPORT", &allotted) {
		return imp, false
	}
	return imp, s.item(t, "IMPORT#"+allotted.ImportID, "META", &imp)
}

// imports counts the imports that exist.
func (s *stack) imports(t *testing.T) int {
	t.Helper()
	n := 0
	for _, item := range s.registry(t) {
		sk, _ := item["sk"].(*types.AttributeValueMemberS)
		pk, _ := item["pk"].(*types.AttributeValueMemberS)
		if strings.HasPrefix(pk.Value, "IMPORT#") && sk.Value == "META" {
			n++
		}
	}
	return n
}

// awaitStatus waits until the import of a date has ended its nth attempt, with
// that status, and was reported.
func (s *stack) awaitStatus(t *testing.T, mode, date, status string, attempts int) imported {
	t.Helper()
	var imp imported
	until(t, fmt.Sprintf("attempt %d of the %s import of %s to be «%s»", attempts, mode, date, status), func() (bool, error) {
		found := false
		if imp, found = s.importOf(t, mode, date); !found || imp.Attempts < attempts || imp.Status == running {
			return false, nil
		}
		if imp.Status != status {
			return false, fmt.Errorf("%s is «%s» at %s (%s): %s: %w", imp.ImportID, imp.Status, imp.State, imp.Fault, imp.Reason, errNever)
		}
		return imp.Notified == imp.Observed+1, nil
	})
	if imp.Attempts != attempts {
		t.Errorf("%s has %d attempts, want %d", imp.ImportID, imp.Attempts, attempts)
	}
	return imp
}
