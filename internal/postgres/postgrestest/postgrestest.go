// Package postgrestest gives tests real databases of their own.
//
// The first test that asks for a database connects to the server that the
// environment variable TEST_DATABASE_URL names and migrates one template database
// for the test package, which [Run] drops at the end. Without the variable such a
// test fails; with -short it is skipped. A package of pure tests connects to nothing.
// [Server.URL] copies the template, so that tests never see each other's rows and may
// commit, lock and fail as they like. A database is dropped at the end of its test.
// Nothing is written to the database that the variable names.
package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/postgres"
)

// setUpWithin bounds the time for setting up before the tests and cleaning up after.
const setUpWithin = time.Minute

// Server is the server of a test package, with its template.
type Server struct {
	count atomic.Int64
	begin sync.Once
	err   error // of connecting and migrating

	admin  url.URL
	prefix string

	// Of all databases of the package; see infra/database/roles.sql.
	owner, loader, reader Login

	mu     sync.Mutex
	logins []Login // to drop
}

// Run runs the tests of a package, such as m.Run, and returns their exit code for
// os.Exit. set is called before them with the server.
func Run(run func() int, set func(*Server)) int {
	server := &Server{}
	defer server.stop()
	set(server)
	return run()
}

// ready connects the first test that needs the server, and skips it with -short.
func (s *Server) ready(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs PostgreSQL, which -short does without")
	}
	s.begin.Do(func() { s.err = s.start() })
	if s.err != nil {
		t.Fatal(s.err)
	}
}

func (s *Server) start() error {
	text := os.Getenv("TEST_DATABASE_URL")
	if text == "" {
		return errors.New("TEST_DATABASE_URL is not set: it names a PostgreSQL server whose role may create databases and roles; `make test` sets it")
	}
	admin, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(admin.Scheme, "postgres") {
		return errors.New("TEST_DATABASE_URL must be a URL of the form postgresql://user:password@host:port/database")
	}
	s.admin, s.prefix = *admin, "test_"+strings.ToLower(rand.Text()[:10])+"_"
	ctx, cancel := context.WithTimeout(context.Background(), setUpWithin)
	defer cancel()
	if err := s.admit(ctx, `CREATE DATABASE `+s.quoted("template")); err != nil {
		s.prefix = "" // nothing to drop
		return fmt.Errorf("TEST_DATABASE_URL: %w", err)
	}
	if err := s.makeLogins(ctx, s.prefix+"template"); err != nil {
		return fmt.Errorf("TEST_DATABASE_URL names a role that must be able to create roles: %w", err)
	}
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("migrate the template database: %w", err)
	}
	return nil
}

// migrate brings the template to the newest schema.
func (s *Server) migrate(ctx context.Context) error {
	const connections = 3 // for the migrations and their lock
	db := open(s.Owner(s.url("template")), connections)
	defer db.Close()
	_, err := db.Migrate(ctx)
	return err
}

// stop drops what was made for the package, if any test needed it.
func (s *Server) stop() {
	if s.prefix == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), setUpWithin)
	defer cancel()
	if err := s.drop(ctx, "template"); err != nil {
		fmt.Fprintln(os.Stderr, "drop the template database:", err)
	}
	if err := s.dropLogins(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "drop the logins:", err)
	}
}

// drop drops a database. It first tries without FORCE: then the server itself cancels
// an autovacuum, which no other role may end. FORCE ends sessions that a test left
// open.
func (s *Server) drop(ctx context.Context, name string) error {
	if s.admit(ctx, `DROP DATABASE IF EXISTS `+s.quoted(name)) == nil {
		return nil
	}
	return s.admit(ctx, `DROP DATABASE IF EXISTS `+s.quoted(name)+` WITH (FORCE)`)
}

// admit runs statements on the database of TEST_DATABASE_URL.
func (s *Server) admit(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.admin.String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) quoted(name string) string { return pgx.Identifier{s.prefix + name}.Sanitize() }

func (s *Server) url(name string) string {
	u := s.admin
	u.Path = "/" + s.prefix + name
	return u.String()
}

// URL creates a migrated database and returns its connection string, with the owner's
// login. [Server.Open] connects to it as the product does.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	s.ready(t)
	return s.owned(t, ` TEMPLATE `+s.quoted("template"))
}

// Empty creates a database without any schema of the product and returns its
// connection string, with the owner's login.
func (s *Server) Empty(t testing.TB) string {
	t.Helper()
	s.ready(t)
	return s.owned(t, "")
}

// owned creates a database that belongs to the owner, with the rights of the
// administrator's script.
func (s *Server) owned(t testing.TB, template string) string {
	t.Helper()
	return s.Owner(s.create(t, template+` OWNER `+quote(s.owner.Role), func(name string) []string { return s.names(name).OfDatabase() }))
}

// create creates a database with these options and runs what rights yields for its
// name. It returns the administrator's connection string.
func (s *Server) create(t testing.TB, with string, rights func(name string) []string) string {
	t.Helper()
	name := strconv.FormatInt(s.count.Add(1), 10)
	statements := append([]string{`CREATE DATABASE ` + s.quoted(name) + with}, rights(s.prefix+name)...)
	if err := s.admit(t.Context(), statements...); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	t.Cleanup(func() {
		if err := s.drop(context.WithoutCancel(t.Context()), name); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return s.url(name)
}

// OpenAs returns an access to a database with the login of the connection string and
// up to connections connections.
func OpenAs(t testing.TB, databaseURL string, connections int32) *postgres.DB {
	t.Helper()
	db := open(databaseURL, connections)
	t.Cleanup(db.Close)
	return db
}

// open returns a DB that retries nothing.
func open(databaseURL string, connections int32) *postgres.DB {
	return postgres.Open(func(context.Context) (string, error) { return databaseURL, nil }, "test", connections, nil)
}

// Connect returns a separate connection for the test itself.
func Connect(t testing.TB, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// Scan returns the only row of a query, with one column.
func Scan[T any](t testing.TB, conn *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// Exec runs a statement.
func Exec(t testing.TB, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
