// Package objectstore is the adapter of S3: it lists objects, reads object versions in
// ranges fetched ahead, and writes work objects once.
//
// A work object is immutable: its key is written with If-None-Match, so the
// first writer wins and every later one learns that the object exists. Readers
// name the version, so a later version of the same key changes nothing.
package objectstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"etl-dataloader/internal/fault"
)

// partBytes is the size of an upload part: each upload holds four in memory. S3
// accepts at most 10,000 parts per object, which limits a work object to 80 GB, far more
// than any chunk needs.
const partBytes = 8 << 20

// Object names one version of an object and its content.
type Object struct {
	Key       string `json:"key"`
	VersionID string `json:"version_id"`
	Checksum  string `json:"checksum,omitempty"` // of the whole object, see [NewChecksum]
	Bytes     int64  `json:"bytes"`
}

// Store reads and writes one bucket. It is safe for concurrent use.
type Store struct {
	client   *s3.Client
	uploader *transfermanager.Client
	bucket   string
}

// New returns the store of a bucket.
func New(client *s3.Client, bucket string) *Store {
	unsigned := s3.New(client.Options(), func(o *s3.Options) { o.APIOptions = append(o.APIOptions, leaveBodyUnsigned) })
	uploader := transfermanager.New(unsigned, func(o *transfermanager.Options) {
		o.PartSizeBytes = partBytes
		o.MultipartUploadThreshold = partBytes
		o.Concurrency = 2
	})
	return &Store{client: client, uploader: uploader, bucket: bucket}
}

// leaveBodyUnsigned signs an upload without its body, as the SDK does over TLS. Over
// plain HTTP, which only an emulator uses, the SDK would compute a SHA-256 of all bytes
// beside their checksum.
func leaveBodyUnsigned(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("LeaveBodyUnsigned",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(v4.SetPayloadHash(ctx, "UNSIGNED-PAYLOAD"), in)
		}), middleware.After)
}

// Bucket returns the name of the store's bucket.
func (s *Store) Bucket() string { return s.bucket }

// Created is the result of [Store.PutOnce].
type Created bool

// PutOnce writes the output of write under key, with metadata, unless the key exists.
// If created is false, the object of an earlier writer stays, and the returned Object
// has no Checksum: read it with [Store.Read].
func (s *Store) PutOnce(ctx context.Context, key string, metadata map[string]string, write func(io.Writer) error) (Object, Created, error) {
	op := "write s3://" + s.bucket + "/" + key
	reader, writer := io.Pipe()
	counted := &counter{w: writer, sum: NewChecksum()}
	produced := make(chan error, 1)
	go func() {
		err := write(counted)
		_ = writer.CloseWithError(err)
		produced <- err
	}()
	out, err := s.uploader.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &s.bucket, Key: &key, Body: reader, IfNoneMatch: aws.String("*"), Metadata: metadata,
	})
	_ = reader.CloseWithError(io.ErrClosedPipe)
	if writeErr := <-produced; writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		return Object{}, false, writeErr
	}
	if exists(err) {
		object, err := s.head(ctx, key)
		return object, false, err
	}
	if err != nil {
		return Object{}, false, fault.FromAWS(op, err)
	}
	return Object{
		Key: key, VersionID: aws.ToString(out.VersionID), Bytes: counted.n,
		Checksum: ChecksumText(counted.sum),
	}, true, nil
}

// Put writes a small object, replacing that of the key. No cache may keep it.
func (s *Store) Put(ctx context.Context, key, contentType string, content []byte) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(content), ContentType: &contentType, CacheControl: aws.String("no-store"),
	})
	return fault.FromAWS("write s3://"+s.bucket+"/"+key, err)
}

// exists reports whether S3 refused a conditional write because the key is there
// (412). If another writer is about to finish it (409), the caller must wait.
func exists(err error) bool {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok && response.HTTPStatusCode() == http.StatusPreconditionFailed
}

func (s *Store) head(ctx context.Context, key string) (Object, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return Object{}, fault.FromAWS("head s3://"+s.bucket+"/"+key, err)
	}
	return Object{Key: key, VersionID: aws.ToString(out.VersionId), Bytes: aws.ToInt64(out.ContentLength)}, nil
}

// counter counts and hashes the bytes that are written.
type counter struct {
	w   io.Writer
	sum hash.Hash
	n   int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.sum.Write(p[:n])
	c.n += int64(n)
	return n, err
}

// Body is the content of an object version.
type Body struct {
	io.ReadCloser
	Metadata map[string]string
}

// Open reads an object version from the start; the caller must close it. Errors while
// reading are classified like those of a request. An empty versionID is the newest version.
func (s *Store) Open(ctx context.Context, key, versionID string) (Body, error) {
	return s.get(ctx, key, versionID, "")
}

// OpenRange reads the bytes [start, end) of a version of an object.
func (s *Store) OpenRange(ctx context.Context, key, versionID string, start, end int64) (io.ReadCloser, error) {
	if start >= end {
		return http.NoBody, nil
	}
	body, err := s.get(ctx, key, versionID, fmt.Sprintf("bytes=%d-%d", start, end-1))
	if err != nil {
		return nil, err
	}
	return body.ReadCloser, nil
}

func (s *Store) get(ctx context.Context, key, versionID, byteRange string) (Body, error) {
	op := "read s3://" + s.bucket + "/" + key
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key}
	if versionID != "" {
		in.VersionId = &versionID
	}
	if byteRange != "" {
		in.Range = &byteRange
	}
	out, err := s.client.GetObject(ctx, in)
	if err != nil {
		return Body{}, fault.FromAWS(op, err)
	}
	return Body{ReadCloser: &classifiedBody{op: op, body: out.Body}, Metadata: out.Metadata}, nil
}

// classifiedBody classifies the errors of a connection that breaks in the middle of an
// object.
type classifiedBody struct {
	op   string
	body io.ReadCloser
}

func (b *classifiedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fault.FromAWS(b.op, err)
	}
	return n, err
}

func (b *classifiedBody) Close() error { return b.body.Close() }

// Read passes an object version to consume and returns the object with its checksum,
// which covers all of it even if consume stops early.
func (s *Store) Read(ctx context.Context, object Object, consume func(io.Reader) error) (Object, error) {
	body, err := s.Open(ctx, object.Key, object.VersionID)
	if err != nil {
		return Object{}, err
	}
	defer func() { _ = body.Close() }()
	counted := &counter{w: io.Discard, sum: NewChecksum()}
	if err := consume(io.TeeReader(body, counted)); err != nil {
		return Object{}, err
	}
	if _, err := io.Copy(counted, body); err != nil {
		return Object{}, err
	}
	object.Checksum = ChecksumText(counted.sum)
	object.Bytes = counted.n
	return object, nil
}
