package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
)

// baseline is the state that a cell begins with: a database that serves as the
// template of the cell's own, and the items of the registry.
type baseline struct {
	template string
	items    []stack.Item
}

// snapshot keeps the state as it is now under a name.
func (s *system) snapshot(ctx context.Context, name string) (baseline, error) {
	items, err := s.Items(ctx)
	if err != nil {
		return baseline{}, err
	}
	return baseline{name, items}, s.maintain(ctx, `CREATE DATABASE `+name+` TEMPLATE etl`, "etl")
}

// restore brings database, registry and landing bucket back to a baseline.
func (s *system) restore(ctx context.Context, b baseline) error {
	if err := s.emptyLanding(ctx); err != nil {
		return err
	}
	items, err := s.Items(ctx)
	if err != nil {
		return err
	}
	var requests []types.WriteRequest
	for _, i := range items {
		requests = append(requests, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: stack.Item{"pk": i["pk"], "sk": i["sk"]}}})
	}
	if err := s.write(ctx, requests); err != nil {
		return err
	}
	requests = nil
	for _, i := range b.items {
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: i}})
	}
	if err := s.write(ctx, requests); err != nil {
		return err
	}
	if err := s.maintain(ctx, `DROP DATABASE IF EXISTS etl`, "etl"); err != nil {
		return err
	}
	return s.maintain(ctx, `CREATE DATABASE etl TEMPLATE `+b.template, b.template)
}

// maintain runs a statement that needs a database without sessions. It ends those
// of clients; an autovacuum, which no other role may end, the server sends away by
// itself (and would not if the statement had FORCE).
func (s *system) maintain(ctx context.Context, statement, alone string) error {
	u, err := url.Parse(s.Env["DATABASE_URL"])
	if err != nil {
		return err
	}
	u.Path = "/postgres"
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return until(ctx, statement, func() (bool, error) {
		if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`, alone); err != nil {
			return false, err
		}
		_, err := conn.Exec(ctx, statement)
		if state(err) == "55006" { // object_in_use: somebody came back
			return false, nil
		}
		return true, err
	})
}

// write writes to the registry, 25 items at a time.
func (s *system) write(ctx context.Context, requests []types.WriteRequest) error {
	const most = 25
	for len(requests) > 0 {
		n := min(most, len(requests))
		out, err := s.DynamoDB.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{s.Env["REGISTRY_TABLE"]: requests[:n]},
		})
		if err != nil {
			return err
		}
		if len(out.UnprocessedItems) > 0 {
			return fmt.Errorf("the registry left %d writes undone", len(out.UnprocessedItems))
		}
		requests = requests[n:]
	}
	return nil
}

// emptyLanding deletes the source files with all their versions, so that no sweep
// takes them up again.
func (s *system) emptyLanding(ctx context.Context) error {
	bucket := aws.String(s.Env["LANDING_BUCKET"])
	pages := s3.NewListObjectVersionsPaginator(s.S3, &s3.ListObjectVersionsInput{Bucket: bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var objects []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			objects = append(objects, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			objects = append(objects, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(objects) == 0 {
			continue
		}
		if _, err := s.S3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &s3types.Delete{Objects: objects}}); err != nil {
			return err
		}
	}
	return nil
}
