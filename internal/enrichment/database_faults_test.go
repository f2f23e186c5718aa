package enrichment

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/postgres/postgrestest"
)

// within returns a context that ends after a time.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

var parisKey = JoinKey("Paris", "FR")

// asks fails unless a lookup ends with a code; empty: with an answer.
func asks(t *testing.T, ctx context.Context, s *Database, want Code) { //nolint:revive // as testing's helpers are
	t.Helper()
	outcomes, err := s.Lookup(ctx, []string{parisKey})
	switch {
	case err == nil && want == "" && outcomes[0].Status == "ok":
	case err == nil:
		t.Errorf("%q, want %q", printed(outcomes), want)
	default:
		if got := codeOf(t, err); got != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// awaitConnections waits until so many connections of the source are open.
func (p *places) awaitConnections(t *testing.T, want int) {
	t.Helper()
	for {
		n := postgrestest.Scan[int](t, p.owner, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'etl-enrichment'`)
		if n == want {
			return
		}
		postgrestest.Exec(t, p.owner, `SELECT pg_sleep(0.01)`)
	}
}

// TestDatabaseFaults: what can befall a server that is there. Afterwards it answers, on
// other connections.
func TestDatabaseFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, spoil, mend string
		query             string // empty: that of the places
		want              Code
	}{
		{"a locked table", `BEGIN; LOCK TABLE places`, `ROLLBACK`, "", CodeTimeout},
		{"a slow query", "", "", strings.Replace(placesQuery, "p.population", "p.population + length(pg_sleep(60)::text) AS population", 1), CodeTimeout},
		{"a column renamed", `ALTER TABLE places RENAME population TO inhabitants`, `ALTER TABLE places RENAME inhabitants TO population`, "", CodeRefused},
		{
			"a column of another type", `ALTER TABLE places ALTER population TYPE text`,
			`ALTER TABLE places ALTER population TYPE bigint USING population::bigint`, "", CodeInvalidAnswer,
		},
		{"a table dropped", `ALTER TABLE places RENAME TO cities`, `ALTER TABLE cities RENAME TO places`, "", CodeRefused},
		{"no right any more", `REVOKE SELECT ON places FROM $LOGIN`, `GRANT SELECT ON places TO $LOGIN`, "", CodeUnauthorized},
		{"too many connections", `ALTER DATABASE $NAME CONNECTION LIMIT 1`, `ALTER DATABASE $NAME CONNECTION LIMIT -1`, "", CodeThrottled},
		{"a connection dropped", "", "", strings.Replace(placesQuery, "p.region", "pg_terminate_backend(pg_backend_pid())::text AS region", 1), CodeUnreachable},
		{"a division by zero", "", "", strings.Replace(placesQuery, "p.population", "p.population / 0 AS population", 1), CodeRefused},
		{"a function that the login may not call", "", "", strings.Replace(placesQuery, "p.population", "p.population + length(pg_read_file('x')) AS population", 1), CodeUnauthorized},
		{"no SQL", "", "", "SELEKT $1, $2", CodeRefused},
		{"two statements", "", "", placesQuery + "; SELECT 1", CodeRefused},
		{"a parameter of another type", "", "", "SELECT 1 WHERE 1 = ANY($1) AND $2 IS NULL", CodeRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlaces(t)
			names := strings.NewReplacer("$LOGIN", pgx.Identifier{p.secret["username"].(string)}.Sanitize(), "$NAME", pgx.Identifier{p.secret["dbname"].(string)}.Sanitize())
			s := p.source(t, func(cfg *DatabaseConfig) {
				if c.query != "" {
					cfg.Query = c.query
				}
			})
			do := func(statements string) {
				if _, err := p.owner.PgConn().Exec(t.Context(), names.Replace(statements)).ReadAll(); err != nil {
					t.Fatal(err)
				}
			}
			do(c.spoil)
			bound := time.Minute
			if c.want == CodeTimeout {
				bound = time.Second
			}
			asks(t, within(t, bound), s, c.want)
			do(c.mend)
			p.awaitConnections(t, 0)
			s.query = placesQuery
			asks(t, t.Context(), s, "")
		})
	}
}

// TestDatabaseRefusesAnswers: a row for none of the keys, and more rows than can be meant,
// are the failure of the call; two rows for one key that of the key.
func TestDatabaseRefusesAnswers(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	const columns = `1::bigint AS population, region, 1.5 AS latitude, 2.5 AS longitude`
	const keys = ` FROM unnest($1::text[], $2::text[]) AS k (city, country)`
	for _, c := range []struct {
		name, query, want string
	}{
		{"a row too many", `SELECT city, country, ` + columns + keys + `, (VALUES ('a'), ('b')) AS twice (region)`, "failed invalid_answer"},
		{"three rows for a key", `SELECT city, country, ` + columns + keys + `, (VALUES ('a'), ('b'), ('c')) AS thrice (region)`, "there are more than twice as many rows as keys"},
		{"many rows", `SELECT city, country, ` + columns + keys + `, (SELECT 'a' AS region FROM generate_series(1, 1000)) AS x`, "there are more than twice as many rows as keys"},
		{"a row for another key", `SELECT 'Lyon' AS city, country, ` + columns + keys + `, (VALUES ('a')) AS x (region)`, "a result is for none of the keys"},
		{"a key that is halves of two", `SELECT country AS city, city AS country, ` + columns + keys + `, (VALUES ('a')) AS x (region)`, "a result is for none of the keys"},
		{"a missing column", `SELECT city, country, 1::bigint AS population` + keys, "the answer has not one column region"},
		{"a missing key", `SELECT city, ` + columns + keys + `, (VALUES ('a')) AS x (region)`, "the answer has not one column country"},
		{"a column twice", `SELECT city, country, city, ` + columns + keys + `, (VALUES ('a')) AS x (region)`, "the answer has not one column city"},
		{"a value that is too long", `SELECT city, country, ` + columns + keys + `, (VALUES (repeat('é', 31))) AS x (region)`, "failed invalid_answer"},
		{"a huge value", `SELECT city, country, ` + columns + keys + `, (VALUES (repeat('x', 4200000))) AS x (region)`, "a part of the answer is too long"},
		{"a huge answer", `SELECT city, country, ` + columns + keys + `, (VALUES (repeat('x', 3000000)), (repeat('y', 3000000))) AS x (region)`, "the answer is longer than 4194304 bytes"},
	} {
		s := p.source(t, func(cfg *DatabaseConfig) { cfg.Query = c.query })
		outcomes, err := s.Lookup(t.Context(), []string{parisKey})
		var got string
		if err != nil {
			if code := codeOf(t, err); code != CodeInvalidAnswer {
				t.Errorf("%s: %v", c.name, err)
			}
			got = err.(*Failure).Reason //nolint:errorlint // checked by codeOf
		} else {
			got = printed(outcomes)[0]
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestDatabaseReadsOnly: a query that would write is refused, whatever the login may do.
func TestDatabaseReadsOnly(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	p.secret = secretFrom(t, p.owner.Config().ConnString())
	for name, query := range map[string]string{
		"a statement": `WITH gone AS (DELETE FROM places RETURNING *) SELECT city, country, population, region, latitude, longitude FROM gone
			WHERE city = ANY($1::text[]) AND country = ANY($2::text[])`,
		"a setting": strings.Replace(placesQuery, "p.region", "set_config('transaction_read_only', 'off', true) AS region", 1),
	} {
		s := p.source(t, func(cfg *DatabaseConfig) { cfg.Query = query })
		if asks(t, t.Context(), s, CodeRefused); t.Failed() {
			t.Errorf("%s was not refused", name)
		}
	}
	if n := postgrestest.Scan[int](t, p.owner, `SELECT count(*) FROM places`); n != 3 {
		t.Errorf("%d places are left", n)
	}
}

// milliseconds reads a setting such as "3599780ms", "3600s" or "1h".
func milliseconds(t *testing.T, setting string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(strings.Replace(setting, "min", "m", 1))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDatabaseSession: what the server is to do for a caller that is gone, or frozen.
func TestDatabaseSession(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	s := p.source(t, func(cfg *DatabaseConfig) {
		cfg.Query = strings.Replace(placesQuery, "p.region", `array_to_string(ARRAY[current_setting('statement_timeout'), current_setting('lock_timeout'),
			current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_read_only')], ' ') AS region`, 1)
		cfg.Fields = slices.Clone(placeFields)
		cfg.Fields[1].MaxLength = 100
	})
	got, err := s.Lookup(within(t, time.Hour), []string{parisKey})
	if want := `"region":"`; err != nil || !strings.Contains(string(got[0].Values), want) {
		t.Fatalf("%q, %v", printed(got), err)
	}
	_, settings, _ := strings.Cut(string(got[0].Values), `"region":"`)
	settings, _, _ = strings.Cut(settings, `"`)
	of := strings.Fields(settings)
	if len(of) != 4 || of[2] != of[0] || of[3] != "on" {
		t.Fatalf("statement_timeout, lock_timeout, idle_in_transaction_session_timeout and transaction_read_only are %q", of)
	}
	statement, lock := milliseconds(t, of[0]), milliseconds(t, of[1])
	// The server ends before the caller, who has an hour less what went by until then.
	if statement > time.Hour-200*time.Millisecond || statement < 50*time.Minute || (statement/2-lock).Abs() > time.Millisecond {
		t.Errorf("statement_timeout %s, lock_timeout %s", statement, lock)
	}
	s.query = strings.Replace(placesQuery, "p.region", `current_setting('idle_session_timeout') AS region`, 1)
	if got, err = s.Lookup(t.Context(), []string{parisKey}); err != nil || !strings.Contains(string(got[0].Values), `"region":"10s"`) {
		t.Errorf("idle_session_timeout: %q, %v", printed(got), err)
	}
}

// TestDatabaseCancelled: a call whose caller goes ends, and so does its statement.
func TestDatabaseCancelled(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	postgrestest.Exec(t, p.owner, `BEGIN`)
	postgrestest.Exec(t, p.owner, `LOCK TABLE places`)
	s := p.source(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := s.Lookup(ctx, []string{parisKey})
		failed <- err
	}()
	for postgrestest.Scan[int](t, p.owner, `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'places'::regclass`) == 0 {
		postgrestest.Exec(t, p.owner, `SELECT pg_sleep(0.01)`)
	}
	cancel()
	if err := <-failed; failureOf(ctx, err).Code != CodeCancelled {
		t.Error(err)
	}
	postgrestest.Exec(t, p.owner, `ROLLBACK`)
	p.awaitConnections(t, 0)
}

// TestDatabaseLogin: when the login is refused, the secret is read again, and the call
// repeated once.
func TestDatabaseLogin(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	s := p.source(t, nil)
	asks(t, t.Context(), s, "")
	next := rand.Text()
	itself := postgrestest.Connect(t, p.url)
	postgrestest.Exec(t, itself, `ALTER ROLE CURRENT_USER PASSWORD '`+next+`'`)
	asks(t, t.Context(), s, "") // connections that are open stay so
	s.login.current.Load().Reset()
	asks(t, t.Context(), s, CodeUnauthorized)
	if n := p.reads.Load(); n != 2 {
		t.Errorf("the secret was read %d times, want 2", n)
	}
	p.secret["password"] = next
	asks(t, t.Context(), s, "")
	if n := p.reads.Load(); n != 3 {
		t.Errorf("the secret was read %d times, want 3", n)
	}
	for member, value := range map[string]string{"username": "nobody_" + secretKey, "dbname": "none_" + secretKey} {
		before := p.secret[member]
		p.secret[member] = value
		asks(t, t.Context(), p.source(t, nil), CodeUnauthorized)
		p.secret[member] = before
	}
}

// TestDatabaseSecretUnread: a secret that cannot be read or used is as good as refused.
func TestDatabaseSecretUnread(t *testing.T) {
	t.Parallel()
	for want, read := range map[string]func(context.Context) (string, error){
		"cannot be read": func(context.Context) (string, error) { return "", errors.New("denied") },
		"lacks":          func(context.Context) (string, error) { return `{"host":"x"}`, nil },
	} {
		s := (&places{}).source(t, func(cfg *DatabaseConfig) { cfg.Secret = read })
		_, err := s.Lookup(t.Context(), []string{parisKey})
		if codeOf(t, err) != CodeUnauthorized || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
}

// listen serves connections until the test ends, and returns the secret to connect with.
func listen(t *testing.T, serve func(net.Conn)) map[string]any {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return map[string]any{"host": "127.0.0.1", "port": port, "dbname": "d", "username": "u", "password": canary}
}

// TestDatabaseConnections: what can befall a connection.
func TestDatabaseConnections(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  Code
	}{
		"a server that accepts and never answers": {func(c net.Conn) { _, _ = io.Copy(io.Discard, c); _ = c.Close() }, CodeTimeout},
		"a server that goes":                      {func(c net.Conn) { _ = c.Close() }, CodeUnreachable},
		"a server of another kind":                {func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); _ = c.Close() }, CodeInvalidAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &places{secret: listen(t, c.serve)}
			bound := time.Minute
			if c.want == CodeTimeout {
				bound = 300 * time.Millisecond
			}
			asks(t, within(t, bound), p.source(t, nil), c.want)
		})
	}
	closed := &places{secret: listen(t, func(net.Conn) {})}
	closed.secret["port"] = "1"
	asks(t, within(t, time.Minute), closed.source(t, nil), CodeUnreachable)
}

// TestDatabaseCut: a connection that is cut at any place of an answer is a failure, never
// an answer without the rest.
func TestDatabaseCut(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	host, port := p.secret["host"].(string), p.secret["port"].(string)
	cut, answered := 0, false
	for after := int64(1); !answered; after += 37 {
		s := (&places{secret: p.secret}).source(t, func(cfg *DatabaseConfig) {
			through := listen(t, func(client net.Conn) {
				defer client.Close()
				database, err := net.Dial("tcp", net.JoinHostPort(host, port))
				if err != nil {
					t.Error(err)
					return
				}
				defer database.Close()
				go func() { _, _ = io.Copy(database, client) }()
				_, _ = io.CopyN(client, database, after)
			})
			secret := map[string]any{"host": through["host"], "port": through["port"], "dbname": p.secret["dbname"], "username": p.secret["username"], "password": p.secret["password"]}
			cfg.Secret = func(context.Context) (string, error) { return secretOf(t, secret), nil }
		})
		outcomes, err := s.Lookup(t.Context(), []string{parisKey})
		switch {
		case err != nil && codeOf(t, err) == CodeUnreachable:
			cut++
		case err != nil || outcomes[0].Status != "ok":
			t.Fatalf("after %d bytes: %q, %v", after, printed(outcomes), err)
		default:
			answered = true
		}
	}
	if cut < 5 {
		t.Errorf("the answer was cut %d times", cut)
	}
}

// TestStates: each class of SQLSTATE has a cause.
func TestStates(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]Code{
		"08006": CodeUnreachable, "57P01": CodeUnreachable, "57P02": CodeUnreachable, "57P03": CodeUnreachable, "57P05": CodeUnreachable, "25P03": CodeUnreachable,
		"57014": CodeTimeout, "55P03": CodeTimeout, "53300": CodeThrottled, "53400": CodeThrottled, "53100": CodeServerError, "53200": CodeServerError,
		"28000": CodeUnauthorized, "28P01": CodeUnauthorized, "3D000": CodeUnauthorized, "42501": CodeUnauthorized,
		"42601": CodeRefused, "42703": CodeRefused, "42P01": CodeRefused, "22012": CodeRefused, "22P02": CodeRefused, "21000": CodeRefused, "25006": CodeRefused, "0A000": CodeRefused,
		"40001": CodeServerError, "40P01": CodeServerError, "58030": CodeServerError, "XX000": CodeServerError, "P0001": CodeServerError, secretKey: CodeServerError,
	} {
		if got := stateCode(state); got != want {
			t.Errorf("%s: %s, want %s", state, got, want)
		}
	}
	if text := stateText(secretKey); strings.Contains(text, secretKey) || stateText("42P01") != "42P01" {
		t.Errorf("%q", text)
	}
}

// TestDatabaseQuotesNothing: the server's errors quote keys; ours do not.
func TestDatabaseQuotesNothing(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	for name, query := range map[string]string{
		"a cast":        `SELECT k::text::date AS city FROM unnest($1::text[]) AS k WHERE $2::text[] IS NOT NULL`,
		"a raised text": `SELECT 1 FROM unnest($1::text[]) AS k WHERE $2::text[] IS NOT NULL AND k::xml IS NULL`,
	} {
		s := p.source(t, func(cfg *DatabaseConfig) { cfg.Query = query })
		_, err := s.Lookup(t.Context(), []string{JoinKey(secretKey+"<", "FR")})
		if codeOf(t, err) == "" {
			t.Error(name)
		}
	}
}
