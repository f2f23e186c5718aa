package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// Listed is a well-named object as a listing of the bucket shows it, without its
// version.
type Listed struct {
	Mode           etl.Mode
	Date, Resource string
	Key, ETag      string
	Size           int64 // bytes
	LastModified   time.Time
}

// shows reports whether the listed object is the arrival. A version with the same
// second, size and entity tag has the same content.
func (a Arrival) shows(l Listed) bool {
	return a.Key == l.Key && a.ETag == l.ETag && a.Size == l.Size && a.LastModified.Equal(l.LastModified)
}

// Unknown returns, in the same order, the objects that the registry does not know as
// they are listed. It also returns known ones whose date is not in the queue and has
// no import. It reads a hundred items per call, eventually consistent: at worst it
// returns a known object, which costs one more look.
func (r *Registry) Unknown(ctx context.Context, objects []Listed) ([]Listed, error) {
	keys := make([]key, 0, len(objects))
	dates := map[key]key{} // from the key in the queue to that of the import
	for _, o := range objects {
		keys = append(keys, arrivalKey(o.Mode, o.Date, o.Resource, o.Key))
		dates[queueKey(o.Mode, o.Date)] = dateImportKey(o.Mode, o.Date)
	}
	for queue, imp := range dates {
		keys = append(keys, queue, imp)
	}
	found, err := batch[Arrival](ctx, r, keys)
	if err != nil {
		return nil, err
	}
	var unknown []Listed
	for _, o := range objects {
		a, known := found[arrivalKey(o.Mode, o.Date, o.Resource, o.Key)]
		_, waits := found[queueKey(o.Mode, o.Date)]
		_, allotted := found[dateImportKey(o.Mode, o.Date)]
		if !known || !a.shows(o) || (!waits && !allotted) {
			unknown = append(unknown, o)
		}
	}
	return unknown, nil
}

// RefusedFor is how long a badly named object is remembered. If it is still in the
// bucket after that, it is reported once more.
const RefusedFor = 365 * 24 * time.Hour

// Refusal is a badly named object. It takes one small item per key, however long the
// key is and however many versions it has.
type Refusal struct {
	key
	Version string `dynamodbav:"version"` // the last one with a notification; empty: none
	ETag    string `dynamodbav:"etag"`    // without quotation marks
	Told    bool   `dynamodbav:"told"`    // an alert was sent
	Expires int64  `dynamodbav:"expires_at"`
}

// refusedKey hashes the object's key, which may by itself fill a whole sort key. 128
// bits keep even deliberately chosen keys apart; the partitions share the load of a
// listing.
func refusedKey(object string) key {
	sum := sha256.Sum256([]byte(object))
	hash := hex.EncodeToString(sum[:16])
	return key{PK: "REFUSED#" + hash[:2], SK: hash}
}

// plainTag returns an entity tag without its quotation marks, which listings have and
// notifications do not.
func plainTag(tag string) string { return strings.Trim(tag, `"`) }

// Refuse records a badly named object named by a notification, and reports whether
// this version of it is new. [Registry.Told] later marks it as reported.
func (r *Registry) Refuse(ctx context.Context, object, versionID, tag string) (isNew bool, err error) {
	k, tag := refusedKey(object), plainTag(tag)
	var known Refusal
	found, err := r.get(ctx, k, &known)
	if err != nil {
		return false, err
	}
	if found && known.Version == versionID {
		return false, nil
	}
	// A walk through the bucket found it before the notification came.
	told := found && known.Version == "" && tag != "" && known.ETag == tag
	return !told, r.put(ctx, Refusal{key: k, Version: versionID, ETag: tag, Told: told, Expires: r.expiry()})
}

func (r *Registry) expiry() int64 { return r.now().Add(RefusedFor).Unix() }

// Refusals returns what is known of badly named objects, by their keys. It reads
// a hundred items per call, eventually consistent.
func (r *Registry) Refusals(ctx context.Context, objects []string) (map[string]Refusal, error) {
	keys := make([]key, len(objects))
	for i, o := range objects {
		keys[i] = refusedKey(o)
	}
	found, err := batch[Refusal](ctx, r, keys)
	if err != nil {
		return nil, err
	}
	known := map[string]Refusal{}
	for i, o := range objects {
		if refusal, ok := found[keys[i]]; ok {
			known[o] = refusal
		}
	}
	return known, nil
}

// Is reports whether the object with that tag is the one that was refused. A
// notification may have come without a tag.
func (f Refusal) Is(tag string) bool { return f.ETag == "" || f.ETag == plainTag(tag) }

// itemsOfTransaction is how many items one transaction may write (Amazon DynamoDB
// Developer Guide, "Service, account, and table quotas").
const itemsOfTransaction = 100

// Told records that an alert was sent about badly named objects. tags are their
// entity tags by key; known is what [Registry.Refusals] returned for them. It writes
// a hundred items per call.
func (r *Registry) Told(ctx context.Context, tags map[string]string, known map[string]Refusal) error {
	writes := make([]write, 0, min(len(tags), itemsOfTransaction))
	flush := func() error {
		if len(writes) == 0 {
			return nil
		}
		failed, err := r.transact(ctx, writes...)
		if err == nil && len(failed) > 0 { // a notification of one of them came at this very moment
			err = overtaken("remember refused objects")
		}
		writes = writes[:0]
		return err
	}
	for object, tag := range tags {
		writes = append(writes, write{item: Refusal{
			key: refusedKey(object), Version: known[object].Version, ETag: plainTag(tag), Told: true, Expires: r.expiry(),
		}})
		if len(writes) == itemsOfTransaction {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// Walk is how far the landing bucket and the queue were looked through.
type Walk struct {
	key
	Object string `dynamodbav:"object"` // the last key that was looked at; empty: start over
	Date   string `dynamodbav:"date"`   // the order of the last date in the queue, likewise
}

func walkKey() key { return key{PK: "LANDING", SK: "WALK"} }

// Walk returns how far the last walk came.
func (r *Registry) Walk(ctx context.Context) (Walk, error) {
	var w Walk
	_, err := r.get(ctx, walkKey(), &w)
	return w, err
}

// SaveWalk stores how far a walk came, for the next one.
func (r *Registry) SaveWalk(ctx context.Context, w Walk) error {
	w.key = walkKey()
	return r.put(ctx, w)
}

// itemsOfBatch is how many items one BatchGetItem may ask for (Amazon DynamoDB API
// Reference).
const itemsOfBatch = 100

// errPartly is the cause when a batch gives up.
var errPartly = errors.New("DynamoDB kept answering a part of a batch only")

// batch reads items by their keys, which must differ. Missing ones are left out.
func batch[T any](ctx context.Context, r *Registry, keys []key) (map[key]T, error) {
	found := make(map[key]T, len(keys))
	for start := 0; start < len(keys); start += itemsOfBatch {
		asked := types.KeysAndAttributes{}
		for _, k := range keys[start:min(start+itemsOfBatch, len(keys))] {
			asked.Keys = append(asked.Keys, k.attributes())
		}
		if err := batchPage(ctx, r, asked, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// batchPage reads up to a hundred items. A busy DynamoDB may return only some of
// them; batchPage then asks again for the others.
func batchPage[T any](ctx context.Context, r *Registry, asked types.KeysAndAttributes, found map[key]T) error {
	for range tries {
		out, err := r.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{r.table: asked},
		})
		if err != nil {
			return fault.FromAWS("registry: read a batch", err)
		}
		for _, attributes := range out.Responses[r.table] {
			var item T
			var k key
			if err := attributevalue.UnmarshalMap(attributes, &item); err != nil {
				return fmt.Errorf("registry: decode an item of a batch: %w", err)
			}
			if err := attributevalue.UnmarshalMap(attributes, &k); err != nil {
				return fmt.Errorf("registry: decode the key of an item: %w", err)
			}
			found[k] = item
		}
		if asked = out.UnprocessedKeys[r.table]; len(asked.Keys) == 0 {
			return nil
		}
	}
	return &fault.Transient{Op: "registry: read a batch", Err: errPartly}
}
