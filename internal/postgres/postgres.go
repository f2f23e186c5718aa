// Package postgres is the only package that knows how the product talks to
// PostgreSQL: a few, bounded connections per function instance, the fence and the
// ledger that make every write exactly-once, the detached tables, and what a
// SQLSTATE means for the machine.
//
// The life of a write: [Once] opens a transaction, locks the import's row at the
// writer's generation (the fence), inserts the unit's ledger row, lets the caller
// write, stores the result in the ledger and commits. A second run of the same unit
// finds the ledger row and returns the stored result.
//
// The functions connect as the loader, which owns no table. What takes an owner's
// right, the owner's functions in the schema etl do for it (migrations/00012_logins.sql).
// Only [DB.Migrate] needs the owner's login.
package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"etl-dataloader/internal/fault"
)

// Timeouts of every session. A statement ends before its function does (900 s,
// Lambda's limit; see [DB.EndStatements] for a shorter one), so that the server never
// works for a caller that has gone.
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

// URL returns the connection string of the secret.
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

// Address returns the URL of the database. It is called at the first use, and again
// after the server refused the login, which may have changed meanwhile.
type Address func(context.Context) (string, error)

// DB is a pool of a few connections, usually one. They are opened at first use and
// checked after the function was frozen. DB is safe for concurrent use; callers wait
// for a free connection.
type DB struct {
	address     Address
	application string
	maxConns    int32
	patience    *fault.Patience
	statement   time.Duration // after which the server ends a statement

	mu   sync.Mutex
	pool *pgxpool.Pool // nil until the address is known
}

// Open prepares a DB that asks for its URL at first use, so that a caller without the
// right to know it fails in its work and not before. maxConns bounds its connections.
// What PostgreSQL refuses for lack of a right is retried with patience; nil retries
// nothing.
func Open(address Address, application string, maxConns int32, patience *fault.Patience) *DB {
	return &DB{address: address, application: application, maxConns: maxConns, patience: patience, statement: statementTimeout}
}

// EndStatements has the server end each statement after a time, for a function that ends
// earlier than others. It must be called before the first use, and returns db.
func (db *DB) EndStatements(after time.Duration) *DB {
	db.statement = after
	return db
}

// open returns the pool, creating it if there is none.
func (db *DB) open(ctx context.Context) (*pgxpool.Pool, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.pool != nil {
		return db.pool, nil
	}
	databaseURL, err := db.address(ctx)
	if err != nil {
		return nil, err
	}
	// The pool outlives the call that creates it.
	pool, err := db.newPool(context.WithoutCancel(ctx), databaseURL)
	if err == nil {
		db.pool = pool
	}
	return pool, err
}

// forget drops a pool whose login was refused, if it is still the current one.
func (db *DB) forget(pool *pgxpool.Pool) {
	db.mu.Lock()
	if db.pool != pool {
		pool = nil
	} else {
		db.pool = nil
	}
	db.mu.Unlock()
	if pool != nil {
		go pool.Close() // waits for the connections that others use
	}
}

func (db *DB) newPool(ctx context.Context, databaseURL string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("database secret: %w", err)
	}
	config.MaxConns = db.maxConns
	config.MaxConnIdleTime = time.Minute
	config.ConnConfig.ConnectTimeout = 10 * time.Second
	params := config.ConnConfig.RuntimeParams
	params["application_name"] = db.application
	params["statement_timeout"] = milliseconds(db.statement)
	params["idle_in_transaction_session_timeout"] = milliseconds(idleTimeout)
	params["lock_timeout"] = milliseconds(lockTimeout)
	params["tcp_keepalives_idle"] = "60"
	params["tcp_keepalives_interval"] = "10"
	params["tcp_keepalives_count"] = "3"
	params["timezone"] = "UTC"
	// The product qualifies all its names. Otherwise a function or operator that
	// somebody put into public would be called wherever its types fit better.
	params["search_path"] = "pg_catalog"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	return pool, nil
}

// Close ends the connections.
func (db *DB) Close() {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.pool != nil {
		db.pool.Close()
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Query runs fn with a connection outside any transaction, for reads. It classifies
// errors under op (see [Classify]). If PostgreSQL refuses something for lack of a
// right, Query runs fn again for some seconds, so fn must be safe to run again after
// such a failure.
func (db *DB) Query(ctx context.Context, op string, fn func(context.Context, *pgx.Conn) error) (err error) {
	db.patience.Try(ctx, "postgresql", func() bool {
		err = Classify(op, db.once(ctx, fn))
		_, refused := errors.AsType[*ServerError](err)
		_, denied := errors.AsType[*fault.AccessDenied](err)
		return denied && refused
	})
	return err
}

// once runs fn with a connection.
func (db *DB) once(ctx context.Context, fn func(context.Context, *pgx.Conn) error) error {
	pool, err := db.open(ctx)
	if err != nil {
		return err
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		if server, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(server.Code, invalidAuthorization) {
			db.forget(pool)
		}
		return err
	}
	defer conn.Release()
	return fn(ctx, conn.Conn())
}
