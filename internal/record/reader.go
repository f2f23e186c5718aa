package record

import (
	"errors"
	"fmt"
	"io"
)

// Reader yields the records of one chunk. It is not safe for concurrent use.
type Reader struct {
	records splitter
	decoder decoder
	chunk   Chunk
	count   int64 // records so far
	span    span
	record  Record
	values  []Value
	err     error // what ended the reading, returned from then on
}

// NewReader returns a reader for one chunk; r must yield the bytes of the chunk and
// then end. chunk and header are those that [Cut] found (header matters for CSV
// only), and layout must be the one passed to Cut.
func NewReader(r io.Reader, chunk Chunk, layout Layout, header []string) *Reader {
	return newReader(r, chunk, layout, header, defaultBounds())
}

func newReader(r io.Reader, chunk Chunk, layout Layout, header []string, size bounds) *Reader {
	layout, err := layout.normalize()
	if err != nil {
		return &Reader{err: err}
	}
	decoder, err := newDecoder(layout, header)
	if err != nil {
		return &Reader{err: err}
	}
	return &Reader{
		records: newSplitter(newWindow(r, size.buffer), chunk, layout, header, size.record),
		decoder: decoder,
		chunk:   chunk,
		values:  make([]Value, len(layout.Columns)),
	}
}

// Next returns the next record, which is valid until the next call, or io.EOF
// after the last one. Errors of the chunk's reader are wrapped, and [errors.Is] never
// takes them for io.EOF, even if that is what broke the connection. Next returns an
// error if the bytes are not those that Cut saw, because there are too few or they
// hold another number of records; a chunk with Records 0 is not checked.
func (r *Reader) Next() (*Record, error) {
	if r.err != nil {
		return nil, r.err
	}
	if err := r.records.next(&r.span); err != nil {
		r.err = r.ended(err)
		return nil, r.err
	}
	r.count++
	r.record = Record{Line: r.span.line}
	r.record.Fault = r.decoder.decode(&r.span, r.values)
	if r.record.Fault != "" {
		r.record.Raw = r.span.raw
		if r.record.Fault == FaultFields {
			r.record.Detail = r.decoder.detail(&r.span)
		}
	} else {
		r.record.Values = r.values
	}
	return &r.record, nil
}

// ended converts the error that ended the reading into the one for the caller.
func (r *Reader) ended(err error) error {
	if errors.Is(err, errCutOff) {
		return fmt.Errorf("record: chunk %d: the bytes end within a record", r.chunk.Index)
	}
	if _, faulty := errors.AsType[*FileError](err); faulty {
		return fmt.Errorf("record: chunk %d: %w", r.chunk.Index, err)
	}
	if isEnd(err) && r.chunk.Records > 0 && r.count != r.chunk.Records {
		return fmt.Errorf("record: chunk %d: %d records read, where cutting found %d", r.chunk.Index, r.count, r.chunk.Records)
	}
	return err
}
