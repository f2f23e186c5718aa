package phase_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/protection"
)

// twice runs every phase two times and asserts that the second run returns what
// the first did and changes nothing in the database, with at most four calls of
// KMS a run.
func twice(t *testing.T, r *run) *run {
	t.Helper()
	const kmsCalls = 4
	r.around = func(state string, once func() (any, error)) (any, error) {
		r.l.kms.calls.Store(0)
		first, err := once()
		if err != nil {
			return first, err
		}
		if r.l.kms.calls.Load() > kmsCalls {
			t.Errorf("%s calls KMS %d times, more than %d", state, r.l.kms.calls.Load(), kmsCalls)
		}
		before := r.l.dump(t)
		second, err := once()
		if err != nil {
			t.Errorf("%s again: %v", state, err)
			return first, nil
		}
		if a, b := string(encode(t, first)), string(encode(t, second)); a != b {
			t.Errorf("%s returns first\n%s\nthen\n%s", state, a, b)
		}
		if tables := differing(before, r.l.dump(t)); tables != nil {
			t.Errorf("%s changes %v when it runs again", state, tables)
		}
		return first, nil
	}
	return r
}

// TestWholeLine walks the history and then a day, cut into small chunks, every
// phase twice.
func TestWholeLine(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.chunkBytes, l.chunkRecords = 120, 2
	history := day().only("paiements") // an empty day
	initial := twice(t, l.upload(t, etl.ModeInitial, "2024-10-07", history.csv(t))).all(t)
	l.expectPublished(t, initial, history, map[string]int64{})

	next := day(). // clients 101 and 103, and every sale, are in the tables already
			only("clients", "102,Noël,Dupond,noel@exemple.fr,1000000002,,,,Nice,FR,2024-01-02T03:04:05Z", "104,Inès,Roux,ines@exemple.fr,1000000004,,,,Lyon,FR,2024-02-02T03:04:05Z", "105,,Vide,vide@exemple.fr,1000000005,,,,Lyon,FR,2024-02-02T03:04:05Z").
			only("ventes", "1005,104,1,1,1,12.50,12.50,2024-10-08,web", "1006,103,1,1,1,12.50,12.50,2024-10-08,web", "1007,105,1,1,1,12.50,12.50,2024-10-08,web").
			only("retours")
	daily := twice(t, l.upload(t, etl.ModeDaily, "2024-10-08", next.csv(t))).all(t)
	l.expectPublished(t, daily, next, map[string]int64{"clients": 1, "ventes": 1})
	if got := l.count(t, `SELECT count(*) FROM final.clients`); got != 4 {
		t.Errorf("%d clients, want those of both dates", got)
	}
	if got := l.plain(t, daily, "last_name", `SELECT last_name, line_number FROM final.clients WHERE import_id = $1 ORDER BY line_number LIMIT 1`); got != "Dupond" {
		t.Errorf("client 102 is called %q: it was not updated", got)
	}
	if got := l.plain(t, initial, "last_name", `SELECT last_name, line_number FROM final.clients WHERE import_id = $1 ORDER BY line_number LIMIT 1`); got != "Lefèvre" {
		t.Errorf("client 101 is called %q", got)
	}
}

// expectPublished checks the counts of an import everywhere they stand.
func (l *line) expectPublished(t *testing.T, r *run, sent rows, rejected map[string]int64) {
	t.Helper()
	id := r.imp.ImportID
	var events int64
	for resource, read := range sent.quantities(l.common.Contract) {
		valid := read - rejected[resource]
		events += valid
		if got := l.count(t, `SELECT count(*) FROM final.events WHERE import_id = $1 AND resource = $2`, id, resource); int64(got) != valid {
			t.Errorf("%s has %d events, want %d", resource, got, valid)
		}
		if got := l.count(t, `SELECT count(*) FROM staging.`+resource+` WHERE import_id = $1`, id); int64(got) != read {
			t.Errorf("%s has %d staged rows, want %d", resource, got, read)
		}
		if got := l.count(t, `SELECT count(*) FROM staging.`+resource+`_ready WHERE import_id = $1`, id); int64(got) != valid {
			t.Errorf("%s has %d ready rows, want %d", resource, got, valid)
		}
		if got := l.count(t, `SELECT count(*) FROM final.`+resource+` WHERE import_id = $1`, id); int64(got) != valid || r.published.Tables[resource].Written != valid {
			t.Errorf("%s has %d rows of the import, %+v published, want %d", resource, got, r.published.Tables[resource], valid)
		}
		status := "validé"
		if rejected[resource] > 0 {
			status = "avec rejets"
		}
		want := fmt.Sprintf("%d %d %d %s", read, valid, rejected[resource], status)
		if got := postgrestest.Scan[string](t, l.conn, `SELECT concat_ws(' ', records, valid, rejected, status) FROM etl.files WHERE import_id = $1 AND resource = $2`, id, resource); got != want {
			t.Errorf("file of %s: %s, want %s", resource, got, want)
		}
		for _, state := range []string{"Scan", "Protect", "Stage", "Validate", "CrossCheck", "Enrich", "Transform", "Prepare"} {
			if state == "Enrich" && l.common.Contract.Resource(resource).Enrichment == nil {
				continue
			}
			p := l.registry.sum(r.imp, etl.State(state), resource)
			if p.Read != read {
				t.Errorf("progress of %s, %s: %d read, want %d", state, resource, p.Read, read)
			}
			if state == "Prepare" && (p.Valid != valid || p.Persisted != valid) || state == "Stage" && p.Persisted != read {
				t.Errorf("progress of %s, %s: %+v", state, resource, p)
			}
		}
	}
	if r.published.Events != events {
		t.Errorf("%d events published, want %d", r.published.Events, events)
	}
	if got := postgrestest.Scan[string](t, l.conn, `SELECT status FROM etl.imports WHERE import_id = $1 AND published_at IS NOT NULL`, id); got != "réussi" {
		t.Errorf("the import is %q", got)
	}
	if got := l.count(t, `SELECT count(*) FROM pg_tables WHERE schemaname = 'partitions' AND tablename LIKE '%' || lower(replace($1, 'IMPORT_', '')) || '%'
		AND tablename NOT LIKE 'staging%' AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(format('partitions.%I', tablename)))`, id); got != 0 {
		t.Errorf("%d detached tables are left", got)
	}
}

// plain decrypts a published value; query returns it with its line.
func (l *line) plain(t *testing.T, r *run, column, query string) string {
	t.Helper()
	var sealed []byte
	var number int64
	if err := l.conn.QueryRow(t.Context(), query, r.imp.ImportID).Scan(&sealed, &number); err != nil {
		t.Fatal(err)
	}
	return l.unseal(t, r, "clients", protection.Record{Line: number}, column, sealed)
}

func (l *line) unseal(t *testing.T, r *run, resource string, of protection.Record, column string, sealed []byte) string {
	t.Helper()
	text, err := l.opener(t, r, resource).Open(nil, of, column, sealed)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// opener opens the values of a resource, as a reader of the database would.
func (l *line) opener(t *testing.T, r *run, resource string) *protection.Opener {
	t.Helper()
	wrapped := postgrestest.Scan[[]byte](t, l.conn, `SELECT ciphertext FROM etl.data_keys WHERE import_id = $1`, r.imp.ImportID)
	key, err := protection.DecryptDataKey(t.Context(), l.kms, l.fieldsKey, r.imp.ImportID, r.imp.KeyID, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	return protection.NewOpener(key, protection.Scope{ImportID: r.imp.ImportID, Generation: r.imp.Generation, Resource: resource})
}

// TestEvents looks at what an event holds.
func TestEvents(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.source.unknown = map[string]bool{"102": true}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	var data string
	if err := l.conn.QueryRow(t.Context(), `SELECT data FROM final.events WHERE event_type = 'product.reloaded' AND line_number = 4`).Scan(&data); err != nil {
		t.Fatal(err)
	}
	if want := `{"product_id":3,"name":"Seau, \"grand\"","category_id":2,"supplier_id":2,"unit_price":3.105,"currency":"EUR","active":true}`; data != want {
		t.Errorf("a product's event holds\n%s, want\n%s", data, want)
	}
	got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', line_number, enrichment, data->>'loyalty_tier', data->>'city'), ', ' ORDER BY line_number) FROM final.events WHERE resource = 'clients'`)
	if want := "2 ok or Lille, 3 not_found Nice, 4 ok or Genève"; got != want {
		t.Errorf("the clients' events are %s, want %s", got, want)
	}
	if got := l.count(t, `SELECT count(*) FROM final.events WHERE resource <> 'clients' AND enrichment IS NOT NULL`); got != 0 {
		t.Errorf("%d events of other resources are marked", got)
	}
	// A sale refers to its client by the token; the ciphertexts differ.
	if got := l.count(t, `SELECT count(*) FROM final.events v JOIN final.events c ON c.client_id_token = v.client_id_token AND c.client_id <> v.client_id
		WHERE v.resource = 'ventes' AND c.resource = 'clients'`); got != 4 {
		t.Errorf("%d of 4 sales find their client's event", got)
	}
	if got := l.count(t, `SELECT count(*) FROM final.events WHERE import_id = $1 AND substr(event_id::text, 15, 1) = '7' AND data->>'sale_amount' = '15.53'`, r.imp.ImportID); got != 1 {
		t.Errorf("the amount of sale 1003 is not there as sale_amount")
	}
	slices.Sort(l.source.asked)
	if diff := cmp.Diff([]string{"101", "102", "103"}, l.source.asked); diff != "" {
		t.Errorf("the enricher was asked for (-want +got)\n%s", diff)
	}
}

// TestNothingInClear: no sensitive value, nor a part of a malformed line, stands
// in clear anywhere but in the landing bucket.
func TestNothingInClear(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.source.fail = map[string]bool{"987654321": true}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		with("clients", "987654321,Ephraïm,Secretsson,ephraim@secret.example,9876543210,+33600000001,1971-07-17,17 rue Cachée,Lille,FR,2024-01-02T03:04:05Z",
			"987654322,Melchior9,Secretsson,melchior(at)secret,98765,06 secret,17/07/1971,x,Lille,FR,2024-01-02T03:04:05Z",
			`987654323,"Balthazar" Secretsson,oops,balthazar@secret.example`,
			"987654324,Gaspard,Secretsson,gaspard@secret.example,9876543211,,1971-07-18,18 rue Dérobée,69001 Celéeville,Lyon,FR"). // a comma in the address, none behind it
		with("fournisseurs", "3,Caché,secret@secret.example,").
		with("paiements", "503,1003,5.00,virement,DE89370400440532013000,2024-10-08T10:00:00Z").csv(t)).all(t)
	all := map[string]string{"the log": l.log.String(), "the metrics": l.metrics.String()}
	for table, content := range l.dump(t) {
		all[table] = content
	}
	for key, content := range l.workObjects(t) {
		all[key] = content
	}
	if len(all) < 60 {
		t.Fatalf("only %d places were looked at", len(all))
	}
	for _, secret := range []string{
		"987654321", "987654322", "987654323", "Ephra", "Melchior", "Balthazar", "Secretsson", "secret.example", "9876543210", "+33600000001",
		"1971-07-17", "17/07/1971", "Cach\u00e9e", "D\u00e9rob\u00e9e", "Cel\u00e9eville", "DE89370400440532013000", "zoe@exemple.fr", segment, score,
	} {
		for where, content := range all {
			// bytea is shown in hexadecimal.
			if strings.Contains(content, secret) || strings.Contains(content, fmt.Sprintf("%x", secret)) {
				t.Errorf("%q stands in %s", secret, where)
			}
		}
	}
	raw := l.unseal(t, r, "clients", protection.Record{Line: 7}, protection.RawColumn, postgrestest.Scan[[]byte](t, l.conn, `SELECT raw FROM etl.errors WHERE resource = 'clients' AND line_number = 7`))
	if !strings.HasPrefix(raw, `987654323,"Balthazar" Secretsson`) {
		t.Errorf("the malformed line is kept as %q", raw)
	}
	if got := strings.Join(column(t, l.conn, `SELECT field || ' ' || rule FROM etl.errors WHERE resource = 'clients' AND line_number = 8 ORDER BY field`), ", "); got != "country enum, created_at type" {
		t.Errorf("the errors of the record with a comma too few are %s", got)
	}
}

// workObjects is the content of every object of the work bucket.
func (l *line) workObjects(t *testing.T) map[string]string {
	t.Helper()
	out, err := emulator.S3(t).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(l.work.Bucket())})
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, o := range out.Contents {
		_, err := l.work.Read(t.Context(), objectstore.Object{Key: aws.ToString(o.Key)}, func(r io.Reader) error {
			b, err := io.ReadAll(r)
			content[aws.ToString(o.Key)] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return content
}
