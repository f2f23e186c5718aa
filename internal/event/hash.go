package event

import (
	"encoding/binary"
	"math/bits"
)

// hashBytes is PostgreSQL's hash_bytes_extended, which hashtextextended,
// uuid_hash_extended and, over eight bytes folded to four, hashint8extended use:
// Bob Jenkins' lookup3, seeded. It finds faults; it keeps nobody from forging.
// PostgreSQL partitions tables by these values, so they do not change between
// its versions; on a big-endian server they would differ.
func hashBytes(data []byte, seed uint64) uint64 {
	start := uint32(0x9e3779b9) + uint32(len(data)) + 3923095 //nolint:gosec // wraps as in C
	s := state{start, start, start}
	if seed != 0 {
		s.a += uint32(seed >> 32)
		s.b += uint32(seed) //nolint:gosec // the low half
		s.mix()
	}
	for ; len(data) >= 12; data = data[12:] {
		s.a += binary.LittleEndian.Uint32(data)
		s.b += binary.LittleEndian.Uint32(data[4:])
		s.c += binary.LittleEndian.Uint32(data[8:])
		s.mix()
	}
	var rest [12]byte // the lowest byte of c is left to the length
	copy(rest[:], data[:min(len(data), 8)])
	if len(data) > 8 {
		copy(rest[9:], data[8:])
	}
	s.a += binary.LittleEndian.Uint32(rest[:])
	s.b += binary.LittleEndian.Uint32(rest[4:])
	s.c += binary.LittleEndian.Uint32(rest[8:])
	s.final()
	return uint64(s.b)<<32 | uint64(s.c)
}

// hashInt8 is PostgreSQL's hashint8extended: the halves are folded so that equal
// values of the shorter integer types hash alike.
func hashInt8(value int64, seed uint64) uint64 {
	low, high := uint32(value), uint32(value>>32) //nolint:gosec // the two halves
	if value < 0 {
		high = ^high
	}
	var folded [4]byte
	binary.LittleEndian.PutUint32(folded[:], low^high)
	return hashBytes(folded[:], seed)
}

// state is lookup3's: three words that are mixed into each other.
type state struct{ a, b, c uint32 }

func (s *state) mix() {
	a, b, c := s.a, s.b, s.c
	a, c = (a-c)^bits.RotateLeft32(c, 4), c+b
	b, a = (b-a)^bits.RotateLeft32(a, 6), a+c
	c, b = (c-b)^bits.RotateLeft32(b, 8), b+a
	a, c = (a-c)^bits.RotateLeft32(c, 16), c+b
	b, a = (b-a)^bits.RotateLeft32(a, 19), a+c
	c, b = (c-b)^bits.RotateLeft32(b, 4), b+a
	s.a, s.b, s.c = a, b, c
}

func (s *state) final() {
	a, b, c := s.a, s.b, s.c
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	c = (c ^ b) - bits.RotateLeft32(b, 24)
	s.a, s.b, s.c = a, b, c
}
