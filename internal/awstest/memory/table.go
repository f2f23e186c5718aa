// Package memory is the part of AWS that decisions are tested on, in memory: a
// DynamoDB table and a versioned S3 bucket. A test needs no emulator and no
// network, and takes milliseconds.
//
// Both do what the product asks of the services and refuse everything else by an
// error. Their own tests run each request against the emulator too and compare
// the answers. Requests beyond a limit of AWS fail, see package awstest.
package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"etl-dataloader/internal/awstest"
)

// Item is the attributes of an item.
type Item = map[string]types.AttributeValue

// Table is a DynamoDB table with the string keys pk and sk. It ignores the table's
// name in requests. The zero value is empty. It is safe for concurrent use.
type Table struct {
	mu    sync.Mutex
	items map[primaryKey]Item
}

type primaryKey struct{ pk, sk string }

func keyOf(attributes Item) primaryKey {
	return primaryKey{text(attributes["pk"]), text(attributes["sk"])}
}

// text is the value of a string attribute; empty for any other.
func text(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// begin checks a request and takes the table's lock; end gives it back.
func (t *Table) begin(ctx context.Context, in any) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := awstest.Check(in); err != nil {
		return nil, err
	}
	t.mu.Lock()
	if t.items == nil {
		t.items = map[primaryKey]Item{}
	}
	return t.mu.Unlock, nil
}

// GetItem reads one item.
func (t *Table) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	end, err := t.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	return &dynamodb.GetItemOutput{Item: maps.Clone(t.items[keyOf(in.Key)])}, nil
}

// BatchGetItem reads items; missing ones are left out.
func (t *Table) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	end, err := t.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]Item{}}
	for name, asked := range in.RequestItems {
		for _, key := range asked.Keys {
			if item, ok := t.items[keyOf(key)]; ok {
				out.Responses[name] = append(out.Responses[name], maps.Clone(item))
			}
		}
	}
	return out, nil
}

// Query returns the items of a partition, all in one page. It knows the conditions
// "pk = :pk" and "pk = :pk AND begins_with(sk, :prefix)".
func (t *Table) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	end, err := t.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	switch condition := aws.ToString(in.KeyConditionExpression); condition {
	case "pk = :pk", "pk = :pk AND begins_with(sk, :prefix)":
	default:
		return nil, fmt.Errorf("memory: Query with the condition %q", condition)
	}
	pk, prefix := text(in.ExpressionAttributeValues[":pk"]), text(in.ExpressionAttributeValues[":prefix"])
	var found []primaryKey
	for key := range t.items {
		if key.pk == pk && strings.HasPrefix(key.sk, prefix) {
			found = append(found, key)
		}
	}
	slices.SortFunc(found, func(a, b primaryKey) int { return strings.Compare(a.sk, b.sk) })
	out := &dynamodb.QueryOutput{}
	for _, key := range found {
		out.Items = append(out.Items, maps.Clone(t.items[key]))
	}
	return out, nil
}

// PutItem writes an item without a condition.
func (t *Table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	end, err := t.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	t.items[keyOf(in.Item)] = maps.Clone(in.Item)
	return &dynamodb.PutItemOutput{}, nil
}

// DeleteItem deletes an item, if it is there.
func (t *Table) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	end, err := t.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	delete(t.items, keyOf(in.Key))
	return &dynamodb.DeleteItemOutput{}, nil
}

// action is one action of a transaction.
type action struct {
	key       primaryKey
	item      Item // nil: no put
	remove    bool
	condition string
	values    Item
}

func actionOf(w types.TransactWriteItem) (action, error) {
	switch {
	case w.Put != nil:
		return action{keyOf(w.Put.Item), w.Put.Item, false, aws.ToString(w.Put.ConditionExpression), w.Put.ExpressionAttributeValues}, nil
	case w.Delete != nil:
		return action{keyOf(w.Delete.Key), nil, true, aws.ToString(w.Delete.ConditionExpression), w.Delete.ExpressionAttributeValues}, nil
	case w.ConditionCheck != nil:
		c := w.ConditionCheck
		return action{keyOf(c.Key), nil, false, aws.ToString(c.ConditionExpression), c.ExpressionAttributeValues}, nil
	default:
		return action{}, fmt.Errorf("memory: a transaction with another action than put, delete and check")
	}
}

// TransactWriteItems writes all items or none.
func (t *Table) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	end, err := t.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	actions := make([]action, len(in.TransactItems))
	reasons := make([]types.CancellationReason, len(in.TransactItems))
	canceled, seen := false, map[primaryKey]bool{}
	for i, w := range in.TransactItems {
		if actions[i], err = actionOf(w); err != nil {
			return nil, err
		}
		if seen[actions[i].key] {
			return nil, awstest.Refuse("ValidationException", "Transaction request cannot include multiple operations on one item")
		}
		seen[actions[i].key] = true
		holds, err := holds(actions[i].condition, t.items[actions[i].key], actions[i].values)
		if err != nil {
			return nil, err
		}
		reasons[i].Code = aws.String("None")
		if !holds {
			canceled, reasons[i].Code = true, aws.String("ConditionalCheckFailed")
		}
	}
	if canceled {
		return nil, &types.TransactionCanceledException{CancellationReasons: reasons}
	}
	for _, a := range actions {
		switch {
		case a.item != nil:
			t.items[a.key] = maps.Clone(a.item)
		case a.remove:
			delete(t.items, a.key)
		}
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}
