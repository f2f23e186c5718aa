package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"etl-dataloader/migrations"
)

// Migrate brings the database to the newest version of the migrations, under a
// lock, so that two deployments do not meet. It returns the version reached.
func (db *DB) Migrate(ctx context.Context) (version int64, err error) {
	pool, err := db.open(ctx)
	if err != nil {
		return 0, Classify("migrations", err)
	}
	sqlDB := stdlib.OpenDBFromPool(pool)
	defer func() { _ = sqlDB.Close() }()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, migrations.Files, goose.WithSessionLocker(locker))
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, Classify("migrations", err)
	}
	version, err = provider.GetDBVersion(ctx)
	return version, Classify("migrations", err)
}
