package objectstore

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"etl-dataloader/internal/fault"
)

// DeleteAll deletes every version of every object whose key begins with prefix,
// and the delete markers, a page at a time (S3 lists and deletes at most 1,000 in
// a request; API reference, DeleteObjects). It returns how many it deleted, also when it
// fails, and may be called again. Objects that are written meanwhile may stay.
func (s *Store) DeleteAll(ctx context.Context, prefix string) (deleted int, err error) {
	op := "delete s3://" + s.bucket + "/" + prefix
	if prefix == "" {
		return 0, fmt.Errorf("%s: a prefix is needed", op)
	}
	pages := s3.NewListObjectVersionsPaginator(s.client, &s3.ListObjectVersionsInput{Bucket: &s.bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return deleted, fault.FromAWS(op, err)
		}
		versions := make([]types.ObjectIdentifier, 0, len(page.Versions)+len(page.DeleteMarkers))
		for _, v := range page.Versions {
			versions = append(versions, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			versions = append(versions, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(versions) == 0 {
			continue
		}
		out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &s.bucket, Delete: &types.Delete{Objects: versions, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return deleted, fault.FromAWS(op, err)
		}
		deleted += len(versions) - len(out.Errors)
		if len(out.Errors) > 0 {
			return deleted, fault.FromAWS(op, refused(out.Errors))
		}
	}
	return deleted, nil
}

// refused returns the first error that S3 reported for a single object, as if the
// request had failed with it.
func refused(failures []types.Error) error {
	first := &smithy.GenericAPIError{Code: aws.ToString(failures[0].Code), Message: aws.ToString(failures[0].Message)}
	return fmt.Errorf("%d objects, the first %s: %w", len(failures), aws.ToString(failures[0].Key),
		&smithy.OperationError{ServiceID: "S3", OperationName: "DeleteObjects", Err: first})
}
