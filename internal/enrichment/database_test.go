package enrichment

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/postgres/postgrestest"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	os.Exit(postgrestest.Run(m.Run, func(s *postgrestest.Server) { server = s }))
}

// places is a database that knows cities, with a login that may only read them.
type places struct {
	owner  *pgx.Conn // of the tests
	url    string    // of the login
	secret map[string]any
	reads  atomic.Int32 // of the secret
}

const placesQuery = `SELECT k.city, k.country, p.population, p.region, p.latitude, p.longitude
	FROM unnest($1::text[], $2::text[]) AS k (city, country) JOIN places AS p ON p.city = k.city AND p.country = k.country`

var placeFields = []contract.EnrichedField{
	{Name: "population", Type: contract.TypeInteger, Constraints: contract.Constraints{Minimum: apd.New(0, 0)}},
	{Name: "region", Type: contract.TypeString, Constraints: contract.Constraints{MaxLength: 30}},
	{Name: "latitude", Type: contract.TypeNumber, Constraints: contract.Constraints{Minimum: apd.New(-90, 0), Maximum: apd.New(90, 0)}},
	{Name: "longitude", Type: contract.TypeNumber, Constraints: contract.Constraints{Minimum: apd.New(-180, 0), Maximum: apd.New(180, 0)}},
}

func newPlaces(t *testing.T) *places {
	t.Helper()
	text := server.Empty(t)
	p := &places{owner: postgrestest.Connect(t, text)}
	login := server.Login(t)
	p.url = login.URL(text)
	for _, statement := range []string{
		`CREATE TABLE places (city text, country char(2), population bigint, region text, latitude double precision, longitude numeric, note text)`,
		`INSERT INTO places VALUES ('Paris', 'FR', 2102650, 'Île-de-France "1"', 48.8566, 2.3522, 'x'), ('Paris', 'US', 24171, NULL, 33.6609, -95.5555, 'x'),
			('東京', 'JP', 0, '', 1e-7, 139.69, 'x')`,
		`GRANT SELECT ON places TO ` + pgx.Identifier{login.Role}.Sanitize(),
		`GRANT CONNECT ON DATABASE ` + pgx.Identifier{p.owner.Config().Database}.Sanitize() + ` TO ` + pgx.Identifier{login.Role}.Sanitize(),
	} {
		postgrestest.Exec(t, p.owner, statement)
	}
	p.secret = secretFrom(t, p.url)
	return p
}

// secretFrom returns the members of the secret with which a connection string connects.
func secretFrom(t *testing.T, text string) map[string]any {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	return map[string]any{
		"engine": "postgres", "host": u.Hostname(), "port": u.Port(), "dbname": strings.TrimPrefix(u.Path, "/"),
		"username": u.User.Username(), "password": password,
	}
}

// source asks the places, as change has it.
func (p *places) source(t *testing.T, change func(*DatabaseConfig)) *Database {
	t.Helper()
	cfg := DatabaseConfig{
		Name: "stores", Query: placesQuery, Key: []string{"city", "country"}, Fields: placeFields, Connections: 2,
		Secret: func(context.Context) (string, error) {
			p.reads.Add(1)
			return secretOf(t, p.secret), nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := NewDatabase(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pool := s.login.current.Load(); pool != nil {
			pool.Close()
		}
	})
	return s
}

// printed writes outcomes as short texts.
func printed(outcomes []Outcome) (texts []string) {
	for _, o := range outcomes {
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s %s", o.Status, o.Code, o.Values)))
	}
	return texts
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	s := p.source(t, func(cfg *DatabaseConfig) {
		cfg.Query = strings.Replace(cfg.Query, "p.longitude", "p.longitude, p.note, 1", 1)
	})
	for range 2 { // on one connection
		got, err := s.Lookup(t.Context(), []string{JoinKey("東京", "JP"), JoinKey("Lyon", "FR"), JoinKey("Paris", "US"), JoinKey("Paris", "FR")})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			`ok  {"population":0,"region":"","latitude":0.0000001,"longitude":139.69}`, `not_found`,
			`ok  {"population":24171,"region":null,"latitude":33.6609,"longitude":-95.5555}`,
			`ok  {"population":2102650,"region":"Île-de-France \"1\"","latitude":48.8566,"longitude":2.3522}`,
		}
		if !slices.Equal(printed(got), want) || got[0].Dropped != 2 || got[1].Dropped != 0 {
			t.Errorf("got %q, %d columns dropped\nwant %q", printed(got), got[0].Dropped, want)
		}
	}
	if n := p.reads.Load(); n != 1 {
		t.Errorf("the secret was read %d times", n)
	}
}

// TestDatabaseTypes: a column is of a field's type, or the answer is invalid; a value
// keeps the field's constraints, or its key fails.
func TestDatabaseTypes(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	for _, c := range []struct{ column, field, want string }{
		{`'é"'::text`, "text", `ok  {"value":"é\""}`},
		{`'é'::varchar(3)`, "text", `ok  {"value":"é"}`},
		{`'é'::char(5)`, "text", `ok  {"value":"é"}`},
		{`'0b5e3a1c-8a8e-4a0e-9a54-0123456789ab'::uuid::text`, "text", `failed invalid_answer`}, // too long
		{`E'a\x07'::text`, "text", `failed invalid_answer`},
		{`NULL::text`, "text", `ok  {"value":null}`},
		{`1::smallint`, "integer", `ok  {"value":1}`},
		{`-0::integer`, "integer", `ok  {"value":0}`},
		{`99::bigint`, "integer", `ok  {"value":99}`},
		{`sum(12::bigint) OVER ()`, "integer", `ok  {"value":12}`},
		{`100::bigint`, "integer", `failed invalid_answer`},
		{`12.0::numeric`, "integer", `failed invalid_answer`},
		{`'NaN'::numeric`, "integer", `failed invalid_answer`},
		{`1e20::double precision`, "integer", `failed invalid_answer`},
		{`0.250::numeric`, "number", `ok  {"value":0.250}`},
		{`0.1::double precision`, "number", `ok  {"value":0.1}`},
		{`1e-7::real`, "number", `ok  {"value":0.0000001}`},
		{`7::integer`, "number", `ok  {"value":7}`},
		{`NULL::numeric`, "number", `ok  {"value":null}`},
		{`100.5::numeric`, "number", `failed invalid_answer`},
		{`'NaN'::numeric`, "number", `failed invalid_answer`},
		{`'Infinity'::numeric`, "number", `failed invalid_answer`},
		{`'-Infinity'::double precision`, "number", `failed invalid_answer`},
		{`'NaN'::real`, "number", `failed invalid_answer`},
		{`1e300::double precision`, "number", `failed invalid_answer`},
		{`('0.' || repeat('1', 70))::numeric`, "number", `failed invalid_answer`},
		{`true`, "boolean", `ok  {"value":true}`},
		{`false`, "boolean", `ok  {"value":false}`},
		{`'2024-10-08'::date`, "date", `ok  {"value":"2024-10-08"}`},
		{`'infinity'::date`, "date", `failed invalid_answer`},
		{`'1989-12-31'::date`, "date", `failed invalid_answer`},
		{`'0044-03-15 BC'::date`, "date", `failed invalid_answer`},
		{`'2024-10-08 12:00:00.25+02'::timestamptz`, "datetime", `ok  {"value":"2024-10-08T10:00:00.25Z"}`},
		{`'infinity'::timestamptz`, "datetime", `failed invalid_answer`},
		{`'1'::text`, "integer", "column value is no integer"},
		{`'1'::text`, "number", "column value is no number"},
		{`1`, "text", "column value is no string"},
		{`1`, "boolean", "column value is no boolean"},
		{`'2024-10-08'::text`, "date", "column value is no date"},
		{`'2024-10-08 10:00'::timestamp`, "datetime", "column value is no datetime"},
		{`'{}'::jsonb`, "text", "column value is no string"},
		{`'x'::bytea`, "text", "column value is no string"},
		{`ARRAY['x']`, "text", "column value is no string"},
	} {
		field := map[string]contract.EnrichedField{
			"text":     {Type: contract.TypeString, Constraints: contract.Constraints{MaxLength: 12}},
			"integer":  {Type: contract.TypeInteger, Constraints: contract.Constraints{Maximum: apd.New(99, 0)}},
			"number":   {Type: contract.TypeNumber, Constraints: contract.Constraints{Maximum: apd.New(100, 0)}},
			"boolean":  {Type: contract.TypeBoolean},
			"date":     {Type: contract.TypeDate, Constraints: testDates},
			"datetime": {Type: contract.TypeDateTime, Constraints: testDates},
		}[c.field]
		field.Name = "value"
		s := p.source(t, func(cfg *DatabaseConfig) {
			cfg.Key, cfg.Fields = []string{"k"}, []contract.EnrichedField{field}
			cfg.Query = `SELECT k, ` + c.column + ` AS value FROM unnest($1::text[]) AS k`
		})
		var got string
		outcomes, err := s.Lookup(t.Context(), []string{"a"})
		if failure, ok := err.(*Failure); ok && failure.Code == CodeInvalidAnswer { //nolint:errorlint // the very type
			got = failure.Reason
		} else if err != nil {
			got = err.Error()
		} else {
			got = printed(outcomes)[0]
		}
		if got != c.want {
			t.Errorf("%s as %s: %s, want %s", c.column, c.field, got, c.want)
		}
	}
}

// TestDatabaseKeys: a key field of any type that a key may have is matched by its
// canonical form.
func TestDatabaseKeys(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	for column, want := range map[string]string{
		`k`: "ok", `k::varchar`: "ok", `k::char(9)`: "ok", `k::bigint`: "ok", `k::numeric`: "ok",
		`k::numeric(12,2)`: "a result is for none of the keys", `NULL::text`: "a result is for none of the keys", `k || 'x'`: "a result is for none of the keys",
		`ARRAY[k]`: "column k has a type that no key has", `now()`: "column k has a type that no key has",
	} {
		s := p.source(t, func(cfg *DatabaseConfig) {
			cfg.Key, cfg.Fields = []string{"k"}, []contract.EnrichedField{{Name: "value", Type: contract.TypeBoolean}}
			cfg.Query = `SELECT ` + column + ` AS k, true AS value FROM unnest($1::text[]) AS k`
		})
		outcomes, err := s.Lookup(t.Context(), []string{secretKey})
		var got string
		if err != nil {
			codeOf(t, err)
			got = err.(*Failure).Reason //nolint:errorlint // checked by codeOf
		} else {
			got = string(outcomes[0].Status)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", column, got, want)
		}
	}
}

// TestDatabaseTogether: calls at the same time share the connections.
func TestDatabaseTogether(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	s := p.source(t, nil)
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			got, err := s.Lookup(t.Context(), []string{JoinKey("Paris", "FR"), JoinKey("Lyon", "FR")})
			if err != nil || got[0].Status != "ok" || got[1].Status != "not_found" {
				t.Errorf("%q, %v", printed(got), err)
			}
		})
	}
	calls.Wait()
	if n := p.reads.Load(); n != 1 {
		t.Errorf("the secret was read %d times", n)
	}
	if n := s.login.current.Load().Stat().TotalConns(); n > 2 {
		t.Errorf("%d connections", n)
	}
}

// TestDatabaseRefusesConfigurations: what is missing is told when the source is made.
func TestDatabaseRefusesConfigurations(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*DatabaseConfig){
		"name": func(c *DatabaseConfig) { c.Name = "" }, "query": func(c *DatabaseConfig) { c.Query = "" },
		"key": func(c *DatabaseConfig) { c.Key = nil }, "fields": func(c *DatabaseConfig) { c.Fields = nil },
		"connections": func(c *DatabaseConfig) { c.Connections = 0 }, "secret": func(c *DatabaseConfig) { c.Secret = nil },
	} {
		cfg := DatabaseConfig{
			Name: "stores", Query: placesQuery, Key: []string{"city"}, Fields: placeFields, Connections: 1,
			Secret: func(context.Context) (string, error) { return "", nil },
		}
		change(&cfg)
		if _, err := NewDatabase(cfg); err == nil {
			t.Errorf("without %s", name)
		}
	}
}
