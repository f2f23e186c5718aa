package event

import (
	"bufio"
	"io"
	"sync"

	"github.com/google/uuid"
)

// idBlock is how many random bytes are read at a time: an id takes 16.
const idBlock = 4096

// NewIDs returns a function that generates event ids (UUIDv7, RFC 9562). They ascend
// in time, so an index over them grows at its end. random is crypto/rand.Reader
// except in tests; it is read in blocks, because a read for each id would cost more
// than the id. The function is safe for concurrent use.
func NewIDs(random io.Reader) func() (uuid.UUID, error) {
	var mutex sync.Mutex
	block := bufio.NewReaderSize(random, idBlock)
	return func() (uuid.UUID, error) {
		mutex.Lock()
		defer mutex.Unlock()
		return uuid.NewV7FromReader(block)
	}
}
