package phase_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestEnrichmentFails: a record that could not be enriched is an event all the
// same, marked, listed and logged; it is no reject.
func TestEnrichmentFails(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.source.fail = map[string]bool{"102": true}
	r := l.upload(t, etl.ModeInitial, "2024-10-08", day().csv(t)).all(t)
	l.expectPublished(t, r, day(), map[string]int64{})
	got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', line_number, enrichment, coalesce(data->>'loyalty_tier', '-')), ', ' ORDER BY line_number) FROM final.events WHERE resource = 'clients'`)
	if want := "2 ok or, 3 failed -, 4 ok or"; got != want {
		t.Errorf("the events are %s, want %s", got, want)
	}
	got = postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' | ', file, resource, line_number, rule, error_details, processing_step), ', ') FROM etl.errors`)
	if want := "client_data_20241008.csv | clients | 3 | enrichment | " + phase.NotEnriched("clients", "timeout") + " | " + string(etl.StepTransformation); got != want {
		t.Errorf("the error table has %s, want %s", got, want)
	}
	logged := l.log.lines(t, phase.EnrichmentError)
	if len(logged) != 1 || logged[0].Line != 3 || logged[0].File != "client_data_20241008.csv" || logged[0].ImportID != r.imp.ImportID || logged[0].Level != "ERROR" {
		t.Errorf("logged %+v", logged)
	}
	for _, state := range []etl.State{etl.StateEnrich, etl.StateTransform} {
		if p := l.registry.sum(r.imp, state, "clients"); p.Valid != 3 || p.Enriched != 2 || p.NotEnriched != 1 {
			t.Errorf("progress of %s %+v", state, p)
		}
	}
}

// TestEnrichTwin: the answers of the first run stand, whatever the source says the
// second time: a run asks nothing if the ledger has the chunk, and a run that finds an
// object without a ledger row commits that object.
func TestEnrichTwin(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.source.fail = map[string]bool{"102": true}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "clients")
	in := phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: chunk}}
	proxy := postgrestest.Listen(t, l.url)
	l.db = server.Open(t, proxy.URL)
	var answers string
	for name, c := range map[string]postgrestest.Loss{"failed, not saved": postgrestest.LoseRequest, "failed, but saved": postgrestest.LoseAnswer} {
		postgrestest.Exec(t, l.conn, `DELETE FROM etl.ledger WHERE phase = 'Enrich'`)
		proxy.Lose(c)
		if _, err := l.enrich().Run(t.Context(), in); fault.Name(fault.Lift(err)) != "Transient" {
			t.Fatalf("%s: got %v, want a Transient fault", name, err)
		}
		l.source.tier, l.source.fail, l.source.asked = "argent", nil, nil
		out := do(t, r, "Enrich", in, l.enrich().Run)
		if out.Answers.Records != 3 || out.Answers.Enriched != 2 || out.Answers.NotEnriched != 1 {
			t.Errorf("%s: then %+v", name, out)
		}
		if asked := len(l.source.asked); (asked > 0) != (c == postgrestest.LoseRequest) {
			t.Errorf("%s: then %d keys are asked for", name, asked)
		}
		stored := postgrestest.Scan[string](t, l.conn, `SELECT concat_ws(' ', object_key, object_version, object_checksum) FROM etl.ledger WHERE phase = 'Enrich'`)
		if answers == "" {
			answers = stored
		}
		if stored != answers {
			t.Errorf("%s: the ledger names %s, before %s", name, stored, answers)
		}
	}
	r.through(t, "Enrich", "Publish")
	if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', enrichment, data->>'loyalty_tier'), ', ' ORDER BY line_number) FROM final.events WHERE resource = 'clients'`); got != "ok or, failed, ok or" {
		t.Errorf("the events are %s", got)
	}
}

// TestTransformTwin: the events of the first run stand, also if it died between its two
// objects.
func TestTransformTwin(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Enrich")
	_, chunk := r.chunkOf(t, "clients")
	in := phase.ChunkIn{Import: r.imp, Chunk: chunk}
	first := do(t, r, "Transform", in, l.transform().Run)
	if _, err := emulator.S3(t).DeleteObject(t.Context(), &s3.DeleteObjectInput{
		Bucket: aws.String(l.work.Bucket()), Key: &first.Targets.Key, VersionId: &first.Targets.VersionID,
	}); err != nil {
		t.Fatal(err)
	}
	second := do(t, r, "Transform", in, l.transform().Run)
	if second.Events != first.Events || second.Summary.Checksum.String() != first.Summary.Checksum.String() || second.Summary.FirstEvent != first.Summary.FirstEvent {
		t.Errorf("the events are %+v, then %+v", first, second)
	}
	if second.Targets.Checksum != first.Targets.Checksum {
		t.Error("the targets depend on more than the staged records")
	}
	r.through(t, "Events", "Publish")
}

// TestEnrichObjectLost is the failure table of the answers object: its upload fails, or
// its answer is lost. The second run asks again and ends with one object.
func TestEnrichObjectLost(t *testing.T) {
	t.Parallel()
	for name, saved := range map[string]bool{"failed, not saved": false, "failed, but saved": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
			_, chunk := r.chunkOf(t, "clients")
			in := phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: chunk}}
			broken := l.enrich()
			broken.Work = objectstore.New(s3.New(emulator.S3(t).Options(), func(o *s3.Options) {
				o.RetryMaxAttempts, o.HTTPClient = 1, losingPuts{o.HTTPClient, saved}
			}), l.work.Bucket())
			if _, err := broken.Run(t.Context(), in); fault.Name(fault.Lift(err)) != "Transient" {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			if n := l.count(t, `SELECT count(*) FROM etl.ledger WHERE phase = 'Enrich'`); n != 0 {
				t.Error("the ledger has the chunk")
			}
			l.source.tier = "argent"
			do(t, r, "Enrich", in, l.enrich().Run)
			r.through(t, "Events", "Publish")
			want := "argent"
			if saved {
				want = "or"
			}
			if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(DISTINCT data->>'loyalty_tier', ', ') FROM final.events WHERE resource = 'clients'`); got != want {
				t.Errorf("the tiers are %s, want %s", got, want)
			}
		})
	}
}

// losingPuts breaks the connection of each PUT, before the server has it or after.
type losingPuts struct {
	s3.HTTPClient
	saved bool
}

func (l losingPuts) Do(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPut {
		return l.HTTPClient.Do(r)
	}
	if l.saved {
		if answer, err := l.HTTPClient.Do(r); err != nil {
			return answer, err
		}
	}
	return nil, &net.OpError{Op: "write", Err: syscall.ECONNRESET}
}

// TestEnrichAsksOnce: records with the same key share one question, as many distinct
// keys are asked for at a time as the enricher takes, and each record gets the answer
// for its own key.
func TestEnrichAsksOnce(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.enriches("ventes", &contract.Enrichment{Source: "clients", Kind: "rest", Key: []string{"client_id"}, Limits: contract.SourceLimits{CallsInFlight: 8}})
	l.source.batch = 3
	l.source.fail = map[string]bool{"103": true}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	if len(r.planned.Enrichment) != 1 || r.planned.Enrichment[0].Chunks != 2 {
		t.Fatalf("to be enriched are %+v, want 2 chunks of one source", r.planned.Enrichment)
	}
	_, chunk := r.chunkOf(t, "ventes")
	out := do(t, r, "Enrich", phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: chunk}}, l.enrich().Run)
	slices.Sort(l.source.asked)
	if distinct := slices.Compact(slices.Clone(l.source.asked)); !slices.Equal(distinct, l.source.asked) || int64(len(distinct)) >= out.Answers.Records {
		t.Errorf("for %d records the keys %v are asked for", out.Answers.Records, l.source.asked)
	}
	r.through(t, "Enrich", "Publish")
	if got := l.count(t, `SELECT count(*) FROM final.events v JOIN final.events c ON c.client_id_token = v.client_id_token
		WHERE v.resource = 'ventes' AND c.resource = 'clients' AND v.enrichment = c.enrichment`); got != int(out.Answers.Records) {
		t.Errorf("%d of %d sales have the answer for their client", got, out.Answers.Records)
	}
}

// enriches changes the enrichment of a resource in the contract.
func (l *line) enriches(resource string, by *contract.Enrichment) {
	pkg := *l.common.Contract
	pkg.Resources = slices.Clone(pkg.Resources)
	for i, r := range pkg.Resources {
		if r.Name == resource {
			changed := *r
			changed.Enrichment = by
			pkg.Resources[i] = &changed
		}
	}
	l.common.Contract = &pkg
}

// TestEnrichCancelled: that a function's time is up says nothing about the source: no
// record is marked as failed for it, and nothing is written.
func TestEnrichCancelled(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "clients")
	in := phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: chunk}}
	ctx, cancel := context.WithCancel(t.Context())
	l.source.before = func([]string) error { cancel(); return ctx.Err() }
	_, err := l.enrich().Run(ctx, in)
	if _, ok := errors.AsType[*fault.Transient](fault.Lift(err)); !ok {
		t.Errorf("got %v, want a Transient fault", err)
	}
	l.source.before = nil
	out := do(t, r, "Enrich", in, l.enrich().Run)
	if out.Answers.Enriched != 3 || out.Answers.NotEnriched != 0 {
		t.Errorf("then: %+v", out)
	}
}

// TestSourceNotConfigured: an import whose source is not configured stops before
// it writes events without enrichment.
func TestSourceNotConfigured(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "clients")
	enrich := l.enrich()
	missing := errors.New("not configured")
	enrich.Enrichers = func(string, etl.Mode) (phase.Enricher, error) { return nil, missing }
	if _, err := enrich.Run(t.Context(), phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: chunk}}); !errors.Is(err, missing) {
		t.Errorf("got %v", err)
	}
	_, chunk = r.chunkOf(t, "magasins")
	if _, err := l.enrich().Run(t.Context(), phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: chunk}}); err == nil {
		t.Error("a resource without an enrichment is enriched")
	}
}

// TestNothingToEnrich: a chunk without a valid record costs no call of the source or of
// KMS, and an import without a chunk to enrich does not pass Enrich at all.
func TestNothingToEnrich(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		only("clients", "105,,Vide,vide@exemple.fr,1000000005,,,,Lyon,FR,2024-02-02T03:04:05Z").csv(t)).
		through(t, "Open", "CrossCheck")
	l.kms.calls.Store(0)
	r.through(t, "Enrich", "Events")
	if len(l.source.asked) != 0 || l.kms.calls.Load() != 0 {
		t.Errorf("%d keys are asked for, %d calls of KMS", len(l.source.asked), l.kms.calls.Load())
	}
	l = newLine(t)
	l.enriches("clients", nil)
	r = l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	if len(r.planned.Enrichment) != 0 || len(l.source.asked) != 0 {
		t.Errorf("without an enrichment Plan wants %+v, and %d keys are asked for", r.planned.Enrichment, len(l.source.asked))
	}
	if got := l.count(t, `SELECT count(*) FROM final.events WHERE enrichment IS NOT NULL`); got != 0 {
		t.Errorf("%d events are marked", got)
	}
	for key := range l.workObjects(t) {
		if strings.Contains(key, "enrichment") {
			t.Errorf("there is a manifest for nothing: %s", key)
		}
	}
}

// TestOlderMachine: an execution redriven under a definition without the state Enrich
// does not publish its records unenriched; it must be continued under the new one.
func TestOlderMachine(t *testing.T) {
	t.Parallel()
	r := newLine(t).upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "clients")
	err := fault.Lift(call(phase.ChunkIn{Import: r.imp, Chunk: chunk}, r.l.transform().Run)(t.Context()))
	if got, ok := errors.AsType[*fault.Incompatible](err); !ok || got.Advice() != fault.Continue {
		t.Errorf("got %v, want Incompatible and to continue", err)
	}
	if todo := fault.WhatToDo(r.imp.ImportID, fault.Name(err), string(fault.AdviceOf(err))); !strings.Contains(todo, "CONTINUE=1") {
		t.Errorf("the operator is told %q", todo)
	}
	r.through(t, "Open", "Publish") // as a new execution of the generation
	if r.published.Events != 26 {
		t.Errorf("%d events", r.published.Events)
	}
}

// TestOtherAnswers: Transform takes no answer for another record's, and no other object.
func TestOtherAnswers(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Enrich")
	_, chunk := r.chunkOf(t, "clients")
	transform := call(phase.ChunkIn{Import: r.imp, Chunk: chunk}, l.transform().Run)
	var own objectstore.Object
	if err := l.conn.QueryRow(t.Context(), `SELECT object_key, object_version, object_checksum FROM etl.ledger WHERE phase = 'Enrich'`).
		Scan(&own.Key, &own.VersionID, &own.Checksum); err != nil {
		t.Fatal(err)
	}
	body, err := l.work.Open(t.Context(), own.Key, own.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
	for name, lines := range map[string][]int64{"too few": {2, 3}, "too many": {2, 3, 4, 5}, "another line": {2, 3, 5}, "none": nil} {
		other, _, err := l.work.PutOnce(t.Context(), "other/"+name, body.Metadata, func(w io.Writer) error {
			a := answers.NewWriter(w)
			for _, line := range lines {
				if err := a.Write(line, event.Enrichment{Status: etl.EnrichmentNotFound}); err != nil {
					return err
				}
			}
			return a.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		r.refersTo(t, "Enrich", other)
		expectMismatch(t, name, transform(t.Context()))
	}
	changed := own
	changed.Checksum = own.Checksum[1:] + own.Checksum[:1]
	for name, object := range map[string]objectstore.Object{
		"other columns": r.foreign(t, "other/columns", map[string]string{"schema": "another"}, own), "other content": changed,
	} {
		r.refersTo(t, "Enrich", object)
		if got, ok := errors.AsType[*fault.Incompatible](fault.Lift(transform(t.Context()))); !ok || got.Advice() != fault.Restart {
			t.Errorf("%s: got %v, want Incompatible", name, got)
		}
	}
	r.refersTo(t, "Enrich", own)
	r.through(t, "Events", "Publish")
}

// TestEventsLogged: where the setting asks for it, each event has its line.
func TestEventsLogged(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "magasins")
	in := phase.ChunkIn{Import: r.imp, Chunk: chunk}
	prepare := l.prepare()
	prepare.LogEvents = true
	do(t, r, "Prepare", phase.PrepareIn{ChunkIn: in, Transformed: do(t, r, "Transform", in, l.transform().Run)}, prepare.Run)
	logged := l.log.lines(t, phase.EventPersisted)
	if len(logged) != 2 || logged[0].Line != 2 || logged[1].Line != 3 || logged[0].Level != "INFO" || logged[0].File != "store_data_20241008.csv" {
		t.Errorf("logged %+v", logged)
	}
}

// TestProgressNotRecorded: a unit that is persisted does not fail for want of a
// place to tell it.
func TestProgressNotRecorded(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.registry.broken = errors.New("the table is gone")
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).all(t)
	l.registry.broken = nil
	if got := l.log.lines(t, phase.ProgressNotRecorded); len(got) < 50 || got[0].Level != "WARN" || got[0].ImportID != r.imp.ImportID {
		t.Errorf("%d warnings", len(got))
	}
	if r.published.Events != 26 {
		t.Errorf("%d events", r.published.Events)
	}
}

// TestSources: each source of the contract is asked for the keys of its own resource, and
// its answers stand in the events of that resource. One that is down costs the other
// nothing.
func TestSources(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.common.Contract = loadContract(t)
	l.patience = 0
	l.source.before = func([]string) error { return &enrichment.Failure{Code: enrichment.CodeServerError} }
	products := &fakeSource{values: `{"brand":"Nord","weight_g":1250,"eco_score":null}`, unknown: map[string]bool{"2": true}}
	l.others = map[string]*fakeSource{"products": products}
	l.upload(t, etl.ModeInitial, "2024-10-08", day().csv(t)).all(t)
	slices.Sort(products.asked)
	if !slices.Equal(products.asked, []string{"1", "2", "3"}) {
		t.Errorf("the source of products is asked for %v", products.asked)
	}
	for statement, want := range map[string]int{
		`SELECT count(*) FROM final.events WHERE resource = 'clients' AND enrichment = 'failed' AND data->>'enrichment_error' = 'server_error'`:                                                   3,
		`SELECT count(*) FROM final.events WHERE resource = 'produits' AND enrichment = 'ok' AND data->>'brand' = 'Nord' AND data->>'weight_g' = '1250' AND data::text LIKE '%"eco_score":null%'`: 2,
		`SELECT count(*) FROM final.events WHERE resource = 'produits' AND enrichment = 'not_found' AND data->'brand' IS NULL`:                                                                    1,
	} {
		if got := l.count(t, statement); got != want {
			t.Errorf("%d, want %d: %s", got, want, statement)
		}
	}
}
