package memory_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

var emulator *registrytest.Emulator

func TestMain(m *testing.M) {
	os.Exit(registrytest.Run(m, func(e *registrytest.Emulator) { emulator = e }))
}

// Both are used in place of the clients.
var (
	_ registry.DynamoDB  = (*memory.Table)(nil)
	_ objectstore.Lister = (*memory.Bucket)(nil)
)

// database is what the conversations need of DynamoDB.
type database interface {
	registry.DynamoDB
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

func text(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func number(v int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(v)}
}

func key(pk, sk string) memory.Item { return memory.Item{"pk": text(pk), "sk": text(sk)} }

func item(pk, sk string, revision int) memory.Item {
	i := key(pk, sk)
	i["revision"] = number(revision)
	return i
}

// put, remove and check are actions of a transaction on the condition that the
// revision is one, or as condition says.
func put(name string, item memory.Item, condition string, values memory.Item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: &name, Item: item, ConditionExpression: unless(condition), ExpressionAttributeValues: values}}
}

func remove(name string, key memory.Item, condition string, values memory.Item) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: &name, Key: key, ConditionExpression: unless(condition), ExpressionAttributeValues: values}}
}

func check(name string, key memory.Item, condition string, values memory.Item) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: &name, Key: key, ConditionExpression: unless(condition), ExpressionAttributeValues: values}}
}

// unless is nil for an empty text, which DynamoDB takes for no condition.
func unless(condition string) *string {
	if condition == "" {
		return nil
	}
	return &condition
}

// outcome is what a transaction did: "done", or the codes of its reasons.
func outcome(t *testing.T, d database, actions ...types.TransactWriteItem) string {
	t.Helper()
	_, err := d.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		var codes []string
		for _, r := range canceled.CancellationReasons {
			codes = append(codes, aws.ToString(r.Code))
		}
		return strings.Join(codes, " ")
	}
	if err != nil {
		t.Fatal(err)
	}
	return "done"
}

// contents lists a partition, one text an item.
func contents(t *testing.T, d database, name, pk, prefix string) []string {
	t.Helper()
	in := &dynamodb.QueryInput{
		TableName: &name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: memory.Item{":pk": text(pk)},
	}
	if prefix != "" {
		in.KeyConditionExpression = aws.String("pk = :pk AND begins_with(sk, :prefix)")
		in.ExpressionAttributeValues[":prefix"] = text(prefix)
	}
	out, err := d.Query(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return shown(out.Items)
}

func shown(items []memory.Item) []string {
	all := []string{}
	for _, i := range items {
		line := i["pk"].(*types.AttributeValueMemberS).Value + "/" + i["sk"].(*types.AttributeValueMemberS).Value
		if revision, ok := i["revision"].(*types.AttributeValueMemberN); ok {
			line += "=" + revision.Value
		}
		all = append(all, line)
	}
	return all
}

// TestTable: what is said to a table in memory and to the emulator's is answered
// alike.
func TestTable(t *testing.T) {
	const (
		absent = "attribute_not_exists(pk)"
		is     = "revision = :r"
		open   = "import_id = :o AND (attribute_not_exists(revision) OR revision = :r)"
		free   = "attribute_not_exists(pk) OR import_id = :o"
	)
	r := func(n int) memory.Item { return memory.Item{":r": number(n)} }
	owner := func(name string, i memory.Item) memory.Item { i["import_id"] = text(name); return i }
	talk := func(t *testing.T, d database, name string) []string {
		t.Helper()
		var said []string
		say := func(lines ...string) { said = append(said, lines...) }
		say(outcome(t, d, put(name, item("a", "1", 1), absent, nil), put(name, item("a", "20", 1), absent, nil)))
		say(outcome(t, d, put(name, item("a", "1", 2), absent, nil), put(name, item("a", "3", 1), absent, nil)))
		say(contents(t, d, name, "a", "")...)
		say(outcome(t, d, put(name, item("a", "1", 2), is, r(1)), check(name, key("a", "20"), is, r(1))))
		say(outcome(t, d, put(name, item("a", "1", 3), is, r(1)), check(name, key("a", "20"), is, r(1))))
		say(outcome(t, d, remove(name, key("a", "1"), is, r(9)), check(name, key("a", "4"), absent, nil)))
		say(outcome(t, d, remove(name, key("a", "none"), is, r(1))))
		say(outcome(t, d, put(name, owner("x", item("b", "1", 1)), "", nil), put(name, owner("x", key("b", "2")), "", nil)))
		for _, sk := range []string{"1", "2", "3"} {
			for _, by := range []string{"x", "y"} {
				say(outcome(t, d, check(name, key("b", sk), open, memory.Item{":o": text(by), ":r": number(1)})))
				say(outcome(t, d, check(name, key("b", sk), open, memory.Item{":o": text(by), ":r": number(2)})))
				say(outcome(t, d, check(name, key("b", sk), free, memory.Item{":o": text(by)})))
			}
		}
		say(outcome(t, d, remove(name, key("b", "1"), "", nil)))
		if _, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item("b", "11", 7)}); err != nil {
			t.Fatal(err)
		}
		say(contents(t, d, name, "b", "1")...)
		say(contents(t, d, name, "none", "")...)
		for _, sk := range []string{"1", "2"} {
			out, err := d.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &name, Key: key("b", sk)})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Item) > 0 {
				say(shown([]memory.Item{out.Item})...)
			}
		}
		batch, err := d.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			name: {Keys: []memory.Item{key("a", "1"), key("a", "none")}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		say(shown(batch.Responses[name])...)
		if _, err := d.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &name, Key: key("a", "1")}); err != nil {
			t.Fatal(err)
		}
		say(contents(t, d, name, "a", "")...)
		return said
	}
	want := talk(t, emulator.DynamoDB(t), emulator.Table(t))
	if diff := cmp.Diff(want, talk(t, &memory.Table{}, "registry")); diff != "" {
		t.Errorf("the table in memory answers differently (-emulator +memory):\n%s", diff)
	}
}

// TestTableRefuses: what DynamoDB refuses, and what the table does not know.
func TestTableRefuses(t *testing.T) {
	d, name := &memory.Table{}, "registry"
	transact := func(actions ...types.TransactWriteItem) error {
		_, err := d.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: actions})
		return err
	}
	large := item("a", "1", 1)
	large["content"] = text(strings.Repeat("x", 500<<10))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, canceled := d.GetItem(gone, &dynamodb.GetItemInput{Key: key("a", "1")})
	_, query := d.Query(t.Context(), &dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :pk AND sk > :sk")})
	for what, err := range map[string]error{
		"the same item twice":    transact(put(name, item("a", "1", 1), "", nil), check(name, key("a", "1"), "attribute_not_exists(pk)", nil)),
		"a large item":           transact(put(name, large, "", nil)),
		"an update":              transact(types.TransactWriteItem{Update: &types.Update{}}),
		"another condition":      transact(check(name, key("a", "1"), "size(pk) > :r", memory.Item{":r": number(1)})),
		"a condition cut short":  transact(check(name, key("a", "1"), "revision =", nil)),
		"a value that is not":    transact(check(name, key("a", "1"), "revision = :r", nil)),
		"a parenthesis too few":  transact(check(name, key("a", "1"), "(attribute_not_exists(pk)", nil)),
		"a parenthesis too many": transact(check(name, key("a", "1"), "attribute_not_exists(pk))", nil)),
		"a canceled request":     canceled,
		"another query":          query,
	} {
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if found := contents(t, d, name, "a", ""); len(found) > 0 {
		t.Errorf("what was refused is there: %v", found)
	}
}

// store is what the conversations need of S3.
type store interface {
	objectstore.Lister
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// told collects what a bucket answered. Versions are told by the order of their
// making.
type told struct {
	t        *testing.T
	bucket   store
	name     string
	versions map[string]string
	lines    []string
}

func (d *told) say(words ...any) {
	d.lines = append(d.lines, strings.TrimSpace(fmt.Sprintln(words...)))
}

func (d *told) put(key, content string) {
	out, err := d.bucket.PutObject(d.t.Context(), &s3.PutObjectInput{Bucket: &d.name, Key: &key, Body: strings.NewReader(content)})
	if err != nil {
		d.t.Fatal(err)
	}
	d.versions[*out.VersionId] = strconv.Itoa(len(d.versions))
	d.say("put", *out.ETag)
}

// plain is a listed key without the encoding, which the emulator leaves out in some
// answers.
func (d *told) plain(key *string) string {
	plain, err := url.QueryUnescape(*key)
	if err != nil {
		d.t.Fatal(err)
	}
	return plain
}

func (d *told) list(in s3.ListObjectsV2Input) {
	in.Bucket = &d.name
	out, err := d.bucket.ListObjectsV2(d.t.Context(), &in)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, o := range out.Contents {
		d.say("object", d.plain(o.Key), *o.ETag, *o.Size)
	}
	d.say("more", aws.ToBool(out.IsTruncated))
}

func (d *told) listVersions(in s3.ListObjectVersionsInput) {
	in.Bucket, in.EncodingType = &d.name, s3types.EncodingTypeUrl
	out, err := d.bucket.ListObjectVersions(d.t.Context(), &in)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, v := range out.Versions {
		d.say("version", d.plain(v.Key), d.versions[*v.VersionId], *v.IsLatest, *v.ETag)
	}
	for _, m := range out.DeleteMarkers {
		d.say("deleted", d.plain(m.Key), *m.IsLatest)
	}
	d.say("more", aws.ToBool(out.IsTruncated))
}

// TestBucket: what is said to a bucket in memory and to the emulator's is answered
// alike.
func TestBucket(t *testing.T) {
	talk := func(t *testing.T, b store, bucket string) []string {
		t.Helper()
		d := &told{t: t, bucket: b, name: bucket, versions: map[string]string{}}
		d.put("daily/b.csv", "one")
		d.put("daily/b.csv", "two")
		d.put("daily/a.csv", "")
		d.put("daily/é.csv", "three")
		d.put("initial/c.csv", "x")
		d.put("daily/b", "y")
		if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("initial/c.csv")}); err != nil {
			t.Fatal(err)
		}
		for _, in := range []s3.ListObjectsV2Input{
			{},
			{EncodingType: s3types.EncodingTypeUrl},
			{Prefix: aws.String("daily/b")},
			{Prefix: aws.String("initial/")},
			{Prefix: aws.String("none")},
			{StartAfter: aws.String("daily/b")},
			{MaxKeys: aws.Int32(2)},
			{MaxKeys: aws.Int32(4)},
		} {
			d.list(in)
		}
		for _, in := range []s3.ListObjectVersionsInput{
			{},
			{Prefix: aws.String("daily/b.csv"), MaxKeys: aws.Int32(1)},
			{Prefix: aws.String("daily/b")},
			{Prefix: aws.String("initial/")},
		} {
			d.listVersions(in)
		}
		return d.lines
	}
	want := talk(t, emulator.S3(t), emulator.Bucket(t))
	if diff := cmp.Diff(want, talk(t, &memory.Bucket{}, "landing")); diff != "" {
		t.Errorf("the bucket in memory answers differently (-emulator +memory):\n%s", diff)
	}
}
