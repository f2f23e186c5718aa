package enrichment

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/postgres/postgrestest"
)

// databaseKind differs in what an answer of rows cannot tell, or tells for all of them:
// a lost row looks like a key that is not found, and a column has one type.
func databaseKind() sourceKind {
	return sourceKind{
		name: "database",
		source: func(t *testing.T, situation string, read func() string) Source {
			text := server.Empty(t)
			owner := postgrestest.Connect(t, text)
			login := server.Login(t)
			prepareConformance(t, owner, login.Role)
			secret := secretFrom(t, login.URL(text))
			right, _ := secret["password"].(string)
			switch situation {
			case "nobody there":
				secret["port"] = "1"
			case "no answer":
				postgrestest.Exec(t, owner, `BEGIN`)
				postgrestest.Exec(t, owner, `LOCK TABLE known`)
			case "an answer that breaks off":
				secret["port"] = cutting(t, secret)
			}
			s, err := NewDatabase(DatabaseConfig{
				Name: "clients", Query: conformanceQuery(situation), Key: []string{"key"}, Fields: conformanceFields, Connections: 2,
				Secret: func(context.Context) (string, error) {
					secret["password"] = strings.Replace(read(), rightCredential, right, 1)
					return secretOf(t, secret), nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if pool := s.login.current.Load(); pool != nil {
					pool.Close()
				}
			})
			return s
		},
		differs: map[string][]string{
			"half an answer":          {known, absent, absent},
			"a value of another type": {"invalid_answer"},
			"a missing member":        {"invalid_answer"},
		},
	}
}

// prepareConformance makes a table of what is known, for a login to read, and a function
// that fails with a SQLSTATE and quotes a key.
func prepareConformance(t *testing.T, owner *pgx.Conn, login string) {
	t.Helper()
	quoted := pgx.Identifier{login}.Sanitize()
	for _, statement := range []string{
		`CREATE TABLE known (key text, segment text, risk_score double precision, orders integer)`,
		`INSERT INTO known VALUES ('` + secretKey + `', 'fidèle <1>', 0.25, 12), ('nulls', NULL, NULL, NULL)`,
		`CREATE FUNCTION fail(state text, key text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = state, MESSAGE = key, DETAIL = key; END $$`,
		`GRANT SELECT ON known TO ` + quoted,
		`GRANT CONNECT ON DATABASE ` + pgx.Identifier{owner.Config().Database}.Sanitize() + ` TO ` + quoted,
	} {
		postgrestest.Exec(t, owner, statement)
	}
}

// conformanceQuery is the query of a database in a situation.
func conformanceQuery(situation string) string {
	const rows = ` FROM unnest($1::text[]) AS k (key) JOIN known USING (key)`
	spoil := func(column, value string) string {
		columns := `k.key, segment, risk_score, orders`
		return `SELECT ` + strings.Replace(columns, column, `CASE WHEN k.key = 'nulls' THEN `+column+` ELSE `+value+` END AS `+column, 1) + rows
	}
	switch situation {
	case "answers in another order":
		return `SELECT k.key, segment, risk_score, orders` + rows + ` ORDER BY k.key DESC`
	case "unknown members":
		return `SELECT k.key, 'x' AS internal, segment, 1 AS more, risk_score, orders` + rows
	case "half an answer":
		return `SELECT k.key, segment, risk_score, orders` + rows + ` WHERE k.key <> 'nulls'`
	case "every result twice":
		return `SELECT k.key, segment, risk_score, orders` + rows + `, generate_series(1, 2)`
	case "a value out of bounds":
		return spoil("risk_score", "17")
	case "a value that is too long":
		return spoil("segment", "repeat('é', 13)")
	case "a number without end":
		return spoil("risk_score", "'Infinity'")
	case "a value of another type":
		return `SELECT k.key, segment, risk_score, 'douze' AS orders` + rows
	case "a missing member":
		return `SELECT k.key, segment, risk_score` + rows
	case "a result for another key":
		return `SELECT 'another' AS key, segment, risk_score, orders` + rows
	case "an answer that is too long":
		return spoil("segment", "repeat('x', 5000000)")
	case "something else than an answer":
		return `SELECT k.key || '<p>'` + rows
	case "an error":
		return spoil("segment", "fail('58030', k.key)")
	case "too many calls":
		return spoil("segment", "fail('53400', k.key)")
	case "a call that it cannot read":
		return spoil("segment", "k.key::date::text")
	}
	return `SELECT k.key, segment, risk_score, orders` + rows
}

// cutting returns the port of a way to the database that ends in the midst of the answer.
func cutting(t *testing.T, secret map[string]any) string {
	t.Helper()
	address := net.JoinHostPort(secret["host"].(string), secret["port"].(string))
	through := listen(t, func(client net.Conn) {
		defer client.Close()
		database, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		defer database.Close()
		go func() { _, _ = io.Copy(database, client) }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := database.Read(buffer)
			if err != nil {
				return
			}
			if at := strings.Index(string(buffer[:n]), secretKey); at >= 0 { // a row
				_, _ = client.Write(buffer[:at+len(secretKey)])
				return
			}
			_, _ = client.Write(buffer[:n])
		}
	})
	return through["port"].(string)
}
