// Package database holds what a database administrator runs before the product is
// deployed: roles.sql, a script for psql. The tests run the same statements, so that
// what the documentation asks for is what the product is proven with.
package database

import (
	_ "embed" // for roles.sql
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed roles.sql
var script string //nolint:gochecknoglobals // embedded

// Names are the names that the script takes as variables.
type Names struct{ Database, Owner, Loader, Reader string }

// Statements returns the statements of the script, in order. Each stands on a line of
// its own.
func (n Names) Statements() (statements []string) {
	named := strings.NewReplacer(`:"database"`, quote(n.Database), `:"owner"`, quote(n.Owner), `:"loader"`, quote(n.Loader), `:"reader"`, quote(n.Reader))
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "--") {
			statements = append(statements, named.Replace(line))
		}
	}
	return statements
}

// OfDatabase returns the statements that grant or revoke rights on the database alone,
// which a second database with the same logins needs.
func (n Names) OfDatabase() (statements []string) {
	for _, statement := range n.Statements() {
		if strings.Contains(statement, " ON DATABASE ") {
			statements = append(statements, statement)
		}
	}
	return statements
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
