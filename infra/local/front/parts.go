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

// content is the content of an object: the files of its references, one after the
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

// copy writes [start, end) of the content. Each file goes to the writer by itself,
// so that the kernel sends it over a connection without a copy in this process.
func (c *content) copy(to io.Writer, start, end int64) error {
	if c.files == nil {
		_, err := to.Write(c.bytes[start:end])
		return err
	}
	begin := int64(0)
	for i, file := range c.files {
		if from, until := max(start, begin), min(end, c.ends[i]); from < until {
			if _, err := file.Seek(from-begin, io.SeekStart); err != nil {
				return err
			}
			if _, err := io.CopyN(to, file, until-from); err != nil {
				return err
			}
		}
		begin = c.ends[i]
	}
	return nil
}

// Close closes the files.
func (c *content) Close() error {
	var trouble []error
	for _, file := range c.files {
		trouble = append(trouble, file.Close())
	}
	return errors.Join(trouble...)
}
