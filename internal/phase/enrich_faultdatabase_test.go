package phase_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/postgres/postgrestest"
)

// faultyDatabase is a database that knows the clients by a function, which a fault
// replaces for the calls that it meets.
type faultyDatabase struct {
	t          testing.TB
	live, dead enrichment.Source
	owner      *pgx.Conn
	login      string

	mu     sync.Mutex // one call at a time: what befalls one must not befall another
	secret map[string]string
}

// databaseFaults are the rows of the table of a database.
func databaseFaults() []sourceFault {
	of := func(name, body string, when func(*faultySource, []string) bool) sourceFault {
		return sourceFault{name: name, database: body, when: when}
	}
	raises := func(state string) string {
		return `RAISE EXCEPTION USING ERRCODE = '` + state + `', MESSAGE = asked, DETAIL = asked`
	}
	one := func(body string) string {
		return `IF asked = '` + spoiltKey + `' THEN ` + body + `; ELSE ` + knows + `; END IF`
	}
	invalid := faultEnd{failed: 1, code: enrichment.CodeInvalidAnswer}
	spoils := func(name, body string, e faultEnd) sourceFault { return both(of(name, one(body), ofAll), e) }
	with := func(tier, score string) string { return `RETURN QUERY SELECT 'a'::text, ` + tier + `::text, ` + score }
	gap := waited(5)
	gap.failing *= 2 // each call is repeated with the secret read again
	return []sourceFault{
		both(of("none", knows, nil), faultEnd{}),
		both(of("a locked table, for three calls", lockedTable, ofCalls(2, 3)), bounded(3)),
		both(of("three slow queries", sleeps, ofCalls(2, 3)), bounded(3)),
		both(of("three connections are dropped", ends, ofCalls(2, 3)), bounded(3)),
		both(of("too many connections, for ten calls (53300)", raises("53300"), ofCalls(2, 10)), bounded(10)),
		both(of("the server shuts down, for three calls (57P01)", raises("57P01"), ofCalls(2, 3)), bounded(3)),
		both(of("three deadlocks (40P01)", raises("40P01"), ofCalls(2, 3)), bounded(3)),
		both(of("nobody is there for 10 min", "", lasting(10*time.Minute)), waited(5)),
		both(of("a right is missing for 10 min (42501)", raises("42501"), lasting(10*time.Minute)), gap),
		both(of("the password is changed", rotates, ofCalls(5, 1)), faultEnd{failing: faultCalls}),
		both(of("three answers for another key", `RETURN QUERY SELECT 'x'::text, 'y'::text, NULL::numeric`, ofCalls(2, 3)), bounded(3)),
		whole(of("an error for one key (poisoned)", one(raises("58030")), ofKey(spoiltKey)), poisoned(enrichment.CodeServerError)),
		whole(of("a slow query for one key", one(sleeps), ofKey(spoiltKey)), poisoned(enrichment.CodeTimeout)),
		whole(of("a value of one key that cannot be cast (22P02)", one(raises("22P02")), ofKey(spoiltKey)), faultEnd{code: enrichment.CodeRefused, failing: 2}),
		spoils("a row too many", with("'b'", "0.0")+`; `+with("'c'", "0.0"), invalid),
		spoils("a number out of bounds", with("'b'", "17.0"), invalid),
		spoils("a number that is none", with("'b'", "'NaN'::numeric"), invalid),
		spoils("a text that is too long", with("repeat('b', 51)", "0.0"), invalid),
		spoils("a key that the database does not know", `RETURN`, faultEnd{unknown: 1}),
	}
}

// Bodies of the function that knows the clients.
const (
	knows       = `RETURN QUERY SELECT c.segment, c.tier, 0.5 FROM clients AS c WHERE c.client_id = asked`
	sleeps      = `PERFORM pg_sleep(60)`
	ends        = `PERFORM pg_terminate_backend(pg_backend_pid())`
	lockedTable = "LOCK"       // knows, while somebody else holds the table
	rotates     = "ALTER ROLE" // ends, and the login has another password
)

// newFaultyDatabase makes a database that knows the clients of the import of faults.
func newFaultyDatabase(t *testing.T, l *line) *faultyDatabase {
	t.Helper()
	text := server.Empty(t)
	login := server.Login(t)
	d := &faultyDatabase{t: t, owner: postgrestest.Connect(t, text), login: pgx.Identifier{login.Role}.Sanitize()}
	for _, statement := range []string{
		`CREATE TABLE clients AS SELECT n::text AS client_id, '` + segment + `' AS segment, 'niveau-' || n AS tier FROM generate_series(1000, 1100) AS n`,
		`GRANT SELECT ON clients TO ` + d.login,
		`GRANT CONNECT ON DATABASE ` + pgx.Identifier{d.owner.Config().Database}.Sanitize() + ` TO ` + d.login,
		knowing(knows),
	} {
		postgrestest.Exec(t, d.owner, statement)
	}
	u, err := url.Parse(login.URL(text))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	d.secret = map[string]string{"host": u.Hostname(), "port": u.Port(), "dbname": strings.TrimPrefix(u.Path, "/"), "username": login.Role, "password": password}
	source := func(port string) enrichment.Source {
		s, err := enrichment.NewDatabase(enrichment.DatabaseConfig{
			Name: "clients", Key: []string{"client_id"}, Fields: l.common.Contract.Resource("clients").Enrichment.Fields, Connections: faultCalls,
			Query: `SELECT CASE c.segment WHEN 'x' THEN 'x' ELSE k.client_id END AS client_id, c.segment, c.loyalty_tier, c.risk_score
				FROM unnest($1::text[]) AS k (client_id), LATERAL known(k.client_id) AS c`,
			Secret: func(context.Context) (string, error) {
				secret, err := json.Marshal(map[string]string{
					"host": d.secret["host"], "port": port, "dbname": d.secret["dbname"], "username": d.secret["username"], "password": d.secret["password"],
				})
				return string(secret), err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	d.live, d.dead = source(d.secret["port"]), source("1")
	t.Cleanup(d.close)
	return d
}

// knowing makes the function that knows the clients, with a body.
func knowing(body string) string {
	return `CREATE OR REPLACE FUNCTION known(asked text) RETURNS TABLE (segment text, loyalty_tier text, risk_score numeric)
		LANGUAGE plpgsql AS $body$ BEGIN ` + body + `; END $body$`
}

// lookup asks for keys; met, while the database has the fault.
func (d *faultyDatabase) lookup(ctx context.Context, s *faultySource, keys []string) ([]enrichment.Outcome, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	body := s.fault.database
	met := s.struck(keys)
	if met && (body == lockedTable || strings.Contains(body, sleeps)) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		s.clock.advance(s.timeout)
	}
	switch {
	case !met:
	case body == "":
		return d.dead.Lookup(ctx, keys)
	case body == rotates:
		d.rotate(ctx)
		d.run(knowing(ends))
		defer d.run(knowing(knows))
	case body == lockedTable:
		d.run(`BEGIN; LOCK TABLE clients`)
		defer d.run(`ROLLBACK`)
	default:
		d.run(knowing(body))
		defer d.run(knowing(knows))
	}
	return d.live.Lookup(ctx, keys)
}

// rotate changes the password of the login.
func (d *faultyDatabase) rotate(ctx context.Context) {
	cfg := d.owner.Config()
	cfg.User, cfg.Password = d.secret["username"], d.secret["password"]
	d.secret["password"] = rand.Text()
	itself, err := pgx.ConnectConfig(ctx, cfg)
	if err == nil {
		_, err = itself.Exec(ctx, `ALTER ROLE CURRENT_USER PASSWORD '`+d.secret["password"]+`'`)
		_ = itself.Close(ctx)
	}
	if err != nil {
		d.t.Error(err)
	}
}

// close has the source end its connections, as it does when a call fails, and waits until
// they have ended.
func (d *faultyDatabase) close() {
	d.run(knowing(ends))
	ctx := context.Background()
	_, _ = d.live.Lookup(ctx, []string{spoiltKey})
	for open := true; open && !d.t.Failed(); {
		if err := d.owner.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()),
			pg_sleep(0.01)::text`).Scan(&open, nil); err != nil {
			d.t.Error(err)
		}
	}
}

// run runs statements as the owner of the database.
func (d *faultyDatabase) run(statements string) {
	if _, err := d.owner.PgConn().Exec(context.Background(), statements).ReadAll(); err != nil {
		d.t.Error(err)
	}
}
