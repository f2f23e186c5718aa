package postgrestest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/database"
	"etl-dataloader/internal/postgres"
)

// Login is a role that may log in.
type Login struct {
	Role     string
	password string
}

// Login creates a login without any right, which exists until the tests of the package
// have ended. The role of TEST_DATABASE_URL must be able to create roles.
func (s *Server) Login(t testing.TB) Login {
	t.Helper()
	s.ready(t)
	l := Login{Role: fmt.Sprintf("%slogin_%d", s.prefix, s.count.Add(1)), password: rand.Text()}
	err := s.admit(t.Context(), fmt.Sprintf(`CREATE ROLE %s LOGIN PASSWORD '%s'`, quote(l.Role), l.password))
	if err != nil {
		t.Fatalf("make a login: %v: the role of TEST_DATABASE_URL must be able to create roles (ALTER ROLE … CREATEROLE); `make test` uses such a role", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins = append(s.logins, l)
	return l
}

// URL returns the login's connection string for a database.
func (l Login) URL(databaseURL string) string {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return err.Error() // connecting will fail with it
	}
	u.User = url.UserPassword(l.Role, l.password)
	return u.String()
}

// Owner returns a connection string with the login that migrates.
func (s *Server) Owner(databaseURL string) string { return s.owner.URL(databaseURL) }

// Loader returns a connection string with the login of the product's functions.
func (s *Server) Loader(databaseURL string) string { return s.loader.URL(databaseURL) }

// Reader returns a connection string with the login of a reader.
func (s *Server) Reader(databaseURL string) string { return s.reader.URL(databaseURL) }

// Auditor creates a login that may connect to a database and is in the group of those
// who read the audit. It returns a connection string with it.
func (s *Server) Auditor(t testing.TB, databaseURL string) string {
	t.Helper()
	l := s.Login(t)
	u, err := url.Parse(databaseURL)
	if err == nil {
		err = s.admit(t.Context(), `GRANT etl_auditor TO `+quote(l.Role),
			fmt.Sprintf(`GRANT CONNECT ON DATABASE %s TO %s`, quote(strings.TrimPrefix(u.Path, "/")), quote(l.Role)))
	}
	if err != nil {
		t.Fatalf("make an auditor: %v", err)
	}
	return l.URL(databaseURL)
}

// Open returns the product's access to a database with one connection, as a function
// has it: with the loader's login.
func (s *Server) Open(t testing.TB, databaseURL string) *postgres.DB {
	t.Helper()
	return s.OpenWide(t, databaseURL, 1)
}

// OpenWide is [Server.Open] with up to connections connections.
func (s *Server) OpenWide(t testing.TB, databaseURL string, connections int32) *postgres.DB {
	t.Helper()
	return OpenAs(t, s.Loader(databaseURL), connections)
}

// names are the names that the administrator's script has for a database.
func (s *Server) names(of string) database.Names {
	return database.Names{Database: of, Owner: s.owner.Role, Loader: s.loader.Role, Reader: s.reader.Role}
}

// makeLogins creates the package's owner, loader and reader, with the rights that the
// administrator's script gives them in a database.
func (s *Server) makeLogins(ctx context.Context, in string) error {
	for _, l := range []struct {
		login *Login
		role  string
	}{{&s.owner, "owner"}, {&s.loader, "loader"}, {&s.reader, "reader"}} {
		*l.login = Login{Role: s.prefix + l.role, password: rand.Text()}
		s.logins = append(s.logins, *l.login)
	}
	if err := s.admit(ctx, s.names(in).Statements()...); err != nil {
		return err
	}
	for _, l := range s.logins {
		if err := s.admit(ctx, fmt.Sprintf(`ALTER ROLE %s PASSWORD '%s'`, quote(l.Role), l.password)); err != nil {
			return err
		}
	}
	// The tests' databases belong to the owner, whose login the tests' own questions
	// have, also of sessions. Only [Server.Granted] does without.
	return s.admit(ctx, `GRANT `+quote(s.owner.Role)+` TO CURRENT_USER`,
		fmt.Sprintf(`GRANT %s, %s TO %s`, quote(s.loader.Role), quote(s.reader.Role), quote(s.owner.Role)))
}

// Granted creates an empty database in which the logins of the package have the rights
// of the administrator's script and no other, and returns the administrator's
// connection string. If closed is set, nobody else has a right on the database;
// otherwise PUBLIC keeps PostgreSQL's defaults.
func (s *Server) Granted(t testing.TB, closed bool) string {
	t.Helper()
	s.ready(t)
	return s.create(t, "", func(name string) (statements []string) {
		for _, statement := range s.names(name).OfDatabase() {
			if closed || !strings.HasPrefix(statement, "REVOKE") {
				statements = append(statements, statement)
			}
		}
		return statements
	})
}

// dropLogins removes the logins, after the databases in which they own something.
func (s *Server) dropLogins(ctx context.Context) error {
	for _, l := range s.logins {
		if err := s.admit(ctx, `DROP ROLE IF EXISTS `+quote(l.Role)); err != nil {
			return err
		}
	}
	return nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
