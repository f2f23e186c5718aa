package phase_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestEnrichmentFails: a record that could not be enriched is an event all the
// same, marked, listed and logged; it is no reject.
func TestEnrichmentFails(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.enricher.fail = map[string]bool{"102": true}
	r := l.upload(t, etl.ModeInitial, "2024-10-08", day().csv(t)).all(t)
	l.expectPublished(t, r, day(), map[string]int64{})
	got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', line_number, enrichment, coalesce(data->>'segment', '-')), ', ' ORDER BY line_number) FROM final.events WHERE resource = 'clients'`)
	if want := "2 ok A, 3 failed -, 4 ok A"; got != want {
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
	if p := l.registry.sum(r.imp, "Transform", "clients"); p.Enriched != 2 || p.NotEnriched != 1 {
		t.Errorf("progress %+v", p)
	}
}

// TestTransformTwin: the events of the first run stand, whatever the source says
// the second time, also if the first run died between its two objects.
func TestTransformTwin(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "clients")
	in := phase.ChunkIn{Import: r.imp, Chunk: chunk}
	first := do(t, r, "Transform", in, l.transform().Run)
	if _, err := emulator.S3(t).DeleteObject(t.Context(), &s3.DeleteObjectInput{
		Bucket: aws.String(l.work.Bucket()), Key: &first.Targets.Key, VersionId: &first.Targets.VersionID,
	}); err != nil {
		t.Fatal(err)
	}
	l.enricher.tier = "argent"
	second := do(t, r, "Transform", in, l.transform().Run)
	if second.Events != first.Events || second.Summary.Checksum.String() != first.Summary.Checksum.String() || second.Summary.FirstEvent != first.Summary.FirstEvent {
		t.Errorf("the events are %+v, then %+v", first, second)
	}
	if second.Targets.Checksum != first.Targets.Checksum {
		t.Error("the targets depend on more than the staged records")
	}
	r.through(t, "Events", "Publish")
	if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(DISTINCT data->>'loyalty_tier', ', ') FROM final.events WHERE resource = 'clients'`); got != "or" {
		t.Errorf("the tiers are %s", got)
	}
}

// TestTransformCancelled: that a function's time is up says nothing about the
// source: no event is marked as failed for it, and nothing is written.
func TestTransformCancelled(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "clients")
	in := phase.ChunkIn{Import: r.imp, Chunk: chunk}
	ctx, cancel := context.WithCancel(t.Context())
	l.enricher.before = cancel
	_, err := l.transform().Run(ctx, in)
	if _, ok := errors.AsType[*fault.Transient](fault.Lift(err)); !ok {
		t.Errorf("got %v, want a Transient fault", err)
	}
	l.enricher.before = nil
	out := do(t, r, "Transform", in, l.transform().Run)
	if out.Summary.Enriched != 3 || out.Summary.NotEnriched != 0 {
		t.Errorf("then: %+v", out.Summary)
	}
}

// TestSourceNotConfigured: an import whose source is not configured stops before
// it writes events without enrichment.
func TestSourceNotConfigured(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	_, chunk := r.chunkOf(t, "clients")
	transform := l.transform()
	missing := errors.New("not configured")
	transform.Enrichers = func(string, etl.Mode) (phase.Enricher, error) { return nil, missing }
	if _, err := transform.Run(t.Context(), phase.ChunkIn{Import: r.imp, Chunk: chunk}); !errors.Is(err, missing) {
		t.Errorf("got %v", err)
	}
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
