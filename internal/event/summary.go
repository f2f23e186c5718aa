package event

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/google/uuid"

	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
)

// Summary counts the events of a chunk and adds up their checksums, so that the table
// can be compared with what should have been written.
type Summary struct {
	Events      int64     `json:"events"`
	Enriched    int64     `json:"enriched"`
	NotEnriched int64     `json:"not_enriched"` // the source did not answer
	Checksum    Sum       `json:"checksum"`
	FirstEvent  uuid.UUID `json:"first_event,omitzero"`
	LastEvent   uuid.UUID `json:"last_event,omitzero"`
}

// Sum is an order-independent sum of signed 64-bit checksums, exact for up to 2^63 of
// them. It is encoded as decimal text.
type Sum struct {
	high int64 // of 128 bits, in two's complement
	low  uint64
}

// add adds one checksum, signed as in PostgreSQL.
func (s *Sum) add(checksum int64) {
	s.merge(Sum{high: checksum >> 63, low: uint64(checksum)}) //nolint:gosec // two's complement
}

func (s *Sum) merge(other Sum) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, other.low, 0)
	s.high += other.high + int64(carry) //nolint:gosec // 0 or 1
}

// MarshalText writes the sum in decimal.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a decimal sum.
func (s *Sum) UnmarshalText(text []byte) error {
	n, ok := new(big.Int).SetString(string(text), 10)
	if !ok || n.BitLen() > 126 {
		return fmt.Errorf("checksum %q is no decimal number", text)
	}
	s.high = new(big.Int).Rsh(n, 64).Int64()
	s.low = new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1)).Uint64()
	return nil
}

// String returns the sum in decimal.
func (s *Sum) String() string {
	n := new(big.Int).Lsh(big.NewInt(s.high), 64)
	return n.Add(n, new(big.Int).SetUint64(s.low)).String()
}

// ChecksumSQL is the SQL expression of the checksum of one row of an events table, as
// [Summary] computes it: PostgreSQL's own 64-bit hash of the row's identity and data, each value
// seeded with the hash of those before it.
const ChecksumSQL = `hashtextextended(data::text, hashtextextended(coalesce(enrichment, ''), hashtextextended(event_type, hashint8extended(line_number, uuid_hash_extended(event_id, 0)))))`

// checksum computes the same value.
func checksum(id uuid.UUID, line int64, eventType string, enrichment etl.Enrichment, data []byte) int64 {
	hash := hashInt8(line, hashBytes(id[:], 0))
	hash = hashBytes([]byte(enrichment), hashBytes([]byte(eventType), hash))
	return int64(hashBytes(data, hash)) //nolint:gosec // the sign is part of the checksum
}

// add counts one event.
func (s *Summary) add(id uuid.UUID, line int64, eventType string, enrichment etl.Enrichment, data []byte) {
	s.Checksum.add(checksum(id, line, eventType, enrichment, data))
	if s.Events == 0 {
		s.FirstEvent = id
	}
	s.LastEvent = id
	s.Events++
	switch enrichment {
	case etl.EnrichmentOK:
		s.Enriched++
	case etl.EnrichmentFailed:
		s.NotEnriched++
	}
}

// Identify returns the id and the line number of a row of an events stream.
func Identify(row [][]byte) (id uuid.UUID, line int64, err error) {
	if id, err = copybinary.DecodeUUID(row[columnID]); err != nil {
		return id, 0, err
	}
	line, err = copybinary.DecodeInt8(row[columnLine])
	return id, line, err
}

// AddRow counts a row of an events stream.
func (s *Summary) AddRow(row [][]byte) error {
	if len(row) != streamColumns {
		return fmt.Errorf("events stream: %d columns, want %d", len(row), streamColumns)
	}
	id, line, err := Identify(row)
	if err != nil {
		return err
	}
	s.add(id, line, string(row[columnType]), etl.Enrichment(row[columnEnrichment]), row[columnData])
	return nil
}

// Merge adds the counts and checksums of another chunk.
func (s *Summary) Merge(other Summary) {
	s.Events += other.Events
	s.Enriched += other.Enriched
	s.NotEnriched += other.NotEnriched
	s.Checksum.merge(other.Checksum)
}
