package enrichment

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"etl-dataloader/internal/contract"
)

// DatabaseConfig describes a database source.
type DatabaseConfig struct {
	// Name is the source's name in the contract, such as "stores".
	Name string
	// Query is the SQL text that answers. It has one parameter of type text[] for each
	// field of the key, in their order: $1, $2, … hold at the same place the values of one
	// key. Its columns are the fields of the key and those of the answer, by name.
	Query string
	// Key are the fields of the key.
	Key []string
	// Fields are the fields of an answer for a key that was found.
	Fields []contract.EnrichedField
	// Connections is how many connections there may be, at least 1. It should equal the
	// number of concurrent calls.
	Connections int
	// Secret reads the secret with the address and the login, see [Database]. Its errors
	// quote nothing of the secret.
	Secret func(context.Context) (string, error)
}

// Database is a [Source] that asks a PostgreSQL server by one SQL text.
//
// A call is a transaction that can only read. The server ends what takes longer than the
// call may, and waits for a lock for half of that. A row belongs to the key that its key
// columns hold; a key without a row is not found.
//
// The secret is the one of a database in Secrets Manager, and may have the authorities of
// the server's certificate beside it:
//
//	{"host": "…", "port": 5432, "dbname": "…", "username": "…", "password": "…", "ca": "-----BEGIN CERTIFICATE-----\n…"}
//
// It is read with the first call. When the server refuses the login, it is read again,
// and the call is repeated once.
//
// A password is sent only to this machine, or by SCRAM over TLS to a server whose
// certificate is valid for the host. Connections without work end after some seconds,
// also by the server, as a frozen function can end none; those of a source that fails end
// at once. So no connection is held while an import waits.
type Database struct {
	query  string
	key    []string
	fields []answerField
	login  *login
}

// NewDatabase returns the source that cfg describes.
func NewDatabase(cfg DatabaseConfig) (*Database, error) {
	if cfg.Name == "" || cfg.Query == "" || len(cfg.Key) == 0 || len(cfg.Fields) == 0 || cfg.Connections < 1 || cfg.Secret == nil {
		return nil, errors.New("enrichment: a database source needs a name, a query, a key, fields, connections and a secret")
	}
	fields, err := answerFields(cfg.Fields)
	if err != nil {
		return nil, fmt.Errorf("enrichment: source %s: %w", cfg.Name, err)
	}
	return &Database{
		query: cfg.Query, key: cfg.Key, fields: fields,
		login: &login{read: cfg.Secret, connections: cfg.Connections, turn: make(chan struct{}, 1)},
	}, nil
}

// Lookup implements [Source].
func (s *Database) Lookup(ctx context.Context, keys []string) ([]Outcome, error) {
	var refused *pgxpool.Pool
	for {
		pool, failure := s.login.pool(ctx, refused)
		if failure != nil {
			return nil, failure
		}
		outcomes, failure := s.ask(ctx, pool, keys)
		if failure == nil {
			return outcomes, nil
		}
		pool.Reset()
		// Connections that another call has replaced meanwhile prove nothing.
		again := failure.Code == CodeUnauthorized || s.login.current.Load() != pool
		if !again || refused != nil {
			return nil, failure
		}
		refused = pool
	}
}

// ask asks for keys in a transaction of its own.
func (s *Database) ask(ctx context.Context, pool *pgxpool.Pool, keys []string) ([]Outcome, *Failure) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, databaseFailure(err)
	}
	defer conn.Release() // which ends a connection whose transaction is not over
	if _, err := conn.Conn().PgConn().Exec(ctx, begin(ctx)).ReadAll(); err != nil {
		return nil, databaseFailure(err)
	}
	outcomes, failure := s.answer(ctx, conn.Conn(), keys)
	if failure != nil {
		return nil, failure
	}
	// There is nothing that could be lost.
	_, _ = conn.Conn().PgConn().Exec(ctx, "COMMIT").ReadAll()
	return outcomes, nil
}

// begin returns the statements that begin the transaction of a call. They bound what the
// server does for it, whatever becomes of the caller.
func begin(ctx context.Context) string {
	left := time.Minute
	if until, bounded := ctx.Deadline(); bounded {
		left = time.Until(until)
	}
	// The server is to end before the caller gives up, which costs the connection.
	left = max(left-min(left/10, 200*time.Millisecond), 10*time.Millisecond)
	setting := func(name string, d time.Duration) string {
		return "; SET LOCAL " + name + " = " + strconv.FormatInt(d.Milliseconds(), 10)
	}
	return "BEGIN READ ONLY" + setting("statement_timeout", left) + setting("lock_timeout", left/2) +
		setting("idle_in_transaction_session_timeout", left)
}

// answer runs the query and reads its rows.
func (s *Database) answer(ctx context.Context, conn *pgx.Conn, keys []string) ([]Outcome, *Failure) {
	values, types, formats, failure := s.parameters(conn.TypeMap(), keys)
	if failure != nil {
		return nil, failure
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows := conn.PgConn().ExecParams(ctx, s.query, values, types, formats, nil)
	if rows.FieldDescriptions() == nil { // an error, or a statement without rows
		if _, err := rows.Close(); err != nil {
			return nil, databaseFailure(err)
		}
	}
	outcomes, failure := s.outcomes(rows, keys)
	if failure != nil {
		cancel() // ends the connection, and with it rows that nobody wants
		_, _ = rows.Close()
		return nil, failure
	}
	if _, err := rows.Close(); err != nil {
		return nil, databaseFailure(err)
	}
	return outcomes, nil
}

// parameters returns the parameters of the query: for each field of the key an array
// of its values.
func (s *Database) parameters(encoder *pgtype.Map, keys []string) (values [][]byte, types []uint32, formats []int16, failure *Failure) {
	columns := make([][]string, len(s.key))
	for _, key := range keys {
		parts := SplitKey(key)
		if len(parts) != len(columns) {
			return nil, nil, nil, &Failure{Code: CodeRefused, Reason: "a key does not have the fields of the source's"}
		}
		for i, part := range parts {
			columns[i] = append(columns[i], part)
		}
	}
	for _, column := range columns {
		value, err := encoder.Encode(pgtype.TextArrayOID, pgtype.BinaryFormatCode, column, nil)
		if err != nil {
			return nil, nil, nil, &Failure{Code: CodeRefused, Reason: "the keys cannot be written as an array"}
		}
		values, types, formats = append(values, value), append(types, pgtype.TextArrayOID), append(formats, pgtype.BinaryFormatCode)
	}
	return values, types, formats, nil
}

// outcomes reads the rows of an answer. One that breaks off is no failure here: closing
// the rows tells.
func (s *Database) outcomes(rows *pgconn.ResultReader, keys []string) ([]Outcome, *Failure) {
	reader, failure := s.rowReader(rows.FieldDescriptions(), keys)
	if failure != nil {
		return nil, failure
	}
	for rows.NextRow() {
		if failure := reader.add(rows.Values()); failure != nil {
			return nil, failure
		}
	}
	return reader.outcomes(), nil
}
