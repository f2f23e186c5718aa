package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// File is one object version of an import.
type File struct {
	Resource  string
	File      string // name without its prefix
	Key       string
	VersionID string
	Bytes     int64
}

// AddFile stores a file of the import.
func (t *Tx) AddFile(ctx context.Context, f File) error {
	_, err := t.tx.Exec(ctx, `INSERT INTO etl.files (import_id, generation, resource, file, object_key, version_id, size_bytes)
				VALUES ($1, $2, $3, $4, $5, $6, $7)`, t.unit.ImportID, t.unit.Generation, f.Resource, f.File, f.Key, f.VersionID, f.Bytes)
	return err
}

// SetRecords stores how many records the file of a resource has, and returns the
// file's name.
func (t *Tx) SetRecords(ctx context.Context, resource string, records int64) (file string, err error) {
	err = t.tx.QueryRow(ctx, `UPDATE etl.files SET records = $4 WHERE (import_id, generation, resource) = ($1, $2, $3) RETURNING file`,
		t.unit.ImportID, t.unit.Generation, resource, records).Scan(&file)
	return file, err
}

// Refusal is why the file of a resource is refused as a whole.
type Refusal struct{ Resource, Reason string }

// RefuseFiles stores refusals. It may be repeated, and fails with
// *[fault.Superseded] if the generation is not the current one.
func (db *DB) RefuseFiles(ctx context.Context, importID string, generation int, refusals []Refusal) error {
	return db.Query(ctx, "refused files of "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := fence(ctx, tx, importID, generation); err != nil {
				return err
			}
			for _, r := range refusals {
				if _, err := tx.Exec(ctx, `UPDATE etl.files SET status = $4, reason = $5 WHERE (import_id, generation, resource) = ($1, $2, $3)`,
					importID, generation, r.Resource, etl.FileRejected, message.Text(r.Reason)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// RefusedBefore returns the resources whose files are refused, except those in but.
// It returns none once Plan has succeeded: what CrossCheck refuses stays refused.
func (db *DB) RefusedBefore(ctx context.Context, importID string, generation int, but []string) (resources []string, err error) {
	err = db.Query(ctx, "refused files of "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT resource FROM etl.files WHERE (import_id, generation, status) = ($1, $2, $3) AND resource <> ALL ($4)
			AND NOT EXISTS (SELECT FROM etl.ledger WHERE (import_id, generation, phase) = ($1, $2, 'Plan'))`,
			importID, generation, etl.FileRejected, but)
		if err != nil {
			return err
		}
		resources, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return resources, err
}

// TakeFilesBack withdraws the refusal of files. It may be repeated, and fails with
// *[fault.Superseded] if the generation is not the current one.
func (db *DB) TakeFilesBack(ctx context.Context, importID string, generation int, resources []string) error {
	return db.Query(ctx, "files of "+importID+" that are not refused any more", func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := fence(ctx, tx, importID, generation); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `UPDATE etl.files SET status = NULL, reason = NULL WHERE (import_id, generation) = ($1, $2) AND resource = ANY ($3)`,
				importID, generation, resources)
			return err
		})
	})
}

// FileCounts are the records of one file by outcome.
type FileCounts struct {
	Resource, File        string
	Read, Valid, Rejected int64
	// CrossRejected counts those of Rejected that no rule over one record rejects.
	CrossRejected int64
	CrossErrors   int64 // errors found by the rules over more than one record
}

// SettleFiles counts valid and rejected records and gives each file its status.
func (t *Tx) SettleFiles(ctx context.Context) ([]FileCounts, error) {
	rows, err := t.tx.Query(ctx, `
		UPDATE etl.files f SET rejected = r.rejected, valid = f.records - r.rejected, reason = NULL,
			status = CASE WHEN r.rejected = 0 THEN $3 ELSE $4 END
		FROM (SELECT f.resource, count(r.line_number) AS rejected FROM etl.files f
			LEFT JOIN etl.rejects r USING (import_id, generation, resource)
			WHERE f.import_id = $1 AND f.generation = $2 GROUP BY f.resource) r
		WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = r.resource
		RETURNING f.resource, f.file, f.records, f.valid, f.rejected,
			f.rejected - coalesce((SELECT sum((l.result->>'rejected')::bigint) FROM etl.ledger l WHERE l.import_id = $1
				AND l.generation = $2 AND l.phase = 'Validate' AND l.resource = f.resource), 0)::bigint,
			(SELECT count(*) FROM etl.errors e WHERE e.import_id = $1 AND e.generation = $2 AND e.resource = f.resource AND e.chunk IS NULL)`,
		t.unit.ImportID, t.unit.Generation, etl.FileValid, etl.FileWithRejects)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[FileCounts])
}

// Validated adds up the ledger's results of the chunks of the unit's resource that
// were validated so far. records is the number of records in the file.
func (t *Tx) Validated(ctx context.Context) (records, read, rejected int64, err error) {
	err = t.tx.QueryRow(ctx, `SELECT f.records, coalesce(sum((l.result->>'read')::bigint), 0)::bigint, coalesce(sum((l.result->>'rejected')::bigint), 0)::bigint
		FROM etl.files f LEFT JOIN etl.ledger l ON (l.import_id, l.generation, l.resource, l.phase) = (f.import_id, f.generation, f.resource, 'Validate')
		WHERE (f.import_id, f.generation, f.resource) = ($1, $2, $3) GROUP BY f.records`,
		t.unit.ImportID, t.unit.Generation, t.unit.Resource).Scan(&records, &read, &rejected)
	return records, read, rejected, err
}
