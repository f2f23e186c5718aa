package landing

import (
	"context"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
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

// entry is a current object of a listing.
type entry struct {
	key    string
	object types.Object
}

// page lists the current objects under prefix whose keys come after a key, in order;
// more reports that there are others.
func (in *Intake) page(ctx context.Context, prefix, after string) (entries []entry, more bool, err error) {
	request := &s3.ListObjectsV2Input{Bucket: &in.config.Bucket, EncodingType: types.EncodingTypeUrl}
	if prefix != "" {
		request.Prefix = &prefix
	}
	if after != "" {
		request.StartAfter = &after
	}
	out, err := in.config.Objects.ListObjectsV2(ctx, request)
	if err != nil {
		return nil, false, fault.FromAWS("landing: list "+in.config.Bucket+"/"+prefix, err)
	}
	for _, o := range out.Contents {
		key, err := url.QueryUnescape(aws.ToString(o.Key))
		if err != nil {
			return nil, false, fmt.Errorf("landing: decode a listed key: %w", err)
		}
		entries = append(entries, entry{key, o})
	}
	return entries, aws.ToBool(out.IsTruncated) && len(entries) > 0, nil
}

// current asks for the current version of one key; exists is false if it has none.
func (in *Intake) current(ctx context.Context, key string) (current registry.Arrival, exists bool, err error) {
	out, err := in.config.Objects.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{
		Bucket: &in.config.Bucket, Prefix: &key, MaxKeys: aws.Int32(1), EncodingType: types.EncodingTypeUrl,
	})
	if err != nil {
		return current, false, fault.FromAWS("landing: list the versions of "+in.config.Bucket+"/"+key, err)
	}
	for _, v := range out.Versions {
		if listed, err := url.QueryUnescape(aws.ToString(v.Key)); err == nil && listed == key && aws.ToBool(v.IsLatest) {
			return arrival(key, v), true, nil
		}
	}
	return current, false, nil
}

func arrival(key string, v types.ObjectVersion) registry.Arrival {
	return registry.Arrival{
		Key: key, VersionID: aws.ToString(v.VersionId), ETag: aws.ToString(v.ETag),
		Size: aws.ToInt64(v.Size), LastModified: aws.ToTime(v.LastModified).UTC(),
	}
}
