package event

import (
	"encoding/binary"
	"math/bits"
)

// hashBytes is PostgreSQL's hash_bytes_extended, which hashtextextended,
// uuid_hash_extended and, over eight bytes folded to four, hashint8extended use:
// Bob Jenkins' lookup3, seeded. It detects faults, not forgery. PostgreSQL partitions
// tables by these values, so they are the same in all its versions; on a big-endian
// server they would differ.
func hashBytes(data []byte, seed uint64) uint64 {
	a := uint32(0x9e3779b9) + uint32(len(data)) + 3923095 //nolint:gosec // wraps as in C
	b, c := a, a
	if seed != 0 {
		var words [12]byte // two of the seed, and one that adds nothing
		binary.LittleEndian.PutUint32(words[:], uint32(seed>>32))
		binary.LittleEndian.PutUint32(words[4:], uint32(seed)) //nolint:gosec // the low half
		a, b, c = mix(a, b, c, words[:])
	}
	a, b, c = mix(a, b, c, data)
	data = data[len(data)-len(data)%12:]
	var rest [12]byte // the lowest byte of c is left to the length
	copy(rest[:], data[:min(len(data), 8)])
	if len(data) > 8 {
		copy(rest[9:], data[8:])
	}
	a += binary.LittleEndian.Uint32(rest[:])
	b += binary.LittleEndian.Uint32(rest[4:])
	c += binary.LittleEndian.Uint32(rest[8:])
	return final(a, b, c)
}

// hashInt8 is PostgreSQL's hashint8extended: the halves are folded so that equal
// values of the shorter integer types have equal hashes.
func hashInt8(value int64, seed uint64) uint64 {
	low, high := uint32(value), uint32(value>>32) //nolint:gosec // the two halves
	if value < 0 {
		high = ^high
	}
	var folded [4]byte
	binary.LittleEndian.PutUint32(folded[:], low^high)
	return hashBytes(folded[:], seed)
}

// mix adds every whole 12 bytes of data to lookup3's three words, and mixes these
// into each other. The words stay in registers from one round to the next.
func mix(a, b, c uint32, data []byte) (uint32, uint32, uint32) {
	for ; len(data) >= 12; data = data[12:] {
		a += binary.LittleEndian.Uint32(data)
		b += binary.LittleEndian.Uint32(data[4:])
		c += binary.LittleEndian.Uint32(data[8:])
		a, c = (a-c)^bits.RotateLeft32(c, 4), c+b
		b, a = (b-a)^bits.RotateLeft32(a, 6), a+c
		c, b = (c-b)^bits.RotateLeft32(b, 8), b+a
		a, c = (a-c)^bits.RotateLeft32(c, 16), c+b
		b, a = (b-a)^bits.RotateLeft32(a, 19), a+c
		c, b = (c-b)^bits.RotateLeft32(b, 4), b+a
	}
	return a, b, c
}

// final mixes the last words into the hash.
func final(a, b, c uint32) uint64 {
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	c = (c ^ b) - bits.RotateLeft32(b, 24)
	return uint64(b)<<32 | uint64(c)
}
