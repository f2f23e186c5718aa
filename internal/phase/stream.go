package phase

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
)

// schemaKey is the metadata key under which a COPY stream names the columns that it
// was made for.
const schemaKey = "schema"

// schemaOf returns the metadata of a stream for a table with these columns.
func schemaOf(columns []contract.Column) map[string]string {
	sum := sha256.New()
	for _, c := range columns {
		_, _ = fmt.Fprintf(sum, "%s %s\n", c.Name, c.SQLType)
	}
	return map[string]string{schemaKey: hex.EncodeToString(sum.Sum(nil)[:8])}
}

// openStream opens a COPY stream and refuses one that was made for other columns.
func openStream(ctx context.Context, store *objectstore.Store, object objectstore.Object, columns []contract.Column) (objectstore.Body, error) {
	body, err := store.Open(ctx, object.Key, object.VersionID)
	if err != nil {
		return objectstore.Body{}, err
	}
	if body.Metadata[schemaKey] != schemaOf(columns)[schemaKey] {
		_ = body.Close()
		return objectstore.Body{}, &fault.Incompatible{Object: object.Key, Reason: otherSchema}
	}
	return body, nil
}

// hashed reads a stream, and can check at the end that it is the expected object.
type hashed struct {
	io.Reader
	sum  hash.Hash
	want objectstore.Object
}

func newHashed(r io.Reader, want objectstore.Object) *hashed {
	sum := objectstore.NewChecksum()
	return &hashed{Reader: io.TeeReader(r, sum), sum: sum, want: want}
}

// check reads the rest of the stream and compares its hash.
func (h *hashed) check() error {
	if _, err := io.Copy(io.Discard, h.Reader); err != nil {
		return err
	}
	if objectstore.ChecksumText(h.sum) != h.want.Checksum {
		return &fault.Incompatible{Object: h.want.Key, Reason: otherContent}
	}
	return nil
}
