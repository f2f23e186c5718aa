package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/google/uuid"
)

// A reference is "etl-front:", the name of a file (a UUID of 36 characters), a
// colon, its size in 16 digits, and a line feed: all of one length, so that an
// object of many parts is a row of them.
const (
	referencePrefix = "etl-front:"
	referenceFormat = referencePrefix + "%s:%016d\n"
	referenceBytes  = 64
	nameBytes       = 36
)

// parts are the uploaded parts, a file each.
type parts struct{ dir string }

// write stores a part and returns its reference.
func (p parts) write(body io.Reader, size int64) (reference []byte, err error) {
	name := uuid.NewString()
	path := filepath.Join(p.dir, name)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // a name of our own
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = os.Remove(path) // what remains goes with the stack
		}
	}()
	written, err := io.CopyBuffer(struct{ io.Writer }{file}, struct{ io.Reader }{body}, make([]byte, 256<<10))
	if err == nil && written != size {
		err = fmt.Errorf("a part of %d bytes was announced with %d", written, size)
	}
	return fmt.Appendf(nil, referenceFormat, name, size), err
}

// content is what an object holds: the files of its references, one after the
// other, or the bytes that the emulator has.
type content struct {
	size  int64
	bytes []byte
	files []*os.File
	ends  []int64
}

// open finds the content of an object.
func (p parts) open(body []byte) (*content, error) {
	if len(body) == 0 || len(body)%referenceBytes != 0 || !bytes.HasPrefix(body, []byte(referencePrefix)) {
		return &content{size: int64(len(body)), bytes: body}, nil
	}
	c := &content{}
	for ; len(body) > 0; body = body[referenceBytes:] {
		name := string(body[len(referencePrefix):][:nameBytes])
		size, err := strconv.ParseInt(string(body[len(referencePrefix)+nameBytes+1:referenceBytes-1]), 10, 64)
		if err == nil {
			_, err = uuid.Parse(name)
		}
		var file *os.File
		if err == nil {
			file, err = os.Open(filepath.Join(p.dir, name)) //nolint:gosec // a UUID, checked above
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("a part is gone: %w", err), c.Close())
		}
		c.size += size
		c.files, c.ends = append(c.files, file), append(c.ends, c.size)
	}
	return c, nil
}

// ReadAt implements [io.ReaderAt] for reads within the content.
func (c *content) ReadAt(p []byte, at int64) (int, error) {
	if c.files == nil {
		return bytes.NewReader(c.bytes).ReadAt(p, at)
	}
	start := int64(0)
	for i, end := range c.ends {
		if at < end {
			n, err := c.files[i].ReadAt(p[:min(int64(len(p)), end-at)], at-start)
			if n > 0 {
				err = nil // the next read goes on
			}
			return n, err
		}
		start = end
	}
	return 0, io.EOF
}

// Close closes the files.
func (c *content) Close() error {
	var trouble []error
	for _, file := range c.files {
		trouble = append(trouble, file.Close())
	}
	return errors.Join(trouble...)
}
