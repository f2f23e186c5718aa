package protection

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// Sealer encrypts the sensitive values of one chunk. It is not safe for
// concurrent use.
type Sealer struct {
	aead       cipher.AEAD
	header     [headerSize]byte
	associated []byte // the scope's prefix; its spare capacity holds the cell
	seals      int
}

// NewSealer returns a Sealer for one chunk of the scope. It fails if key is the
// zero DataKey or was wiped, the scope has no import or resource, or the chunk's index does
// not fit the header (0 to 2^32-1).
func NewSealer(key DataKey, scope Scope, chunk int) (*Sealer, error) {
	switch {
	case !key.valid():
		return nil, fmt.Errorf("protection: seal %s of %s: no data key", scope.Resource, scope.ImportID)
	case scope.ImportID == "" || scope.Resource == "" || scope.Generation < 0:
		return nil, fmt.Errorf("protection: incomplete scope: import %q, generation %d, resource %q",
			scope.ImportID, scope.Generation, scope.Resource)
	case chunk < 0 || int64(chunk) > math.MaxUint32:
		return nil, fmt.Errorf("protection: seal %s of %s: chunk %d is out of range", scope.Resource, scope.ImportID, chunk)
	}
	aead, err := fieldCipher(key, scope, uint32(chunk))
	if err != nil {
		return nil, fmt.Errorf("protection: seal %s of %s, chunk %d: %w", scope.Resource, scope.ImportID, chunk, err)
	}
	s := &Sealer{aead: aead, associated: associatedPrefix(Version, scope)}
	s.header[0] = Version
	binary.BigEndian.PutUint32(s.header[1:5], key.id)
	binary.BigEndian.PutUint32(s.header[5:9], uint32(chunk))
	return s, nil
}

// Seal appends the sealed form of plaintext, [Overhead] bytes longer than it,
// to dst and returns the result. It opens only for the same record and column.
// The spare capacity of dst must not overlap plaintext.
//
// Every call draws a new random nonce from the standard library's generator, so
// sealing a chunk again, by a retry or a late twin, repeats none. Seal panics after
// [MaxSeals] values; no chunk that a function can process has as many.
func (s *Sealer) Seal(dst []byte, of Record, column string, plaintext []byte) []byte {
	if s.seals == MaxSeals {
		panic("protection: too many values for one field key")
	}
	s.seals++
	prefix := len(s.associated)
	cell := appendCell(s.associated, column, of)
	dst = append(dst, s.header[:]...)
	dst = s.aead.Seal(dst, nil, plaintext, cell) //nolint:gosec // the cipher draws its nonces itself
	s.associated = cell[:prefix]                 // keeps a grown buffer
	return dst
}

// fieldCipher derives the field key of one chunk and returns AES-256-GCM under
// it, which draws and prepends its nonces itself. The data key is uniformly
// random, so HKDF needs no salt (RFC 5869, section 3.1).
func fieldCipher(key DataKey, scope Scope, chunk uint32) (cipher.AEAD, error) {
	info := appendItem(nil, fieldKeyLabel)
	info = appendItem(info, scope.ImportID)
	info = appendNumber(info, int64(scope.Generation))
	info = appendItem(info, scope.Resource)
	info = appendNumber(info, int64(chunk))
	fieldKey, err := hkdf.Key(sha256.New, key.secret.bytes[:], nil, string(info), KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive field key: %w", err)
	}
	block, err := aes.NewCipher(fieldKey)
	clear(fieldKey)
	if err != nil {
		return nil, fmt.Errorf("field cipher: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
