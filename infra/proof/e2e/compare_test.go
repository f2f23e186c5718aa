//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
)

// compare holds an import that succeeded against the oracle's verdict: its files,
// its rejects with their rules, its report and its events. It returns the events
// whose enrichment is not yet compared.
func (s *system) compare(t *testing.T, v *vault, imp stack.Import, of set, want verdict) enriched {
	t.Helper()
	s.compareFiles(t, imp, of, want)
	s.compareRejects(t, imp, want)
	s.compareReport(t, imp, want)
	return s.compareEvents(t, v, imp, of, want)
}

// compareFiles checks etl.files: what was read is valid or rejected, as the oracle says.
func (s *system) compareFiles(t *testing.T, imp stack.Import, of set, want verdict) {
	t.Helper()
	rows, err := s.db.Query(t.Context(), `SELECT resource, file, records, valid, rejected, status FROM etl.files
		WHERE import_id = $1 AND generation = $2`, imp.ImportID, imp.Generation)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	files := 0
	for rows.Next() {
		var resource, file, status string
		var records, valid, rejected int64
		if err := rows.Scan(&resource, &file, &records, &valid, &rejected, &status); err != nil {
			t.Fatal(err)
		}
		files++
		w := want.Files[resource]
		if records != valid+rejected || records != w.Read || valid != w.Valid || rejected != w.Rejected || file != w.File {
			t.Errorf("%s: %s read %d = %d valid + %d rejected; the oracle: %s %d = %d + %d", of.Date, file, records, valid, rejected, w.File, w.Read, w.Valid, w.Rejected)
		}
		if (rejected == 0) != (status == "validé") || (rejected > 0) != (status == "avec rejets") {
			t.Errorf("%s: status «%s» with %d rejects", file, status, rejected)
		}
	}
	if rows.Err() != nil || files != len(s.contract.Resources) {
		t.Errorf("%s: %d files in etl.files, %v", imp.ImportID, files, rows.Err())
	}
}

// lineOf names a record of a resource.
type lineOf struct {
	resource string
	line     int64
}

// compareRejects checks etl.rejects and etl.errors against the oracle, line by
// line and rule by rule.
func (s *system) compareRejects(t *testing.T, imp stack.Import, want verdict) {
	t.Helper()
	wanted := map[lineOf][]string{}
	for resource, file := range want.Files {
		for _, r := range file.Rejects {
			for _, e := range r.Errors {
				wanted[lineOf{resource, r.Line}] = append(wanted[lineOf{resource, r.Line}], e[0]+" "+e[1])
			}
		}
	}
	found := map[lineOf][]string{}
	rows, err := s.db.Query(t.Context(), `SELECT r.resource, r.line_number, coalesce(replace(e.field, ', ', ','), ''), coalesce(e.rule, ''),
			coalesce(e.error_details, '') <> '' AND e.processing_step = 'Validation des données' AND e.file = f.file
		FROM etl.rejects r LEFT JOIN etl.errors e ON (e.import_id, e.generation, e.resource, e.line_number) = (r.import_id, r.generation, r.resource, r.line_number)
			AND e.rule <> 'enrichment'
		JOIN etl.files f ON (f.import_id, f.generation, f.resource) = (r.import_id, r.generation, r.resource)
		WHERE r.import_id = $1 AND r.generation = $2`, imp.ImportID, imp.Generation)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var at lineOf
		var field, rule string
		var complete bool
		if err := rows.Scan(&at.resource, &at.line, &field, &rule, &complete); err != nil {
			t.Fatal(err)
		}
		if !complete {
			t.Errorf("%s, line %d: an error without details, step or file", at.resource, at.line)
		}
		found[at] = append(found[at], field+" "+rule)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	compareLines(t, imp, wanted, found)
	var loose int
	if err := s.db.QueryRow(t.Context(), `SELECT count(*) FROM etl.errors e WHERE import_id = $1 AND generation = $2 AND rule <> 'enrichment'
		AND NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (e.import_id, e.generation, e.resource, e.line_number))`,
		imp.ImportID, imp.Generation).Scan(&loose); err != nil || loose > 0 {
		t.Errorf("%d errors of records that were not rejected, %v", loose, err)
	}
}

func compareLines(t *testing.T, imp stack.Import, wanted, found map[lineOf][]string) {
	t.Helper()
	for at, rules := range wanted {
		got, rejected := found[at]
		if !rejected {
			t.Errorf("%s: %s, line %d is not rejected; the oracle: %v", imp.ImportID, at.resource, at.line, rules)
			continue
		}
		slices.Sort(rules)
		slices.Sort(got)
		if !slices.Equal(rules, slices.Compact(got)) {
			t.Errorf("%s: %s, line %d is rejected for %q; the oracle: %q", imp.ImportID, at.resource, at.line, got, rules)
		}
	}
	for at, rules := range found {
		if _, right := wanted[at]; !right {
			t.Errorf("%s: %s, line %d is rejected for %q; the oracle finds nothing", imp.ImportID, at.resource, at.line, rules)
		}
	}
}

// compareReport checks report.json, and that the page for readers is there.
func (s *system) compareReport(t *testing.T, imp stack.Import, want verdict) {
	t.Helper()
	var report struct {
		ImportID string `json:"import_id"`
		Status   string
		Files    []struct {
			Resource, File, Status   string
			Read, Valid, Rejected    int64
			Persisted, Kept, Skipped int64 // in the end of the valid ones: published, older than the row there, of a reload that was older
			Done, Balanced           bool
		}
	}
	if err := json.Unmarshal(s.object(t, s.Env["WORK_BUCKET"], imp.ImportID+"/report.json"), &report); err != nil {
		t.Fatal(err)
	}
	if report.ImportID != imp.ImportID || report.Status != succeeded || len(report.Files) != len(s.contract.Resources) {
		t.Errorf("the report is of %s, «%s», with %d files", report.ImportID, report.Status, len(report.Files))
	}
	for _, f := range report.Files {
		w := want.Files[f.Resource]
		if !f.Done || !f.Balanced || f.File != w.File || f.Read != w.Read || f.Valid != w.Valid || f.Rejected != w.Rejected || f.Persisted+f.Kept+f.Skipped != w.Valid {
			t.Errorf("the report on %+v; the oracle: read %d, valid %d, rejected %d", f, w.Read, w.Valid, w.Rejected)
		}
		var published int64
		if err := s.db.QueryRow(t.Context(), `SELECT count(*) FROM final.`+f.Resource+` WHERE import_id = $1`, imp.ImportID).Scan(&published); err != nil || f.Persisted != published {
			t.Errorf("the report says that %d %s are published, and %d are: %v", f.Persisted, f.Resource, published, err)
		}
	}
	if page := s.object(t, s.Env["WORK_BUCKET"], imp.ImportID+"/report.html"); !bytes.Contains(page, []byte(imp.ImportID)) {
		t.Error("the report's page does not name the import")
	}
}

// object returns the content of an object.
func (s *system) object(t *testing.T, bucket, key string) []byte {
	t.Helper()
	return s.version(t, bucket, key, nil)
}

// version returns the content of a version of an object, nil being the newest.
func (s *system) version(t *testing.T, bucket, key string, id *string) []byte {
	t.Helper()
	out, err := s.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: id})
	if err != nil {
		t.Fatalf("%s/%s: %v", bucket, key, err)
	}
	defer func() { _ = out.Body.Close() }()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// event is a row of final.events.
type event struct {
	id                      uuid.UUID
	importID                string
	kind, resource, file    string
	date                    string
	generation              int
	line                    int64
	clientID, clientIDToken []byte
	enrichment              *string
	data                    map[string]any
}

// compareEvents checks that each valid record became one event, with its content.
// It returns those whose enrichment is not yet compared.
func (s *system) compareEvents(t *testing.T, v *vault, imp stack.Import, of set, want verdict) enriched {
	t.Helper()
	wanted := map[lineOf]value{}
	for resource, values := range want.values {
		for _, r := range values {
			wanted[lineOf{resource, r.Line}] = r
		}
	}
	ids := map[uuid.UUID]bool{}
	found := enriched{}
	var stores []event
	for _, e := range s.events(t, imp.ImportID) {
		at := lineOf{e.resource, e.line}
		w, known := wanted[at]
		if !known {
			t.Errorf("an event of %s, line %d, which is not valid or has two", e.resource, e.line)
			continue
		}
		delete(wanted, at)
		r := s.contract.Resource(e.resource)
		if ids[e.id] || e.id.Version() != 7 || e.kind != r.EventType || e.file != w.File || e.date != of.Date || e.generation != imp.Generation {
			t.Errorf("event %s of %s, line %d: %s, %s, %s, generation %d", e.id, e.resource, e.line, e.kind, e.file, e.date, e.generation)
		}
		ids[e.id] = true
		s.compareClient(t, v, imp, e, w)
		compareData(t, v, r, scope{imp.ImportID, e.generation, e.resource}, e, w)
		switch {
		case r.Name == "magasins":
			stores = append(stores, e)
		case r.Enrichment != nil:
			found[e.resource] = append(found[e.resource], keyed{e, keyOf(r, w)})
		case e.enrichment != nil:
			t.Errorf("event of %s, line %d: enrichment %q", e.resource, e.line, *e.enrichment)
		}
	}
	for at := range wanted {
		t.Errorf("%s, line %d is valid and has no event", at.resource, at.line)
	}
	s.compareStores(t, stores)
	return found
}

func (s *system) events(t *testing.T, importID string) []event {
	t.Helper()
	rows, err := s.db.Query(t.Context(), `SELECT event_id, event_type, resource, file, e.file_date::text, generation, line_number,
		client_id, client_id_token, enrichment, data::text FROM final.events e JOIN etl.files f USING (import_id, generation, resource) WHERE import_id = $1`, importID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var events []event
	for rows.Next() {
		e := event{importID: importID}
		var data string
		if err := rows.Scan(&e.id, &e.kind, &e.resource, &e.file, &e.date, &e.generation, &e.line, &e.clientID, &e.clientIDToken, &e.enrichment, &data); err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(strings.NewReader(data))
		decoder.UseNumber()
		if err := decoder.Decode(&e.data); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return events
}

// compareClient checks the event's own client_id, where the record has one.
func (s *system) compareClient(t *testing.T, v *vault, imp stack.Import, e event, want value) {
	t.Helper()
	f := s.contract.Resource(e.resource).Field("client_id")
	if f == nil {
		if e.clientID != nil || e.clientIDToken != nil {
			t.Errorf("event of %s, line %d has a client_id", e.resource, e.line)
		}
		return
	}
	plain := v.open(t, scope{imp.ImportID, e.generation, e.resource}, v.record(e.resource, e.line, e.data), f.Name, e.clientID)
	v.token(t, f, plain, e.clientIDToken)
	if plain != text(want.Target[f.Target]) {
		t.Errorf("event of %s, line %d: another client_id", e.resource, e.line)
	}
}

// compareData checks the members of an event's data, and that there are no others.
func compareData(t *testing.T, v *vault, r *contract.Resource, of scope, e event, want value) {
	t.Helper()
	members := len(r.Fields)
	switch aws.ToString(e.enrichment) {
	case "ok":
		members += len(r.Enrichment.Fields)
	case "failed":
		members++ // enrichment_error
	}
	if len(e.data) != members {
		t.Errorf("event of %s, line %d has %d members, want %d", e.resource, e.line, len(e.data), members)
	}
	for _, f := range r.Fields {
		if w := want.Target[f.Target]; !sameMember(f, w, v.member(t, f, of, e)) {
			t.Errorf("event of %s, line %d, %s is not %v", e.resource, e.line, f.Target, w)
		}
	}
}

// member is a member of an event's data, in the clear.
func (v *vault) member(t *testing.T, f *contract.Field, of scope, e event) any {
	t.Helper()
	got, there := e.data[f.Target]
	if !there {
		t.Errorf("event of %s, line %d lacks %s", e.resource, e.line, f.Target)
	}
	sealed, ok := got.(string)
	switch {
	case !f.Sensitive() || got == nil:
		return got
	case !ok:
		t.Fatalf("event of %s, line %d, %s is in clear", e.resource, e.line, f.Target)
	}
	ciphertext, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		t.Fatalf("event of %s, line %d, %s: %v", e.resource, e.line, f.Target, err)
	}
	return v.open(t, of, v.record(e.resource, e.line, e.data), f.Name, ciphertext)
}

// sameMember compares the oracle's value with a member of an event's data: a
// JSON number, boolean, text or null.
func sameMember(f *contract.Field, want, got any) bool {
	if number, ok := got.(json.Number); ok {
		return (f.Type == contract.TypeInteger || f.Type == contract.TypeNumber) && want != nil && sameNumber(fmt.Sprint(want), number.String())
	}
	return want == got
}
