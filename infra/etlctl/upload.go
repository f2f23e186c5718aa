package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"etl-dataloader/internal/message"
)

// Bounds of an upload. S3 accepts 10,000 parts per object, so a file may have 160 GB
// (Amazon S3 User Guide, "Multipart upload limits"). At most
// filesAtOnce x (partsAtOnce + 1) parts are in memory.
const (
	partBytes   = 16 << 20
	partsAtOnce = 4
	filesAtOnce = 3
)

// uploader stores files as objects. It is safe for concurrent use.
type uploader interface {
	// upload stores the content of a file; the object is complete on return. version is
	// empty in a bucket without versioning. sent is called with the number of bytes
	// uploaded so far.
	upload(ctx context.Context, file localFile, sent func(int64)) (version string, err error)
	// same reports whether a version of the file's object has the same content. It is
	// false if that cannot be found out.
	same(ctx context.Context, file localFile, version string) bool
}

// hashName is the metadata key of the SHA-256 of an object's content, in hexadecimal.
// The object's entity tag is not a hash if KMS encrypts the object.
const hashName = "sha256"

// bucketUploader uploads into a bucket, big files in parts.
type bucketUploader struct {
	client *transfermanager.Client
	heads  header
	bucket string
}

// header reads the metadata of objects; *s3.Client implements it.
type header interface {
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

func newBucketUploader(client *s3.Client, bucket string) bucketUploader {
	return bucketUploader{bucket: bucket, heads: client, client: transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes = partBytes
		o.MultipartUploadThreshold = partBytes
		o.Concurrency = partsAtOnce
	})}
}

// upload implements uploader.
func (u bucketUploader) upload(ctx context.Context, file localFile, sent func(int64)) (string, error) {
	hash, err := hashOf(file.Path)
	if err != nil {
		return "", err
	}
	body, err := os.Open(file.Path)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	out, err := u.client.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &u.bucket, Key: aws.String(file.key()), Body: body, Metadata: map[string]string{hashName: hash},
	}, func(o *transfermanager.Options) { o.ObjectProgressListeners.Register(listener{sent}) })
	if err != nil {
		return "", err
	}
	return aws.ToString(out.VersionID), nil
}

// same implements uploader.
func (u bucketUploader) same(ctx context.Context, file localFile, version string) bool {
	in := &s3.HeadObjectInput{Bucket: &u.bucket, Key: aws.String(file.key())}
	if version != "" {
		in.VersionId = &version
	}
	head, err := u.heads.HeadObject(ctx, in)
	if err != nil || aws.ToInt64(head.ContentLength) != file.Size {
		return false
	}
	hash, err := hashOf(file.Path)
	return err == nil && head.Metadata[hashName] == hash
}

// hashOf returns the SHA-256 of a file.
func hashOf(path string) (string, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names the folder
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// listener passes the progress of an upload on.
type listener struct{ sent func(int64) }

// OnObjectBytesTransferred is called by the transfer manager.
func (l listener) OnObjectBytesTransferred(_ context.Context, e *transfermanager.ObjectBytesTransferredEvent) {
	l.sent(e.BytesTransferred)
}

// uploadAll uploads the files, a few at a time, and returns the versions by key.
func uploadAll(ctx context.Context, u uploader, f folder, show display) (map[string]string, error) {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(filesAtOnce)
	var mutex sync.Mutex
	versions := map[string]string{}
	var total int64
	for _, file := range f.Files {
		group.Go(func() error {
			var before int64
			version, err := u.upload(groupCtx, file, func(sent int64) {
				mutex.Lock()
				defer mutex.Unlock()
				total += sent - before
				before = sent
				show.uploading(total, f.bytes(), "")
			})
			if err != nil {
				return &uploadError{file: file.Name, err: err}
			}
			mutex.Lock()
			defer mutex.Unlock()
			versions[file.key()] = version
			total += file.Size - before
			show.uploading(total, f.bytes(), textUploaded(file.Name, message.Bytes(file.Size)))
			return nil
		})
	}
	err := group.Wait()
	show.stop()
	if err != nil && errors.Is(context.Cause(ctx), errInterrupted) {
		return nil, errors.Join(errInterrupted, &stoppedError{text: textUploadStopped})
	}
	return versions, err
}

// uploadError means that a file could not be uploaded.
type uploadError struct {
	file string
	err  error
}

func (e *uploadError) Error() string { return textNotUploaded(e.file, e.err) }
func (e *uploadError) Unwrap() error { return e.err }
