package main

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"golang.org/x/sync/errgroup"

	"etl-dataloader/internal/message"
)

// Bounds of an upload. S3 takes 10,000 parts of an object, so a file may have
// 160 GB (Amazon S3 User Guide, "Multipart upload limits"); in memory are at most
// filesAtOnce x (partsAtOnce + 1) parts.
const (
	partBytes   = 16 << 20
	partsAtOnce = 4
	filesAtOnce = 3
)

// uploader stores the content of a file as an object; the object is whole on
// return. version is empty in a bucket without versions. sent is called with the
// number of bytes that are there so far. Safe for concurrent use.
type uploader interface {
	upload(ctx context.Context, file localFile, sent func(int64)) (version string, err error)
}

// bucketUploader uploads into a bucket, big files in parts.
type bucketUploader struct {
	client *transfermanager.Client
	bucket string
}

func newBucketUploader(client transfermanager.S3APIClient, bucket string) bucketUploader {
	return bucketUploader{bucket: bucket, client: transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes = partBytes
		o.MultipartUploadThreshold = partBytes
		o.Concurrency = partsAtOnce
	})}
}

// upload implements uploader.
func (u bucketUploader) upload(ctx context.Context, file localFile, sent func(int64)) (string, error) {
	body, err := os.Open(file.Path)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	out, err := u.client.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &u.bucket, Key: aws.String(file.key()), Body: body,
	}, func(o *transfermanager.Options) { o.ObjectProgressListeners.Register(listener{sent}) })
	if err != nil {
		return "", err
	}
	return aws.ToString(out.VersionID), nil
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
			show.uploading(total, f.bytes(), message.CtlUploaded(file.Name, message.Bytes(file.Size)))
			return nil
		})
	}
	err := group.Wait()
	show.stop()
	if err != nil && errors.Is(context.Cause(ctx), errInterrupted) {
		return nil, errors.Join(errInterrupted, &stoppedError{text: message.CtlUploadStopped})
	}
	return versions, err
}

// uploadError reports a file that could not be uploaded.
type uploadError struct {
	file string
	err  error
}

func (e *uploadError) Error() string { return message.CtlNotUploaded(e.file, e.err) }
func (e *uploadError) Unwrap() error { return e.err }
