package event_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/postgres/postgrestest"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	os.Exit(postgrestest.Run(m.Run, func(s *postgrestest.Server) { server = s }))
}

// fixed are the columns of a staged row before its fields.
const fixed = 5

// staged is a staged row of a resource: fields and tokens by column name, the
// rest NULL.
func staged(r *contract.Resource, cells map[string]string) [][]byte {
	columns := r.StagingStream()
	row := make([][]byte, len(columns))
	for i := fixed; i < len(columns); i++ {
		if text, ok := cells[columns[i].Name]; ok {
			row[i] = []byte(text)
		}
	}
	return row
}

// made are the streams of some rows.
type made struct {
	targets, events bytes.Buffer
	summary         event.Summary
	streams         *event.Streams
}

func newMade(t *testing.T, resource string) (*made, *contract.Resource) {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	r, m, n := pkg.Resource(resource), &made{}, byte(0)
	b := event.NewBuilder(r, func() time.Time { return time.Date(2024, 10, 9, 15, 0, 0, 123_456_000, time.UTC) }, func() (uuid.UUID, error) {
		n++
		return uuid.UUID{1, 0x92, 0x67, 0xd0, 0x5a, 0x3b, 0x70, 0, 0x8f, 15: n}, nil
	})
	m.streams = event.NewStreams(b, &m.targets, &m.events, &m.summary)
	return m, r
}

func (m *made) write(t *testing.T, line int64, row [][]byte, e event.Enrichment) {
	t.Helper()
	if err := m.streams.Write(line, row, e); err != nil {
		t.Fatal(err)
	}
}

func (m *made) close(t *testing.T) {
	t.Helper()
	if err := m.streams.Close(); err != nil {
		t.Fatal(err)
	}
}

// copyInto copies a stream into a table.
func copyInto(t *testing.T, conn *pgx.Conn, table string, columns []contract.Column, stream io.Reader) {
	t.Helper()
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = pgx.Identifier{c.Name}.Sanitize()
	}
	if _, err := conn.PgConn().CopyFrom(t.Context(), stream, `COPY `+table+` (`+strings.Join(names, ", ")+`) FROM STDIN (FORMAT binary)`); err != nil {
		t.Fatal(err)
	}
}

// constants sets the columns that no stream holds, as a detached table's defaults do.
func constants(t *testing.T, conn *pgx.Conn, table string) {
	t.Helper()
	postgrestest.Exec(t, conn, `ALTER TABLE `+table+` ALTER COLUMN import_id SET DEFAULT 'IMPORT_20241009_150000_001',
		ALTER COLUMN generation SET DEFAULT 2, ALTER COLUMN file_date SET DEFAULT '2024-10-08'`)
}

// client is a staged client; the bytes of its ciphertexts are arbitrary.
func client(name string) map[string]string {
	return map[string]string{
		"client_id": "\x01cipher-id", "client_id_token": "token-of-17-bytes", "first_name": name, "last_name": "\x00\xff", "email": "e", "nif": "n",
		"nif_token": "t", "city": "Lille \"Nord\" \\ \u2028<&>\t\ufffd", "country": "FR", "created_at": "2024-01-02T03:04:05+02:00",
	}
}

// TestChecksum: what PostgreSQL computes over the table is what was counted on
// the way, row by row and in sum, whatever the rows hold.
func TestChecksum(t *testing.T) {
	t.Parallel()
	conn := postgrestest.Connect(t, server.URL(t))
	postgrestest.Exec(t, conn, `CREATE TABLE public.events (LIKE final.events)`)
	constants(t, conn, "public.events")
	m, r := newMade(t, "clients")
	enrichments := []event.Enrichment{
		{},
		{Status: etl.EnrichmentNotFound},
		{Status: etl.EnrichmentFailed},
		{Status: etl.EnrichmentOK, Values: json.RawMessage(`{"segment":"é|\"\\","loyalty_tier":"or","risk_score":1e-7}`)},
		{Status: etl.EnrichmentOK, Values: json.RawMessage(`{}`)},
	}
	for i := range 100 {
		m.write(t, int64(i)*1_000_000_007+2, staged(r, client(strings.Repeat("é\x00|", i))), enrichments[i%len(enrichments)])
	}
	m.close(t)
	stream := bytes.NewReader(m.events.Bytes())
	copyInto(t, conn, "public.events", event.Stream(), stream)
	got := postgrestest.Scan[string](t, conn, `SELECT sum(`+event.ChecksumSQL+`)::text FROM public.events`)
	if want := m.summary.Checksum.String(); got != want {
		t.Errorf("PostgreSQL sums %s, the summary has %s", got, want)
	}
	if m.summary.Events != 100 || m.summary.Enriched != 40 || m.summary.NotEnriched != 20 {
		t.Errorf("the summary counts %+v", m.summary)
	}
	postgrestest.Exec(t, conn, `UPDATE public.events SET data = (data::text || ' ')::json WHERE line_number = 2`)
	if again := postgrestest.Scan[string](t, conn, `SELECT sum(`+event.ChecksumSQL+`)::text FROM public.events`); again == got {
		t.Error("a changed row has the same checksum")
	}
	if n := postgrestest.Scan[int](t, conn, `SELECT count(*) FROM public.events WHERE jsonb_typeof(data::jsonb) = 'object' AND data->>'city' = $1`,
		"Lille \"Nord\" \\ \u2028<&>\t\ufffd"); n != 100 {
		t.Errorf("%d events hold the city as it was", n)
	}
}

// TestReread: the summary of a stream that is read again is the one that was
// counted while it was written.
func TestReread(t *testing.T) {
	t.Parallel()
	m, r := newMade(t, "clients")
	for i, status := range []etl.Enrichment{etl.EnrichmentOK, etl.EnrichmentFailed, etl.EnrichmentNotFound, ""} {
		m.write(t, int64(i+2), staged(r, client("x")), event.Enrichment{Status: status})
	}
	m.close(t)
	var again event.Summary
	rows := copybinary.NewReader(&m.events)
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := again.AddRow(row); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := encode(t, m.summary), encode(t, again); a != b {
		t.Errorf("written %s, read %s", a, b)
	}
	if again.FirstEvent.String() != "019267d0-5a3b-7000-8f00-000000000001" || again.LastEvent.String() != "019267d0-5a3b-7000-8f00-000000000004" {
		t.Errorf("the events go from %s to %s", again.FirstEvent, again.LastEvent)
	}
	if err := again.AddRow(make([][]byte, 3)); err == nil {
		t.Error("a row of other columns is counted")
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSum: sums add up in any order, beyond 64 bits, and survive JSON.
func TestSum(t *testing.T) {
	t.Parallel()
	const big = "9223372036854775807"
	var a, b event.Summary
	for _, s := range []*event.Summary{&a, &b} {
		if err := s.Checksum.UnmarshalText([]byte(big)); err != nil {
			t.Fatal(err)
		}
		s.Events = 2
	}
	a.Merge(b)
	a.Merge(b)
	if got := encode(t, a); got != `{"events":6,"enriched":0,"not_enriched":0,"checksum":"27670116110564327421"}` {
		t.Errorf("got %s", got)
	}
	var back event.Summary
	if err := json.Unmarshal([]byte(encode(t, a)), &back); err != nil || back.Checksum.String() != a.Checksum.String() {
		t.Errorf("read back %s, %v", back.Checksum.String(), err)
	}
	for _, text := range []string{"", "1.5", "0x10", "a"} {
		if err := new(event.Sum).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as a sum", text)
		}
	}
}

// TestEvent looks at every column of an event.
func TestEvent(t *testing.T) {
	t.Parallel()
	conn := postgrestest.Connect(t, server.URL(t))
	postgrestest.Exec(t, conn, `CREATE TABLE public.events (LIKE final.events)`)
	constants(t, conn, "public.events")
	m, r := newMade(t, "ventes")
	m.write(t, 7, staged(r, map[string]string{
		"sale_id": "+0012", "client_id": "cipher", "client_id_token": "token", "product_id": "3", "store_id": "-0", "quantity": "2",
		"unit_price": "012.50", "amount": "25", "sale_date": "2024-10-08", "channel": "web",
	}), event.Enrichment{})
	m.close(t)
	copyInto(t, conn, "public.events", event.Stream(), &m.events)
	got := postgrestest.Scan[string](t, conn, `SELECT concat_ws(' ', event_id, "timestamp" AT TIME ZONE 'UTC', event_type, import_id, generation, resource, file_date, line_number,
		convert_from(client_id, 'UTF8'), convert_from(client_id_token, 'UTF8'), coalesce(enrichment, 'NULL')) FROM public.events`)
	want := "019267d0-5a3b-7000-8f00-000000000001 2024-10-09 15:00:00.123456 sale.upserted IMPORT_20241009_150000_001 2 ventes 2024-10-08 7 cipher token NULL"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	data := postgrestest.Scan[string](t, conn, `SELECT data::text FROM public.events`)
	if want := `{"sale_id":12,"client_id":"` + base64.StdEncoding.EncodeToString([]byte("cipher")) +
		`","product_id":3,"store_id":0,"quantity":2,"unit_price":12.50,"sale_amount":25,"sale_date":"2024-10-08","channel":"web"}`; data != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
}

// TestTargets: public values are typed, protected ones pass as they are, and a
// missing value is NULL.
func TestTargets(t *testing.T) {
	t.Parallel()
	conn := postgrestest.Connect(t, server.URL(t))
	for resource, c := range map[string]struct {
		cells map[string]string
		want  string
	}{
		"produits": {
			map[string]string{"product_id": "9223372036854775807", "name": "Bêche", "category_id": "-7", "supplier_id": "1", "unit_price": "0.10", "currency": "EUR", "active": "true"},
			"(9223372036854775807,Bêche,-7,1,0.10,EUR,t,IMPORT_20241009_150000_001,2,2024-10-08,7)",
		},
		"stocks": {
			map[string]string{"product_id": "1", "store_id": "2", "quantity": "0", "counted_at": "2024-10-08T23:30:00.5+02:00"},
			`(1,2,0,"2024-10-08 21:30:00.5+00",IMPORT_20241009_150000_001,2,2024-10-08,7)`,
		},
		"paiements": {
			map[string]string{"payment_id": "1", "sale_id": "2", "amount": "12345678901234567890.123456789", "method": "carte", "paid_at": "2024-10-08T10:00:00Z"},
			`(1,2,12345678901234567890.123456789,carte,,"2024-10-08 10:00:00+00",IMPORT_20241009_150000_001,2,2024-10-08,7)`,
		},
		"employes": {
			map[string]string{"employee_id": "a", "employee_id_token": "b", "first_name": "c", "last_name": "d", "email": "e", "nif": "f", "nif_token": "g", "store_id": "1", "hired_on": "2016-02-29"},
			`("\\x61","\\x62","\\x63","\\x64","\\x65","\\x66","\\x67",1,2016-02-29,,IMPORT_20241009_150000_001,2,2024-10-08,7)`,
		},
	} {
		m, r := newMade(t, resource)
		m.write(t, 7, staged(r, c.cells), event.Enrichment{})
		m.close(t)
		table := "final." + resource
		constants(t, conn, table)
		copyInto(t, conn, table, r.TargetStream(), &m.targets)
		postgrestest.Exec(t, conn, `SET timezone = 'UTC'`)
		if got := postgrestest.Scan[string](t, conn, `SELECT t::text FROM `+table+` t`); got != c.want {
			t.Errorf("%s: got\n%s, want\n%s", resource, got, c.want)
		}
	}
}

// TestUntyped: a value that passed validation has a typed form; if it had not,
// the error names the field and the line, and never the value.
func TestUntyped(t *testing.T) {
	t.Parallel()
	valid := map[string]string{"product_id": "1", "store_id": "2", "quantity": "3", "counted_at": "2024-10-08T10:00:00Z"}
	for field, value := range map[string]string{"quantity": "tres-secret", "counted_at": "tres-secret", "product_id": "99999999999999999999"} {
		cells := map[string]string{}
		for k, v := range valid {
			cells[k] = v
		}
		cells[field] = value
		m, r := newMade(t, "stocks")
		err := m.streams.Write(42, staged(r, cells), event.Enrichment{})
		if err == nil || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), "line 42") || strings.Contains(err.Error(), value) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// TestNoID: an id that cannot be made fails the stream.
func TestNoID(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	empty := errors.New("no randomness")
	b := event.NewBuilder(pkg.Resource("stocks"), time.Now, func() (uuid.UUID, error) { return uuid.UUID{}, empty })
	s := event.NewStreams(b, io.Discard, io.Discard, new(event.Summary))
	row := staged(pkg.Resource("stocks"), map[string]string{"product_id": "1", "store_id": "2", "quantity": "3", "counted_at": "2024-10-08T10:00:00Z"})
	if err := s.Write(2, row, event.Enrichment{}); !errors.Is(err, empty) {
		t.Errorf("got %v", err)
	}
}

// TestColumns: a resource has an event for the client it is about, and no other.
func TestColumns(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	var about []string
	for _, r := range pkg.Resources {
		m, _ := newMade(t, r.Name)
		cells := map[string]string{}
		for _, c := range r.StagingStream()[fixed:] {
			cells[c.Name] = "1"
		}
		for _, f := range r.Fields {
			switch f.Type {
			case contract.TypeDate:
				cells[f.Name] = "2024-10-08"
			case contract.TypeDateTime:
				cells[f.Name] = "2024-10-08T10:00:00Z"
			case contract.TypeBoolean:
				cells[f.Name] = "false"
			default:
			}
		}
		m.write(t, 2, staged(r, cells), event.Enrichment{})
		m.close(t)
		row, err := copybinary.NewReader(&m.events).Next()
		if err != nil {
			t.Fatal(err)
		}
		if row[5] != nil {
			about = append(about, r.Name)
		}
		if len(row) != len(event.Stream()) {
			t.Errorf("%s: an event has %d columns", r.Name, len(row))
		}
	}
	if diff := cmp.Diff([]string{"clients", "ventes"}, about); diff != "" {
		t.Errorf("resources about a client (-want +got)\n%s", diff)
	}
}
