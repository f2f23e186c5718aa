package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/totals"
	"etl-dataloader/internal/validation"
)

// totalsMaker creates the control totals of a delivery.
type totalsMaker struct {
	pkg   *contract.Package
	names *landing.Names
	there totalsReader
}

// totalsReader reads the control totals in the landing bucket.
type totalsReader interface {
	// totals returns the current control totals under a key. found is false if there
	// are none, or if they cannot be read.
	totals(ctx context.Context, key string) (t totals.Totals, found bool, err error)
}

// add creates the control totals of a folder that has none, in a temporary file, and
// puts them first: they must be there when the last file starts the import. remove must
// be called in any case.
//
// A folder with only some of the ten files corrects or completes an earlier delivery:
// its files replace theirs in the control totals of that delivery. If that has none, add
// creates none, because they would not name the other files.
func (c totalsMaker) add(ctx context.Context, f folder) (with folder, remove func(), err error) {
	remove = func() {}
	resources := map[string]bool{}
	for _, file := range f.Files {
		if file.Resource == landing.Control {
			return f.first(file), remove, nil
		}
		resources[file.Resource] = true
	}
	date, err := time.Parse(time.DateOnly, f.Date)
	if err != nil {
		return f, remove, err
	}
	made := localFile{File: landing.File{Mode: f.Files[0].Mode, Date: f.Date, Resource: landing.Control, Format: totals.Format}, Name: totals.Name(date)}
	files := map[string]totals.Total{}
	if len(resources) < len(c.pkg.Resources) {
		before, found, err := c.there.totals(ctx, made.key())
		if err != nil || !found {
			return f, remove, err
		}
		files = c.others(before, f.Files[0].Mode, resources)
	}
	if err := c.measure(f.Files, files); err != nil {
		return f, remove, err
	}
	dir, err := os.MkdirTemp("", "etlctl")
	if err != nil {
		return f, remove, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	made.Path = filepath.Join(dir, made.Name)
	if made.Size, err = write(made.Path, files); err != nil {
		return f, remove, err
	}
	return f.first(made), remove, nil
}

// others returns the totals of the files of other resources.
func (c totalsMaker) others(before totals.Totals, mode etl.Mode, resources map[string]bool) map[string]totals.Total {
	files := map[string]totals.Total{}
	for _, name := range before.Names() {
		if file, err := c.names.Parse(string(mode) + "/" + name); err == nil && !resources[file.Resource] {
			files[name], _ = before.File(name)
		}
	}
	return files
}

// measure adds the totals of local files. Its memory does not grow with their size.
func (c totalsMaker) measure(local []localFile, files map[string]totals.Total) error {
	for _, f := range local {
		r := c.pkg.Resource(f.Resource)
		body, err := os.Open(f.Path)
		if err != nil {
			return err
		}
		files[f.Name], err = totals.Measure(body, validation.Layout(r, f.Format))
		if closeErr := body.Close(); err != nil || closeErr != nil {
			return &uploadError{file: f.Name, err: errors.Join(err, closeErr)}
		}
	}
	return nil
}

// write writes control totals and returns their size.
func write(path string, files map[string]totals.Total) (int64, error) {
	all, err := totals.New(files)
	if err != nil {
		return 0, err
	}
	var text bytes.Buffer
	if err := all.Write(&text); err != nil {
		return 0, err
	}
	size := int64(text.Len())
	return size, os.WriteFile(path, text.Bytes(), 0o600)
}

// first returns the folder with file before all others.
func (f folder) first(file localFile) folder {
	files := []localFile{file}
	for _, other := range f.Files {
		if other.Name != file.Name {
			files = append(files, other)
		}
	}
	f.Files = files
	return f
}

// bucketTotals reads control totals from a bucket.
type bucketTotals struct {
	client *s3.Client
	bucket string
}

// totals implements totalsReader.
func (b bucketTotals) totals(ctx context.Context, key string) (t totals.Totals, found bool, err error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: &key})
	if _, none := errors.AsType[*types.NoSuchKey](err); none {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("%s: %w", textNoTotals, err)
	}
	defer func() { _ = out.Body.Close() }()
	t, err = totals.Parse(out.Body)
	if _, faulty := errors.AsType[*totals.Error](err); faulty {
		return t, false, nil
	}
	return t, err == nil, err
}
