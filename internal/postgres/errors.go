package postgres

import "context"

// RejectErrors rejects the records of a chunk, on lines first to last, that have
// errors. It reads the errors of those lines alone: those of the whole file, read
// for each of its chunks, would be quadratic.
func (t *Tx) RejectErrors(ctx context.Context, chunk Unit, first, last int64) error {
	_, err := t.tx.Exec(ctx, `INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT DISTINCT import_id, generation, resource, line_number FROM etl.errors
		WHERE import_id = $1 AND generation = $2 AND resource = $3 AND chunk = $4 AND line_number BETWEEN $5 AND $6`,
		chunk.ImportID, chunk.Generation, chunk.Resource, chunk.Chunk, first, last)
	return err
}
