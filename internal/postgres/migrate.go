package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"etl-dataloader/internal/fault"
	"etl-dataloader/migrations"
)

// VersionTable is the table that records which migrations were applied.
const VersionTable = "etl.goose_db_version"

// migrationWait is how long a deployment waits for another one to migrate.
const migrationWait = 5 * time.Minute

// Migrate applies all migrations under a lock, so that two deployments do not
// collide. It returns the version reached. It needs two connections.
//
// The lock is on a table in etl. An advisory lock could be taken by anybody who may
// connect, and nobody would see by whom.
func (db *DB) Migrate(ctx context.Context) (version int64, err error) {
	if db.maxConns < 2 {
		return 0, errors.New(migrationNeedsConnections)
	}
	err = db.Query(ctx, "migrations", func(ctx context.Context, conn *pgx.Conn) error {
		if err := requireGroups(ctx, conn); err != nil {
			return err
		}
		if err := prepareMigrations(ctx, conn); err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := lockMigrations(ctx, tx); err != nil {
				return err
			}
			pool, err := db.open(ctx)
			if err != nil {
				return err
			}
			version, err = migrate(ctx, pool)
			return err
		})
	})
	return version, err
}

// requireGroups fails unless the groups exist to which the migrations grant rights. Only
// an administrator can create them.
func requireGroups(ctx context.Context, conn *pgx.Conn) error {
	var missing bool
	err := conn.QueryRow(ctx, `SELECT count(*) < 3 FROM pg_roles WHERE rolname IN ('etl_loader', 'etl_reader', 'etl_auditor')`).Scan(&missing)
	if err == nil && missing {
		err = errors.New(migrationNeedsGroups)
	}
	return err
}

// prepareMigrations creates the schema etl and the lock's table unless they exist.
// Another deployment may do so at the same time.
func prepareMigrations(ctx context.Context, conn *pgx.Conn) error {
	for _, step := range []struct{ missing, create string }{
		{`SELECT to_regnamespace('etl') IS NULL`, `CREATE SCHEMA IF NOT EXISTS etl`},
		{`SELECT to_regclass('etl.migration_lock') IS NULL`, `CREATE TABLE IF NOT EXISTS etl.migration_lock ()`},
	} {
		var missing bool
		if err := conn.QueryRow(ctx, step.missing).Scan(&missing); err != nil {
			return err
		}
		if !missing {
			continue
		}
		if _, err := conn.Exec(ctx, step.create); err != nil && !madeMeanwhile(err) {
			return err
		}
	}
	return nil
}

// madeMeanwhile reports whether another session created the object first: IF NOT
// EXISTS does not see what is not yet committed.
func madeMeanwhile(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch server.Code {
	case "23505", "42P06", "42P07", "42710": // unique_violation, duplicate_schema, duplicate_table, duplicate_object
		return true
	default:
		return false
	}
}

// lockMigrations takes the lock until tx ends. tx is idle while the migrations run.
// Readers of the schema do not block it.
func lockMigrations(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = %d`,
		migrationWait.Milliseconds())); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `LOCK TABLE etl.migration_lock IN EXCLUSIVE MODE`)
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && server.Code == lockNotAvailable {
		return &fault.Transient{Op: "migrations", Err: errors.New(migrationRuns)}
	}
	return err
}

// migrate applies the migrations that are missing. The caller holds the lock.
func migrate(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return adoptVersions(ctx, tx) }); err != nil {
		return 0, err
	}
	sqlDB := stdlib.OpenDBFromPool(pool)
	defer func() { _ = sqlDB.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, migrations.Files, goose.WithTableName(VersionTable))
	if err != nil {
		return 0, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, err
	}
	return provider.GetDBVersion(ctx)
}

// adoptVersions copies, once, the versions that an older release of the product
// recorded in public, if this role owns the table there and the product's tables
// exist. That table stays as it is, so that the older release can be deployed again.
func adoptVersions(ctx context.Context, tx pgx.Tx) error {
	var adopt bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass('etl.goose_db_version') IS NULL AND to_regclass('etl.imports') IS NOT NULL
		AND EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = 'public' AND c.relname = 'goose_db_version' AND c.relkind = 'r' AND pg_has_role(c.relowner, 'USAGE'))`).Scan(&adopt); err != nil || !adopt {
		return err
	}
	_, err := tx.Exec(ctx, `CREATE TABLE etl.goose_db_version (
			id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
			version_id bigint NOT NULL,
			is_applied boolean NOT NULL,
			tstamp timestamp NOT NULL DEFAULT now()
		);
		INSERT INTO etl.goose_db_version (version_id, is_applied, tstamp)
			SELECT version_id, is_applied, tstamp FROM public.goose_db_version ORDER BY id`)
	return err
}
