package event

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"

	"github.com/google/uuid"

	"etl-dataloader/internal/copybinary"
)

// Summary counts the events of a chunk and sums their checksums, so that what is
// in the table can be compared with what was meant to be written.
type Summary struct {
	Events      int64  `json:"events"`
	Enriched    int64  `json:"enriched"`
	NotEnriched int64  `json:"not_enriched"` // the source did not answer
	Checksum    Sum    `json:"checksum"`
	FirstEvent  string `json:"first_event,omitempty"`
	LastEvent   string `json:"last_event,omitempty"`

	scratch []byte
}

// Sum is an order-independent sum of 64-bit checksums, exact at any number of
// them. It travels as decimal text.
type Sum struct{ n big.Int }

// MarshalText writes the sum in decimal.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.n.String()), nil }

// UnmarshalText reads a decimal sum.
func (s *Sum) UnmarshalText(text []byte) error {
	if _, ok := s.n.SetString(string(text), 10); !ok {
		return fmt.Errorf("checksum %q is no decimal number", text)
	}
	return nil
}

// ChecksumSQL is the checksum of one row of an events table, as [Summary] counts
// it: the first eight bytes, as a signed integer, of the SHA-256 of the row's
// identity and data.
const ChecksumSQL = `('x' || left(encode(sha256(convert_to(concat_ws('|', event_id, line_number, event_type, coalesce(enrichment, ''), data), 'UTF8')), 'hex'), 16))::bit(64)::bigint`

// add counts one event.
func (s *Summary) add(id uuid.UUID, line int64, eventType, enrichment string, data []byte) {
	text := append(s.scratch[:0], id.String()...)
	text = append(text, '|')
	text = strconv.AppendInt(text, line, 10)
	text = append(text, '|')
	text = append(text, eventType...)
	text = append(text, '|')
	text = append(text, enrichment...)
	text = append(text, '|')
	text = append(text, data...)
	s.scratch = text
	sum := sha256.Sum256(text)
	s.Checksum.n.Add(&s.Checksum.n, big.NewInt(int64(binary.BigEndian.Uint64(sum[:8])))) //nolint:gosec // the sign is part of the checksum
	if s.Events == 0 {
		s.FirstEvent = id.String()
	}
	s.LastEvent = id.String()
	s.Events++
	switch enrichment {
	case EnrichmentOK:
		s.Enriched++
	case EnrichmentFailed:
		s.NotEnriched++
	}
}

// AddRow counts a row of an events stream.
func (s *Summary) AddRow(row [][]byte) error {
	if len(row) != len(Columns()) {
		return fmt.Errorf("events stream: %d columns, want %d", len(row), len(Columns()))
	}
	id, err := copybinary.DecodeUUID(row[columnID])
	if err != nil {
		return err
	}
	line, err := copybinary.DecodeInt8(row[columnLine])
	if err != nil {
		return err
	}
	s.add(id, line, string(row[columnType]), string(row[columnEnrichment]), row[columnData])
	return nil
}

// Merge adds the counts and checksums of another chunk.
func (s *Summary) Merge(other Summary) {
	s.Events += other.Events
	s.Enriched += other.Enriched
	s.NotEnriched += other.NotEnriched
	s.Checksum.n.Add(&s.Checksum.n, &other.Checksum.n)
}

// String is the sum in decimal.
func (s *Sum) String() string { return s.n.String() }
