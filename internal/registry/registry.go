// Package registry keeps what the system knows about files and imports, in one
// DynamoDB table. It is the authoritative source of an import's status (design,
// decision 13) and works even when PostgreSQL is down.
//
// The life of a date: files arrive ([Registry.RecordArrival]) and open an entry in
// the queue; when the import may run, one transaction allots its import_id,
// takes the slot and marks it «en cours» ([Registry.Allot]); Open seals the list
// of object versions ([Registry.Seal]); what the execution does is observed
// ([Registry.Observe]); at the end the slot is released and the entry settled
// ([Registry.Settle]). A failed import keeps its slot, unless it failed only because
// files are missing: then nothing of it was loaded, and an earlier date may go first.
//
// Every change to an import goes through one function, change. It reads the META
// item, applies the change and writes the item, together with those that must change
// with it, on condition that the revision is still the one read. So two writers can
// never both win, and a reader sees all of a change or none of it.
//
// Items (pk / sk). All stay compatible: attributes may be added, never renamed.
//
//	DATE#<mode>#<date>   ARRIVAL#<resource>#<key>     newest version of an object
//	DATE#<mode>#<date>   IMPORT                       the import_id of the date
//	QUEUE                <0 initial|1 daily>#<date>   a date that is not finished
//	SLOT                 CURRENT                      the import that may run
//	PUBLISHED            <0|1>#<date>                 a date that succeeded
//	ABANDONED            <0|1>#<date>                 a date whose import was abandoned
//	REPLAYS              <import_id>                  an import whose replay runs, or whose end is to be told
//	REFUSED#<hh>         <hash of a key>              a badly named object, once seen; expires
//	LANDING              WALK                         how far the walk through the landing bucket came
//	SOURCE#<source>      SHARES                       how many calls each unit may make at once; expires
//	IMPORT#<import_id>   META | ATTEMPT#<n> | PLAN#<generation>
//	                     PROGRESS#<generation>#<state>#<resource>#<chunk>
//	                     FAULT#<generation>#<state>#<resource>
package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"etl-dataloader/internal/fault"
)

// Reader reads items; *dynamodb.Client implements it.
type Reader interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// Writer writes items, which are durable on return; *dynamodb.Client implements it.
type Writer interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// DynamoDB is what the registry needs of the service; *dynamodb.Client implements
// it. The client itself retries throttled calls. It must be safe for concurrent use.
type DynamoDB interface {
	Reader
	Writer
}

// Registry reads and writes the table. It is safe for concurrent use. Its errors
// are *fault.Transient if DynamoDB did not answer or was busy.
type Registry struct {
	client DynamoDB
	table  string
	now    func() time.Time
}

// New returns the registry kept in table; now is the clock.
func New(client DynamoDB, table string, now func() time.Time) *Registry {
	return &Registry{client: client, table: table, now: now}
}

// ErrNotFound is returned for an import_id that the registry does not know.
var ErrNotFound = errors.New("the registry does not know this import")

// errOvertaken is the cause when a change gives up.
var errOvertaken = errors.New("others kept changing the same item")

// tries bounds the attempts of a change. Each lost attempt means that somebody else's
// change succeeded, so a few are plenty.
const tries = 20

// revisionIs is the condition for every rewrite of an item.
const revisionIs = "revision = :revision"

// absent is the condition for every item that may only be created once.
const absent = "attribute_not_exists(pk)"

// key is the primary key of an item.
type key struct {
	PK string `dynamodbav:"pk" json:"-"`
	SK string `dynamodbav:"sk" json:"-"`
}

func (k key) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: k.PK},
		"sk": &types.AttributeValueMemberS{Value: k.SK},
	}
}

// get reads one item, strongly consistent, into item; found is false if there is
// none.
func (r *Registry) get(ctx context.Context, k key, item any) (found bool, err error) {
	out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &r.table, Key: k.attributes(), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return false, fault.FromAWS("registry: read "+k.PK+" "+k.SK, err)
	}
	if len(out.Item) == 0 {
		return false, nil
	}
	if err := attributevalue.UnmarshalMap(out.Item, item); err != nil {
		return false, fmt.Errorf("registry: decode %s %s: %w", k.PK, k.SK, err)
	}
	return true, nil
}

// query reads every item of a partition whose sort key starts with prefix,
// strongly consistent, in the order of the sort key.
func query[T any](ctx context.Context, r *Registry, pk, prefix string) ([]T, error) {
	in := &dynamodb.QueryInput{
		TableName:              &r.table,
		ConsistentRead:         aws.Bool(true),
		KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :prefix)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk":     &types.AttributeValueMemberS{Value: pk},
			":prefix": &types.AttributeValueMemberS{Value: prefix},
		},
	}
	if prefix == "" {
		in.KeyConditionExpression = aws.String("pk = :pk")
		delete(in.ExpressionAttributeValues, ":prefix")
	}
	var all []T
	for {
		out, err := r.client.Query(ctx, in)
		if err != nil {
			return nil, fault.FromAWS("registry: query "+pk+" "+prefix, err)
		}
		var page []T
		if err := attributevalue.UnmarshalListOfMaps(out.Items, &page); err != nil {
			return nil, fmt.Errorf("registry: decode %s %s: %w", pk, prefix, err)
		}
		all = append(all, page...)
		if len(out.LastEvaluatedKey) == 0 {
			return all, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// put writes one item without a condition.
func (r *Registry) put(ctx context.Context, item any) error {
	attributes, err := attributevalue.MarshalMap(item)
	if err != nil {
		return fmt.Errorf("registry: encode an item: %w", err)
	}
	_, err = r.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &r.table, Item: attributes})
	return fault.FromAWS("registry: write an item", err)
}

// write is one item of a transaction: a put, a delete or a check, each with its
// condition.
type write struct {
	item      any    // the item to put; nil for a delete or a check
	key       key    // the item to delete or to check
	check     bool   // write nothing, only check the condition
	condition string // empty: none
	values    map[string]types.AttributeValue
}

func (w write) transact(table string) (types.TransactWriteItem, error) {
	var condition *string
	if w.condition != "" {
		condition = &w.condition
	}
	switch {
	case w.item != nil:
		attributes, err := attributevalue.MarshalMap(w.item)
		if err != nil {
			return types.TransactWriteItem{}, fmt.Errorf("registry: encode an item: %w", err)
		}
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &table, Item: attributes, ConditionExpression: condition, ExpressionAttributeValues: w.values,
		}}, nil
	case w.check:
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &table, Key: w.key.attributes(), ConditionExpression: condition, ExpressionAttributeValues: w.values,
		}}, nil
	default:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &table, Key: w.key.attributes(), ConditionExpression: condition, ExpressionAttributeValues: w.values,
		}}, nil
	}
}

// transact writes all items or none. failed holds the indexes of the writes whose
// condition did not hold; if there are any, nothing was written. A conflict with
// another transaction counts as a failure of every write, so that the caller reads
// again and decides anew.
func (r *Registry) transact(ctx context.Context, writes ...write) (failed map[int]bool, err error) {
	items := make([]types.TransactWriteItem, len(writes))
	for i, w := range writes {
		if items[i], err = w.transact(r.table); err != nil {
			return nil, err
		}
	}
	_, err = r.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return nil, fault.FromAWS("registry: write a change", err)
	}
	failed = map[int]bool{}
	for i, reason := range canceled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "None":
		case "ConditionalCheckFailed":
			failed[i] = true
		case "TransactionConflict":
			for j := range writes {
				failed[j] = true
			}
		default:
			return nil, fault.FromAWS("registry: write a change", err)
		}
	}
	return failed, nil
}
