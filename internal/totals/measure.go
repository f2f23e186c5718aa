package totals

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"etl-dataloader/internal/record"
)

// Meter passes the bytes of a file through, and counts and hashes them. It is not safe for
// concurrent use.
type Meter struct {
	r     io.Reader
	bytes int64
	sum   hash.Hash
}

// NewMeter returns a meter that reads from r.
func NewMeter(r io.Reader) *Meter { return &Meter{r: r, sum: sha256.New()} }

// Read implements io.Reader; its errors are those of the underlying reader.
func (m *Meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.bytes += int64(n)
	m.sum.Write(p[:n])
	return n, err
}

// Total returns the total of a file with that many records, all of whose bytes were
// read.
func (m *Meter) Total(records int64) Total {
	t := Total{Records: records, Bytes: m.bytes}
	m.sum.Sum(t.SHA256[:0])
	return t
}

// Measure reads a whole file once and returns its total, in memory that does not
// grow with the file. For a file that is faulty as a whole it returns bytes and hash,
// but no records. It fails with the error of r.
func Measure(r io.Reader, layout record.Layout) (Total, error) {
	m := NewMeter(r)
	scan, err := record.Cut(m, layout, record.Limits{}, func(record.Chunk) error { return nil })
	if _, faulty := errors.AsType[*record.FileError](err); faulty {
		scan.Records = 0
	} else if err != nil {
		return Total{}, fmt.Errorf("totals: %w", err)
	}
	if _, err := io.Copy(io.Discard, m); err != nil {
		return Total{}, fmt.Errorf("totals: read: %w", err)
	}
	return m.Total(scan.Records), nil
}
