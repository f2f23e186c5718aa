// Package postgres is the only place that knows how the product talks to
// PostgreSQL: few, bounded connections a function instance, the fence and the
// ledger that make every write exactly-once, the detached tables, and what a
// SQLSTATE means for the machine.
//
// Life of a write: [Once] opens a transaction, takes the import's row at the
// writer's generation (the fence), inserts the unit's ledger row, lets the
// caller write, stores the result in the ledger and commits. A second run of the
// same unit finds the row and returns the stored result.
package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Timeouts of every session. A statement ends before its function does (900 s,
// Lambda's limit), so that the server never works for a caller that is gone.
const (
	statementTimeout = 14 * time.Minute
	idleTimeout      = 2 * time.Minute
	lockTimeout      = 30 * time.Second
)

// Secret is the database secret in the form that Amazon RDS writes.
type Secret struct {
	Host     string      `json:"host"`
	Port     json.Number `json:"port"`
	Username string      `json:"username"`
	Password string      `json:"password"`
	Database string      `json:"dbname"`
	SSLMode  string      `json:"sslmode"` // default "require"
}

// URL is the connection string of the secret.
func (s Secret) URL() string {
	mode := s.SSLMode
	if mode == "" {
		mode = "require"
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(s.Username, s.Password),
		Host: s.Host + ":" + s.Port.String(), Path: "/" + s.Database,
		RawQuery: url.Values{"sslmode": {mode}}.Encode(),
	}
	return u.String()
}

// DB is a pool of few connections, mostly of one. They are made when they are first
// used and checked after the function was frozen. It is safe for concurrent use;
// callers wait for a free one.
type DB struct {
	pool *pgxpool.Pool
}

// Open prepares a DB; it does not connect. maxConns bounds its connections.
func Open(ctx context.Context, databaseURL, application string, maxConns int32) (*DB, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("database secret: %w", err)
	}
	config.MaxConns = maxConns
	config.MaxConnIdleTime = time.Minute
	config.ConnConfig.ConnectTimeout = 10 * time.Second
	params := config.ConnConfig.RuntimeParams
	params["application_name"] = application
	params["statement_timeout"] = milliseconds(statementTimeout)
	params["idle_in_transaction_session_timeout"] = milliseconds(idleTimeout)
	params["lock_timeout"] = milliseconds(lockTimeout)
	params["tcp_keepalives_idle"] = "60"
	params["tcp_keepalives_interval"] = "10"
	params["tcp_keepalives_count"] = "3"
	params["timezone"] = "UTC"
	// Every name is qualified but that of the migrations' own table, which must
	// not be looked for in a schema named as the role.
	params["search_path"] = "public"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	return &DB{pool: pool}, nil
}

// Close ends the connections.
func (db *DB) Close() { db.pool.Close() }

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Query runs fn with a connection outside any transaction, for reads. Errors are
// classified (see [Classify]) under op.
func (db *DB) Query(ctx context.Context, op string, fn func(context.Context, *pgx.Conn) error) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return Classify(op, err)
	}
	defer conn.Release()
	return Classify(op, fn(ctx, conn.Conn()))
}
