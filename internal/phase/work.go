package phase

import (
	"context"

	"etl-dataloader/internal/objectstore"
)

// WorkObjects are the intermediate results of imports, in the work bucket.
type WorkObjects struct{ Store *objectstore.Store }

// Drop deletes all versions of the work objects of a generation of an import, and
// returns how many versions there were. Reports are not among them. It may be
// repeated, and fails with *[fault.Transient] if S3 did not answer.
func (w WorkObjects) Drop(ctx context.Context, importID string, generation int) (int, error) {
	return w.Store.DeleteAll(ctx, Import{ImportID: importID, Generation: generation}.prefix())
}
