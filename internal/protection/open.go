package protection

import (
	"crypto/cipher"
	"encoding/binary"
)

// maxCiphers bounds how many field ciphers an Opener keeps, as the chunk that
// selects one is read from the input.
const maxCiphers = 256

// Opener decrypts values of one scope, from any of its chunks. It is not safe
// for concurrent use.
type Opener struct {
	keys  func(id uint32) (DataKey, bool)
	scope Scope

	// The scope's prefixes of the associated data; their spare capacity holds the cell.
	associated, associated1 []byte

	last    uint64 // data key id and chunk of the cipher at hand
	aead    cipher.AEAD
	ciphers map[uint64]cipher.AEAD
}

// NewOpener returns an Opener for values that were sealed under key.
func NewOpener(key DataKey, scope Scope) *Opener {
	return newKeyringOpener(func(id uint32) (DataKey, bool) { return key, id == key.id }, scope)
}

// newKeyringOpener returns an Opener that asks keys for the data key of each id
// that it finds in a header, once per chunk. The lookup must be cheap, because the ids
// come from the input.
func newKeyringOpener(keys func(id uint32) (DataKey, bool), scope Scope) *Opener {
	return &Opener{
		keys: keys, scope: scope, ciphers: make(map[uint64]cipher.AEAD),
		associated: associatedPrefix(Version, scope), associated1: associatedPrefix(version1, scope),
	}
}

// Open appends the plaintext of a value that [Sealer.Seal] made for the same
// scope, record and column to dst and returns the result. If the value does not
// open the error is [ErrOpen] and dst is returned as it was given. The spare
// capacity of dst must not overlap sealed. A value of version 1 opens in any record
// of its line, as its key was not bound.
func (o *Opener) Open(dst []byte, of Record, column string, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return dst, ErrOpen
	}
	var prefix *[]byte
	switch sealed[0] {
	case Version:
		prefix = &o.associated
	case version1:
		prefix, of.Key = &o.associated1, nil
	default:
		return dst, ErrOpen
	}
	aead := o.cipher(binary.BigEndian.Uint64(sealed[1:headerSize]))
	if aead == nil {
		return dst, ErrOpen
	}
	cell := appendCell(*prefix, column, of)
	*prefix = cell[:len(*prefix)] // keeps a grown buffer
	plain, err := aead.Open(dst, nil, sealed[headerSize:], cell)
	if err != nil {
		return dst, ErrOpen
	}
	return plain, nil
}

// cipher returns the field cipher for a data key id (high 32 bits) and a chunk
// (low 32 bits), nil if there is none.
func (o *Opener) cipher(id uint64) cipher.AEAD {
	if o.aead != nil && o.last == id {
		return o.aead
	}
	aead, ok := o.ciphers[id]
	if !ok {
		keyID, chunk := uint32(id>>32), uint32(id) //nolint:gosec // the two halves
		key, known := o.keys(keyID)
		if !known || !key.valid() || key.id != keyID {
			return nil
		}
		var err error
		if aead, err = fieldCipher(key, o.scope, chunk); err != nil {
			return nil
		}
		if len(o.ciphers) == maxCiphers {
			clear(o.ciphers)
		}
		o.ciphers[id] = aead
	}
	o.last, o.aead = id, aead
	return aead
}
