package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// Restart ends imp's generation of an import: in one transaction it ends the sessions
// that still write for it, moves the import to the next generation and drops what was
// partially imported. The data key stays. It returns the new generation. An import
// that never reached the database gets a row at the new generation, so that a late
// Open of the old one is superseded.
//
// It fails with *[fault.Refused] if imp's generation was published, unless force is
// set: then only its staged records are dropped, and readers keep seeing it, with its
// errors, until a later generation replaces it. It fails with *[fault.Superseded] if
// the import is already past the next generation. After a failure it may be called
// again with the same imp.
func (db *DB) Restart(ctx context.Context, imp registry.Import, force bool) (int, error) {
	return imp.Generation + 1, db.retire(ctx, imp, force, etl.StatusRunning)
}

// Abandon gives up an import: neither its generation nor a late twin can write or
// publish anything any more. What an earlier generation published stays. Calling it
// again changes nothing. Like [DB.Restart] it creates the row of an import that never
// reached the database, and it fails in the same cases.
func (db *DB) Abandon(ctx context.Context, imp registry.Import) error {
	return db.retire(ctx, imp, false, etl.StatusAbandoned)
}

func (db *DB) retire(ctx context.Context, imp registry.Import, force bool, status etl.Status) error {
	importID, generation := imp.ImportID, imp.Generation
	return db.Query(ctx, "retire "+importID, func(ctx context.Context, conn *pgx.Conn) error {
		if err := endSessions(ctx, conn, sessionName(importID, generation)); err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			published, err := moveOn(ctx, tx, imp, force, status)
			if err != nil {
				return err
			}
			if published == generation {
				return dropLeaves(ctx, tx, importID, generation, true)
			}
			if err := dropLeaves(ctx, tx, importID, generation, false); err != nil {
				return err
			}
			return dropRecords(ctx, tx, importID, generation)
		})
	})
}

// moveOn moves the row of an import to its next generation, creating it if there is
// none, and returns the published generation, 0 for none. It also moves a row that is
// further behind than imp: earlier versions created no row at a restart, which left
// such rows.
func moveOn(ctx context.Context, tx pgx.Tx, imp registry.Import, force bool, status etl.Status) (published int, err error) {
	if _, err := tx.Exec(ctx, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash)
		VALUES ($1, $2, $3, $5, $4, '') ON CONFLICT DO NOTHING`, imp.ImportID, imp.Mode, imp.FileDate, imp.Generation, etl.StatusRunning); err != nil {
		return 0, err
	}
	if err := tx.QueryRow(ctx, `SELECT coalesce(published_generation, 0) FROM etl.imports WHERE import_id = $1 FOR UPDATE`,
		imp.ImportID).Scan(&published); err != nil {
		return 0, err
	}
	if published == imp.Generation && !force {
		return published, &fault.Refused{ImportID: imp.ImportID, Reason: alreadyPublished}
	}
	tag, err := tx.Exec(ctx, `UPDATE etl.imports SET generation = $2 + 1, status = $3, failed_step = NULL, failed_reason = NULL, updated_at = now()
		WHERE import_id = $1 AND generation <= $2 + 1`, imp.ImportID, imp.Generation, status)
	if err == nil && tag.RowsAffected() != 1 {
		err = &fault.Superseded{ImportID: imp.ImportID, Generation: imp.Generation}
	}
	return published, err
}

// endSessions ends the sessions called name whose role's rights this role has. Any
// login can take the name, so it leaves other sessions alone. It is not a failure if a
// session cannot be ended: the generation fences off what it writes.
func endSessions(ctx context.Context, conn *pgx.Conn, name string) error {
	rows, err := conn.Query(ctx, `SELECT pid FROM pg_stat_activity WHERE application_name = $1
		AND datname = current_database() AND pid <> pg_backend_pid() AND pg_has_role(usesysid, 'USAGE')`, name)
	if err != nil {
		return err
	}
	sessions, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return err
	}
	for _, pid := range sessions {
		_, err := conn.Exec(ctx, `SELECT pg_terminate_backend($1, 5000)`, pid)
		if server, ok := errors.AsType[*pgconn.PgError](err); ok && deniedState(server.Code) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
