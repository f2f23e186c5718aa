package phase

import (
	"context"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/staged"
)

// validRows are the staged rows of a chunk without its rejects.
type validRows struct {
	work     *objectstore.Store
	in       ChunkIn
	resource *contract.Resource
	object   objectstore.Object // of the staged rows
	rejected []int64            // lines, ascending
}

// validRows looks up the staged object in the ledger, and the rejects.
func (c *Common) validRows(ctx context.Context, db *postgres.DB, in ChunkIn, r *contract.Resource) (*validRows, error) {
	object, found, err := db.LedgerObject(ctx, in.unit(etl.StateStage))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &fault.Superseded{ImportID: in.Import.ImportID, Generation: in.Import.Generation}
	}
	v := &validRows{work: c.Work, in: in, resource: r, object: workObject(object)}
	v.rejected, err = db.Rejects(ctx, in.unit(etl.StateStage), in.Chunk.lines())
	return v, err
}

// workObject returns the object that a ledger row names.
func workObject(o postgres.Object) objectstore.Object {
	return objectstore.Object{Key: o.Key, VersionID: o.VersionID, Checksum: o.Checksum}
}

// ledgerObject returns a work object as a ledger row names it.
func ledgerObject(o objectstore.Object) postgres.Object {
	return postgres.Object{Key: o.Key, VersionID: o.VersionID, Checksum: o.Checksum}
}

// each passes the rows in line order; a row is valid until visit returns. It fails if
// the staged object is not the one that Stage committed, or if the rejects are not
// those of the chunk.
func (v *validRows) each(ctx context.Context, visit func(line int64, row [][]byte) error) error {
	body, err := openStream(ctx, v.work, v.object, v.resource.StagingStream())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	content := newHashed(body, v.object)
	next := 0
	if err := copybinary.Each(content, func(row [][]byte) error {
		line, err := staged.Line(row)
		if err != nil {
			return err
		}
		if next < len(v.rejected) && v.rejected[next] == line {
			next++
			return nil
		}
		if staged.Sealed(row) { // such a record must have been rejected
			return v.mismatch(notRejected(v.resource.Name, line))
		}
		return visit(line, row)
	}); err != nil {
		return err
	}
	if next != len(v.rejected) {
		return v.mismatch(CountMismatch("rejets", v.resource.Name, len(v.rejected), next))
	}
	return content.check()
}

func (v *validRows) mismatch(reason string) error {
	return &fault.Mismatch{ImportID: v.in.Import.ImportID, Reason: reason}
}
