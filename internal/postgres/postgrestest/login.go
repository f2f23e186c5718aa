package postgrestest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Login is a role that may log in and has no other right. The role of
// TEST_DATABASE_URL must be able to create roles.
type Login struct {
	Role     string
	password string
}

// Login creates a login, which exists until the tests of the package have ended.
func (s *Server) Login(t testing.TB) Login {
	t.Helper()
	s.ready(t)
	l := Login{Role: fmt.Sprintf("%slogin_%d", s.prefix, s.count.Add(1)), password: rand.Text()}
	err := s.admit(t.Context(), fmt.Sprintf(`CREATE ROLE %s LOGIN PASSWORD '%s'`, pgx.Identifier{l.Role}.Sanitize(), l.password))
	if err != nil {
		t.Fatalf("make a login: %v: the role of TEST_DATABASE_URL must be able to create roles (ALTER ROLE … CREATEROLE); `make test` uses such a role", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins = append(s.logins, l.Role)
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

// Grants is what a database administrator runs for the product's role, as
// docs/deploy.md has it.
const Grants = `CREATE DATABASE etl;
REVOKE ALL ON DATABASE etl FROM PUBLIC;
CREATE ROLE etl LOGIN PASSWORD '…';
GRANT CONNECT, CREATE ON DATABASE etl TO etl;`

// Granted creates an empty database in which the login has the rights of [Grants],
// and returns the administrator's connection string. If closed is set, nobody else
// has a right on the database; otherwise PUBLIC keeps PostgreSQL's defaults.
func (s *Server) Granted(t testing.TB, loader Login, closed bool) string {
	t.Helper()
	admin := s.Empty(t)
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	named := strings.NewReplacer("DATABASE etl", "DATABASE "+pgx.Identifier{strings.TrimPrefix(u.Path, "/")}.Sanitize(),
		"TO etl", "TO "+pgx.Identifier{loader.Role}.Sanitize())
	conn := Connect(t, admin)
	for statement := range strings.SplitSeq(Grants, "\n") {
		if strings.HasPrefix(statement, "GRANT") || closed && strings.HasPrefix(statement, "REVOKE") {
			Exec(t, conn, named.Replace(statement))
		}
	}
	return admin
}

// dropLogins removes the logins, after the databases in which they own something.
func (s *Server) dropLogins(ctx context.Context) error {
	for _, role := range s.logins {
		if err := s.admit(ctx, `DROP ROLE IF EXISTS `+pgx.Identifier{role}.Sanitize()); err != nil {
			return err
		}
	}
	return nil
}
