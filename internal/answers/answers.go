// Package answers owns the layout of an answers object: what an enrichment source
// answered for the valid records of a chunk. Enrich writes it with a [Writer], and
// Transform reads it beside the staged rows with a [Reader].
//
// The object is a COPY binary stream with one row per valid record, in the order of
// the lines: line number, status, cause of a failure (NULL unless it failed), and the
// enriched fields as a JSON object (NULL unless the source knows the key). It holds no
// key. Neither side keeps more than a row in memory.
package answers

import (
	"errors"
	"fmt"
	"io"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
)

// Positions of the columns of Stream.
const (
	columnLine    = 0
	columnStatus  = 1
	columnError   = 2
	columnValues  = 3
	streamColumns = 4
)

// Stream returns the columns of an answers object, in order.
func Stream() []contract.Column {
	return []contract.Column{
		{Name: "line_number", SQLType: "bigint"},
		{Name: "status", SQLType: "text"},
		{Name: "error", SQLType: "text"},
		{Name: "values", SQLType: "json"},
	}
}

// Counts sums up the answers for a chunk.
type Counts struct {
	Records     int64 `json:"records"` // valid records: all that were to be enriched
	Enriched    int64 `json:"enriched"`
	NotFound    int64 `json:"not_found"`    // the source does not know the key
	NotEnriched int64 `json:"not_enriched"` // the source did not answer
	// Failed counts those by the code of the cause.
	Failed map[string]int64 `json:"failed,omitempty"`
}

func (c *Counts) add(answer event.Enrichment) {
	c.Records++
	switch answer.Status {
	case etl.EnrichmentOK:
		c.Enriched++
	case etl.EnrichmentNotFound:
		c.NotFound++
	case etl.EnrichmentFailed:
		c.NotEnriched++
		if c.Failed == nil {
			c.Failed = map[string]int64{}
		}
		c.Failed[answer.Error]++
	}
}

// Writer writes the answers for a chunk and counts them.
type Writer struct {
	rows   *copybinary.Writer
	counts Counts
}

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer { return &Writer{rows: copybinary.NewWriter(w)} }

// Write writes the answer for the record of a line. Lines must ascend.
func (w *Writer) Write(line int64, answer event.Enrichment) error {
	w.rows.Row(streamColumns)
	w.rows.Int8(line)
	w.rows.String(string(answer.Status))
	if answer.Error == "" {
		w.rows.Null()
	} else {
		w.rows.String(answer.Error)
	}
	w.rows.Field(answer.Values)
	w.counts.add(answer)
	return w.rows.Err()
}

// Counts sums up the answers written so far.
func (w *Writer) Counts() Counts { return w.counts }

// Close ends the stream and returns its first error.
func (w *Writer) Close() error { return w.rows.Close() }

// Reader reads the answers for a chunk.
type Reader struct{ rows *copybinary.Reader }

// NewReader returns a Reader on r.
func NewReader(r io.Reader) *Reader { return &Reader{rows: copybinary.NewReader(r)} }

// Next returns the next answer and its line; the answer is valid until the next call.
// After the last one the error is [io.EOF].
func (r *Reader) Next() (line int64, answer event.Enrichment, err error) {
	row, err := r.rows.Next()
	if err != nil {
		return 0, event.Enrichment{}, err
	}
	if len(row) != streamColumns {
		return 0, event.Enrichment{}, fmt.Errorf("answers: %d columns, want %d", len(row), streamColumns)
	}
	if line, err = copybinary.DecodeInt8(row[columnLine]); err != nil {
		return 0, event.Enrichment{}, err
	}
	return line, event.Enrichment{Status: status(row[columnStatus]), Error: string(row[columnError]), Values: row[columnValues]}, nil
}

// status returns a status without allocating for one that is known.
func status(cell []byte) etl.Enrichment {
	for _, s := range []etl.Enrichment{etl.EnrichmentOK, etl.EnrichmentNotFound, etl.EnrichmentFailed} {
		if string(cell) == string(s) {
			return s
		}
	}
	return etl.Enrichment(cell)
}

// Each passes the answers of a stream and counts them; an answer is valid until visit
// returns.
func Each(r io.Reader, visit func(line int64, answer event.Enrichment) error) (Counts, error) {
	var counts Counts
	reader := NewReader(r)
	for {
		line, answer, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return counts, nil
		}
		if err != nil {
			return counts, err
		}
		counts.add(answer)
		if err := visit(line, answer); err != nil {
			return counts, err
		}
	}
}
