package objectstore

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"etl-dataloader/internal/fault"
)

// How the bucket is asked. What S3 lists in one call is at most 1,000 keys (API
// reference, ListObjectsV2 and ListObjectVersions).
//
// ListObjectsV2 shows current objects alone, so a key with a million versions
// costs it no more than any other key; it returns no versions. The version of
// one key is the first entry of ListObjectVersions with that key as prefix: keys
// come in the order of their bytes, a prefix before all that it begins, and
// versions come newest first. Neither needs the right to read content, which
// HeadObject would.
//
// Both answer in XML, which cannot hold every character of a key: without
// encoding-type=url one object whose key has a control character would make every
// listing that meets it unreadable.

// Lister is the part of S3 that a [Listing] needs; *s3.Client implements it.
type Lister interface {
	// ListObjectsV2 lists current objects alone, however many versions they have.
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	// ListObjectVersions lists the newest version of a key first.
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
}

// Listing shows which objects are in a bucket, never their content. It is strongly
// consistent and safe for concurrent use.
type Listing struct {
	client Lister
	bucket string
}

// NewListing returns the listing of a bucket.
func NewListing(client Lister, bucket string) *Listing {
	return &Listing{client: client, bucket: bucket}
}

// Entry is an object in a listing.
type Entry struct {
	Key          string
	VersionID    string // empty if the listing shows no versions
	ETag         string
	Size         int64
	LastModified time.Time // UTC
}

// List returns up to 1,000 current objects whose keys begin with prefix and come after
// a key, in the order of their keys; more reports that there are others. The entries
// have no VersionID.
func (l *Listing) List(ctx context.Context, prefix, after string) (entries []Entry, more bool, err error) {
	request := &s3.ListObjectsV2Input{Bucket: &l.bucket, EncodingType: types.EncodingTypeUrl}
	if prefix != "" {
		request.Prefix = &prefix
	}
	if after != "" {
		request.StartAfter = &after
	}
	op := "list s3://" + l.bucket + "/" + prefix
	out, err := l.client.ListObjectsV2(ctx, request)
	if err != nil {
		return nil, false, fault.FromAWS(op, err)
	}
	for _, o := range out.Contents {
		key, err := url.QueryUnescape(aws.ToString(o.Key))
		if err != nil {
			return nil, false, fmt.Errorf("%s: decode a key: %w", op, err)
		}
		entries = append(entries, Entry{
			Key: key, ETag: aws.ToString(o.ETag), Size: aws.ToInt64(o.Size), LastModified: aws.ToTime(o.LastModified).UTC(),
		})
	}
	return entries, aws.ToBool(out.IsTruncated) && len(entries) > 0, nil
}

// Current returns the current version of one key; exists is false if it has none.
func (l *Listing) Current(ctx context.Context, key string) (entry Entry, exists bool, err error) {
	out, err := l.client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{
		Bucket: &l.bucket, Prefix: &key, MaxKeys: aws.Int32(1), EncodingType: types.EncodingTypeUrl,
	})
	if err != nil {
		return Entry{}, false, fault.FromAWS("list the versions of s3://"+l.bucket+"/"+key, err)
	}
	for _, v := range out.Versions {
		if listed, err := url.QueryUnescape(aws.ToString(v.Key)); err == nil && listed == key && aws.ToBool(v.IsLatest) {
			return Entry{
				Key: key, VersionID: aws.ToString(v.VersionId), ETag: aws.ToString(v.ETag),
				Size: aws.ToInt64(v.Size), LastModified: aws.ToTime(v.LastModified).UTC(),
			}, true, nil
		}
	}
	return Entry{}, false, nil
}
