package event

import (
	"bufio"
	"io"
	"sync"

	"github.com/google/uuid"
)

// idBlock is how many random bytes are read at a time: an id takes 16.
const idBlock = 4096

// NewIDs returns a maker of event ids (UUIDv7, RFC 9562): they ascend in time, so
// that an index over them grows at its end. random is crypto/rand.Reader but in
// tests; it is read in blocks, as a read for each id costs more than the id. The
// maker is safe for concurrent use.
func NewIDs(random io.Reader) func() (uuid.UUID, error) {
	var mutex sync.Mutex
	block := bufio.NewReaderSize(random, idBlock)
	return func() (uuid.UUID, error) {
		mutex.Lock()
		defer mutex.Unlock()
		return uuid.NewV7FromReader(block)
	}
}
