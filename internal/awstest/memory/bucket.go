package memory

import (
	"cmp"
	"context"
	"crypto/md5" // #nosec G501 -- S3 makes its tags of it
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"etl-dataloader/internal/awstest"
)

// pageKeys is how many keys S3 lists in one call (API reference, ListObjectsV2).
const pageKeys = 1000

// Bucket is a versioned S3 bucket. It ignores the bucket's name in requests. The
// zero value is empty; Now is the clock of its objects, and the real one if it is
// nil. It is safe for concurrent use.
type Bucket struct {
	Now func() time.Time

	mu      sync.Mutex
	objects map[string][]version // by key, newest first
	count   int
}

// version is one version of an object, or a delete marker.
type version struct {
	id      string
	content []byte
	tag     string
	at      time.Time
	deleted bool
}

func (b *Bucket) begin(ctx context.Context, in any) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := awstest.Check(in); err != nil {
		return nil, err
	}
	b.mu.Lock()
	return b.mu.Unlock, nil
}

// add makes a version the newest one of a key.
func (b *Bucket) add(key string, v version) version {
	if b.objects == nil {
		b.objects = map[string][]version{}
	}
	b.count++
	v.id, v.at = fmt.Sprintf("version-%d", b.count), time.Now()
	if b.Now != nil {
		v.at = b.Now()
	}
	v.at = v.at.UTC().Truncate(time.Second)
	b.objects[key] = append([]version{v}, b.objects[key]...)
	return v
}

// PutObject makes a new version of an object.
func (b *Bucket) PutObject(ctx context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	content, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	end, err := b.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	sum := md5.Sum(content) // #nosec G401 -- as S3 does
	v := b.add(aws.ToString(in.Key), version{content: content, tag: `"` + hex.EncodeToString(sum[:]) + `"`})
	return &s3.PutObjectOutput{ETag: &v.tag, VersionId: &v.id}, nil
}

// DeleteObject hides an object behind a delete marker.
func (b *Bucket) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	end, err := b.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	v := b.add(aws.ToString(in.Key), version{deleted: true})
	return &s3.DeleteObjectOutput{DeleteMarker: aws.Bool(true), VersionId: &v.id}, nil
}

// keys are the keys that begin with prefix and come after another, in their order.
func (b *Bucket) keys(prefix, after string) []string {
	var keys []string
	for key := range b.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// listed is a key as a listing shows it.
func listed(key string, encoding types.EncodingType) *string {
	if encoding == types.EncodingTypeUrl {
		key = strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
	}
	return &key
}

// ListObjectsV2 lists current objects, at most 1,000 of them.
func (b *Bucket) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	if in.ContinuationToken != nil || in.Delimiter != nil {
		return nil, fmt.Errorf("memory: ListObjectsV2 with a token or a delimiter")
	}
	end, err := b.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	limit := int(cmp.Or(aws.ToInt32(in.MaxKeys), pageKeys))
	out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(false), EncodingType: in.EncodingType}
	for _, key := range b.keys(aws.ToString(in.Prefix), aws.ToString(in.StartAfter)) {
		v := b.objects[key][0]
		if v.deleted {
			continue
		}
		if len(out.Contents) == limit {
			out.IsTruncated = aws.Bool(true)
			break
		}
		out.Contents = append(out.Contents, types.Object{
			Key: listed(key, in.EncodingType), ETag: &v.tag, Size: aws.Int64(int64(len(v.content))), LastModified: &v.at,
		})
	}
	out.KeyCount = aws.Int32(int32(len(out.Contents))) // #nosec G115 -- at most 1,000
	return out, nil
}

// ListObjectVersions lists versions, newest first within a key, at most 1,000 of
// them.
func (b *Bucket) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput, _ ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	if in.KeyMarker != nil || in.Delimiter != nil {
		return nil, fmt.Errorf("memory: ListObjectVersions with a marker or a delimiter")
	}
	end, err := b.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	defer end()
	left := int(cmp.Or(aws.ToInt32(in.MaxKeys), pageKeys))
	out := &s3.ListObjectVersionsOutput{IsTruncated: aws.Bool(false), EncodingType: in.EncodingType}
	for _, key := range b.keys(aws.ToString(in.Prefix), "") {
		for n, v := range b.objects[key] {
			if left == 0 {
				out.IsTruncated = aws.Bool(true)
				return out, nil
			}
			left--
			if v.deleted {
				out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{
					Key: listed(key, in.EncodingType), VersionId: &v.id, IsLatest: aws.Bool(n == 0), LastModified: &v.at,
				})
				continue
			}
			out.Versions = append(out.Versions, types.ObjectVersion{
				Key: listed(key, in.EncodingType), VersionId: &v.id, IsLatest: aws.Bool(n == 0), LastModified: &v.at,
				ETag: &v.tag, Size: aws.Int64(int64(len(v.content))),
			})
		}
	}
	return out, nil
}
