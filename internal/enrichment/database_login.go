package enrichment

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// idleConnection is how long a connection without work lasts.
const idleConnection = 10 * time.Second

// login keeps the connections of a source and opens others when the login was refused.
// It is safe for concurrent use.
type login struct {
	read        func(context.Context) (string, error)
	connections int

	turn    chan struct{}                // full while a call changes what follows
	current atomic.Pointer[pgxpool.Pool] // nil until the secret was read
}

// pool returns the connections. Where refused are the current ones, the secret is read
// again; otherwise another call has done so meanwhile.
func (l *login) pool(ctx context.Context, refused *pgxpool.Pool) (*pgxpool.Pool, *Failure) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, transportFailure(ctx.Err())
	}
	current := l.current.Load()
	if current != nil && current != refused {
		return current, nil
	}
	text, err := l.read(ctx)
	if err != nil {
		return nil, secretFailure(err)
	}
	secret, err := parseDatabaseSecret(text)
	if err != nil {
		return nil, &Failure{Code: CodeUnauthorized, Reason: err.Error()}
	}
	// The connections outlive the call that opens them.
	next, err := secret.open(context.WithoutCancel(ctx), l.connections)
	if err != nil {
		return nil, &Failure{Code: CodeUnauthorized, Reason: "the source's secret describes no database"}
	}
	l.current.Store(next)
	if current != nil {
		go current.Close() // waits for the connections that others use
	}
	return next, nil
}

// databaseSecret is the secret of a database source. A secret of Secrets Manager has more
// members, which say nothing here.
type databaseSecret struct {
	Host     string      `json:"host"`
	Port     json.Number `json:"port"` // default 5432
	Database string      `json:"dbname"`
	Username string      `json:"username"`
	Password string      `json:"password"`
	CA       string      `json:"ca"` // PEM; empty: the authorities of the system

	port uint16
	tls  *tls.Config // nil: in clear, to this machine
}

// parseDatabaseSecret reads the JSON of a secret. Errors quote nothing of it.
func parseDatabaseSecret(text string) (*databaseSecret, error) {
	var s databaseSecret
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, errors.New("the source's secret is no JSON object of the members of a database: host, port, dbname, username, password, perhaps ca")
	}
	if s.Host == "" || s.Database == "" || s.Username == "" || s.Password == "" {
		return nil, errors.New("the source's secret lacks host, dbname, username or password")
	}
	if strings.ContainsAny(s.Host, `/\,@ `) {
		return nil, errors.New("the host in the source's secret is no name or address of one server")
	}
	if s.Port == "" {
		s.Port = "5432"
	}
	port, err := strconv.ParseUint(s.Port.String(), 10, 16)
	if err != nil || port == 0 {
		return nil, errors.New("the port in the source's secret is none")
	}
	s.port = uint16(port)
	if s.CA == "" && loopback(s.Host) {
		return &s, nil
	}
	s.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.Host}
	if s.CA != "" {
		s.tls.RootCAs = x509.NewCertPool()
		if !s.tls.RootCAs.AppendCertsFromPEM([]byte(s.CA)) {
			return nil, errors.New("the ca in the source's secret has no certificate in PEM")
		}
	}
	return &s, nil
}

// open returns connections to the database, of which none is open yet.
func (s *databaseSecret) open(ctx context.Context, connections int) (*pgxpool.Pool, error) {
	// Everything that a connection string can say is set below: nothing of a secret comes
	// into a text that an error may quote, and nothing from the environment.
	cfg, err := pgxpool.ParseConfig("host=localhost user=none password=none dbname=none sslmode=disable")
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = int32(connections) //nolint:gosec // at most 100, by the contract
	cfg.MaxConnIdleTime, cfg.HealthCheckPeriod = idleConnection, idleConnection
	c := cfg.ConnConfig
	c.Host, c.Port, c.Database, c.User, c.Password = s.Host, s.port, s.Database, s.Username, s.Password
	c.TLSConfig, c.Fallbacks, c.ConnectTimeout = s.tls, nil, 5*time.Second
	c.MaxProtocolMessageBodyLen = MaxAnswer
	if s.tls != nil {
		c.RequireAuth = "scram-sha-256" // with any other method the server would learn the password
	}
	c.RuntimeParams = map[string]string{
		"application_name": "etl-enrichment", "client_encoding": "UTF8", "datestyle": "ISO", "timezone": "UTC",
	}
	cfg.AfterConnect = endIdle
	return pgxpool.NewWithConfig(ctx, cfg)
}

// endIdle has the server end the connection when it is without work, as the connections
// of a frozen function stay open. Servers before PostgreSQL 14 cannot.
func endIdle(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.PgConn().Exec(ctx, `SELECT pg_catalog.set_config('idle_session_timeout', '`+
		strconv.FormatInt(idleConnection.Milliseconds(), 10)+`', false) WHERE pg_catalog.current_setting('server_version_num')::int >= 140000`).ReadAll()
	return err
}
