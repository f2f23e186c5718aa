package phase_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/metric"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
)

// line is the product's line on a database and buckets of its own, without the
// state machine. Imports run on it one after the other.
type line struct {
	url     string
	db      *postgres.DB
	wide    *postgres.DB // with as many connections as CrossCheck has
	conn    *pgx.Conn    // the test's own
	common  phase.Common
	landing *objectstore.Store
	work    *objectstore.Store

	registry *fakeRegistry
	source   *fakeSource
	others   map[string]*fakeSource // by name; source is all the rest
	alerts   *fakeAlerts
	log      *logBuffer
	metrics  *logBuffer
	kms      *countingKMS
	clock    *clock

	patience   time.Duration // with the source
	partKeys   int           // 0 is the default
	partTime   time.Duration
	unitEvents int // of a replay; 0 is the default

	fieldsKey, tokensKey string // ids of KMS keys

	chunkRecords int64 // daily; 0 is no limit
	chunkBytes   int64
	maxShrink    int   // percent of a reloaded table
	maxFileBytes int64 // 0 is no limit
	imports      int
}

func newLine(t testing.TB) *line {
	t.Helper()
	return newLineOn(t, server.URL(t))
}

// newLineOn is the line on a database that was migrated.
func newLineOn(t testing.TB, url string) *line {
	t.Helper()
	l := &line{
		registry: newFakeRegistry(), source: &fakeSource{tier: "or"}, alerts: &fakeAlerts{}, log: &logBuffer{}, metrics: &logBuffer{},
		chunkBytes: 32 << 20, maxShrink: 50, patience: time.Hour,
	}
	l.url = url
	l.db, l.conn = server.Open(t, l.url), postgrestest.Connect(t, l.url)
	l.wide = server.OpenWide(t, l.url, phase.CrossCheckConnections)
	l.landing = objectstore.New(emulator.S3(t), emulator.Bucket(t))
	l.work = objectstore.New(emulator.S3(t), emulator.Bucket(t))
	l.kms, l.fieldsKey, l.tokensKey = newKMS(t)
	l.clock = &clock{}
	now := l.clock.now
	l.common = phase.Common{
		Contract: clientsEnriched(t), Work: l.work, Log: centrallog.New(l.log, slog.LevelInfo), Metrics: metric.New(l.metrics, now),
		Progress: l.registry, Now: now,
	}
	return l
}

// The phases, as functions/ wires them.
func (l *line) open() *phase.Open {
	return &phase.Open{
		Common: l.common, Sealer: l.registry, History: l.registry, DB: l.db, KMS: l.kms, FieldsKeyID: l.fieldsKey,
		Settings: phase.Settings{ScanConcurrency: 2, ChunkConcurrency: 2, IndexConcurrency: 1},
	}
}

func (l *line) scan() *phase.Scan {
	return &phase.Scan{Common: l.common, Landing: l.landing, ChunkBytes: l.chunkBytes, ChunkRecords: l.chunkRecords, MaxFileBytes: l.maxFileBytes}
}

func (l *line) plan() *phase.Plan {
	return &phase.Plan{Common: l.common, DB: l.db, Landing: l.landing, Recorder: l.registry}
}

func (l *line) protect() *phase.Protect {
	return &phase.Protect{Common: l.common, Landing: l.landing, KMS: l.kms, FieldsKeyID: l.fieldsKey, TokensKeyID: l.tokensKey}
}
func (l *line) stage() *phase.Stage { return &phase.Stage{Common: l.common, DB: l.db} }
func (l *line) validate() *phase.Validate {
	return &phase.Validate{Common: l.common, DB: l.db, KMS: l.kms, FieldsKeyID: l.fieldsKey}
}
func (l *line) index() *phase.Index { return &phase.Index{Common: l.common, DB: l.db} }
func (l *line) crossCheck() *phase.CrossCheck {
	return &phase.CrossCheck{Common: l.common, DB: l.wide, Recorder: l.registry, MaxShrink: l.maxShrink}
}

func (l *line) enrich() *phase.Enrich {
	return &phase.Enrich{
		Common: l.common, DB: l.db, KMS: l.kms, FieldsKeyID: l.fieldsKey,
		Enrichers: func(source string, _ etl.Mode) (phase.Enricher, error) { return l.enricher(source) },
		Attempts:  l.registry, Shares: l.registry, Alerts: l.alerts, Patience: func(etl.Mode) time.Duration { return l.patience },
		PartKeys: l.partKeys, PartTime: l.partTime,
	}
}

// enricher asks the line's source, or another of the name, and pauses for no time.
func (l *line) enricher(name string) (*enrichment.Enricher, error) {
	source := cmp.Or(l.others[name], l.source)
	cfg := enrichment.Initial(source, cmp.Or(source.batch, 2), time.Minute)
	cfg.Now, cfg.Pause = l.common.Now, func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return enrichment.New(cfg)
}

func (l *line) transform() *phase.Transform {
	return &phase.Transform{Common: l.common, DB: l.db, NewID: event.NewIDs(rand.Reader)}
}
func (l *line) prepare() *phase.Prepare     { return &phase.Prepare{Common: l.common, DB: l.db} }
func (l *line) reconcile() *phase.Reconcile { return &phase.Reconcile{Common: l.common, DB: l.db} }
func (l *line) publish() *phase.Publish {
	return &phase.Publish{Common: l.common, DB: l.db, Alerts: l.alerts, History: l.registry, Retention: 30 * 24 * time.Hour}
}

// upload puts the files of a date into the landing bucket and allots an import.
func (l *line) upload(t testing.TB, mode etl.Mode, date string, files files) *run {
	t.Helper()
	l.deliver(t, mode, date, files)
	l.imports++
	id := fmt.Sprintf("IMPORT_20241009_150000_%03d", l.imports)
	l.registry.imports[id] = registry.Import{ImportID: id, Mode: mode, FileDate: date, Generation: 1, Status: "en cours", ExecutionARN: execution(id, 1)}
	return &run{l: l, imp: phase.Import{ImportID: id, Generation: 1, Mode: mode, FileDate: date}}
}

// deliver puts the files of a date into the landing bucket.
func (l *line) deliver(t testing.TB, mode etl.Mode, date string, files files) {
	t.Helper()
	arrivals := map[string]registry.Arrival{}
	types := map[string]string{"control": "control"}
	for _, r := range l.common.Contract.Resources {
		types[r.Name] = r.FileType
	}
	for resource, content := range files {
		key := fmt.Sprintf("%s/%s_%s.%s", mode, types[resource], strings.ReplaceAll(date, "-", ""), content.format)
		out, err := emulator.S3(t).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(l.landing.Bucket()), Key: &key, Body: strings.NewReader(content.text)})
		if err != nil {
			t.Fatal(err)
		}
		arrivals[resource] = registry.Arrival{Resource: resource, Key: key, VersionID: aws.ToString(out.VersionId), Size: int64(len(content.text))}
	}
	l.registry.arrivals[string(mode)+date] = arrivals
}

// run is an import under way: the outputs of its states so far.
type run struct {
	l   *line
	imp phase.Import

	opened    phase.OpenOut
	scanned   []phase.ScanOut
	planned   phase.PlanOut
	chunks    []phase.Chunk
	protected []phase.Protected
	checked   phase.CrossChecked
	prepared  []phase.PrepareIn
	published phase.Published

	// around runs a phase, once or more often, and checks what it likes.
	around func(state string, phase func() (any, error)) (any, error)
}

// do runs a phase and returns its output.
func do[In, Out any](t testing.TB, r *run, state string, in In, f func(context.Context, In) (Out, error)) Out {
	t.Helper()
	out, err := try(t, r, state, in, f)
	if err != nil {
		t.Fatalf("%s: %v", state, err)
	}
	return out
}

func try[In, Out any](t testing.TB, r *run, state string, in In, f func(context.Context, In) (Out, error)) (Out, error) {
	t.Helper()
	one := func() (any, error) { return f(t.Context(), in) }
	if r.around != nil {
		out, err := r.around(state, one)
		return out.(Out), err
	}
	out, err := one()
	return out.(Out), err
}

// states of the line, in order, by which a run goes on.
var states = []string{"Open", "Scan", "Plan", "Raw", "IndexStaging", "CrossCheck", "Enrich", "Events", "IndexTargets", "Reconcile", "Publish"}

// through runs the states from the first to the last named.
func (r *run) through(t testing.TB, first, last string) *run {
	t.Helper()
	for _, state := range states[slices.Index(states, first) : slices.Index(states, last)+1] {
		r.state(t, state)
	}
	return r
}

// all runs the whole line.
func (r *run) all(t *testing.T) *run {
	t.Helper()
	return r.through(t, "Open", "Publish")
}

// enrich runs Enrich until the chunk is done, as the state machine does, and lets the
// time pass that it waits.
func (r *run) enrich(t testing.TB, in phase.EnrichIn) phase.Enriched {
	t.Helper()
	for {
		in.Progress = do(t, r, "Enrich", in, r.l.enrich().Run)
		if in.Progress.Done {
			return in.Progress
		}
		r.l.clock.advance(time.Duration(in.Progress.WaitSeconds) * time.Second)
	}
}

func (r *run) openIn() phase.OpenIn {
	return phase.OpenIn{Import: r.imp, ExecutionARN: execution(r.imp.ImportID, r.imp.Generation)}
}

// execution is the execution of a generation, as the registry knows it.
func execution(importID string, generation int) string {
	return fmt.Sprintf("arn:%s-%d", importID, generation)
}

// known is what the registry knows of the run's import.
func (r *run) known() registry.Import { return r.l.registry.imports[r.imp.ImportID] }

func (r *run) planIn() phase.PlanIn {
	return phase.PlanIn{Import: r.imp, Scanned: r.scanned, Control: r.opened.Control, Settings: r.opened.Settings}
}

func (r *run) importIn() phase.ImportIn { return phase.ImportIn{Import: r.imp} }

// state runs one state of the machine.
func (r *run) state(t testing.TB, state string) {
	t.Helper()
	switch state {
	case "Open":
		r.opened = do(t, r, state, r.openIn(), r.l.open().Run)
		r.imp = r.opened.Import
	case "Scan":
		r.scanned = nil
		for _, f := range r.opened.Files {
			r.scanned = append(r.scanned, do(t, r, state, phase.ScanIn{Import: r.imp, File: f, Control: r.opened.Control}, r.l.scan().Run))
		}
	case "Plan":
		r.planned = do(t, r, state, r.planIn(), r.l.plan().Run)
		r.chunks = r.manifest(t, r.planned.Manifest)
	case "Raw":
		r.protected = nil
		for _, c := range r.chunks {
			in := phase.ChunkIn{Import: r.imp, Chunk: c}
			staged := phase.StageIn{ChunkIn: in, Protected: do(t, r, "Protect", in, r.l.protect().Run)}
			do(t, r, "Stage", staged, r.l.stage().Run)
			do(t, r, "Validate", staged, r.l.validate().Run)
			r.protected = append(r.protected, staged.Protected)
		}
	case "IndexStaging":
		for _, name := range r.planned.Resources {
			do(t, r, state, phase.IndexIn{Import: r.imp, Resource: name, Kind: "staging"}, r.l.index().Run)
		}
	case "CrossCheck":
		r.checked = do(t, r, state, r.importIn(), r.l.crossCheck().Run)
	case "Enrich":
		for _, source := range r.planned.Enrichment {
			for _, c := range r.manifest(t, source.Manifest) {
				r.enrich(t, phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: c}})
			}
		}
	case "Events":
		r.prepared = nil
		for _, c := range r.chunks {
			in := phase.ChunkIn{Import: r.imp, Chunk: c}
			prepared := phase.PrepareIn{ChunkIn: in, Transformed: do(t, r, "Transform", in, r.l.transform().Run)}
			do(t, r, "Prepare", prepared, r.l.prepare().Run)
			r.prepared = append(r.prepared, prepared)
		}
	case "IndexTargets":
		for _, name := range r.planned.Targets {
			do(t, r, state, phase.IndexIn{Import: r.imp, Resource: name, Kind: "target"}, r.l.index().Run)
		}
	case "Reconcile":
		do(t, r, state, r.importIn(), r.l.reconcile().Run)
	case "Publish":
		r.published = do(t, r, state, r.importIn(), r.l.publish().Run)
	default:
		t.Fatalf("no state %s", state)
	}
}

// manifest reads the chunks as the Distributed Maps do.
func (r *run) manifest(t testing.TB, object objectstore.Object) (chunks []phase.Chunk) {
	t.Helper()
	body, err := r.l.work.Open(t.Context(), object.Key, object.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	for item := range bytes.Lines(text) {
		var c phase.Chunk
		decode(t, item, &c)
		chunks = append(chunks, c)
	}
	return chunks
}

// chunkOf returns the first chunk of a resource and its place.
func (r *run) chunkOf(t testing.TB, resource string) (int, phase.Chunk) {
	t.Helper()
	for i, c := range r.chunks {
		if c.Resource == resource {
			return i, c
		}
	}
	t.Fatalf("%s has no chunk", resource)
	return 0, phase.Chunk{}
}

// dump is the whole content of the product's schemas, table by table.
func (l *line) dump(t *testing.T) map[string]string {
	t.Helper()
	rows, err := l.conn.Query(t.Context(), `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('etl', 'final', 'partitions')`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for i, table := range tables {
		tables[i] = fmt.Sprintf(`SELECT '%s', coalesce(string_agg(t::text, E'\n' ORDER BY t::text), '') FROM ONLY %s t`, table, table)
	}
	content := map[string]string{}
	if rows, err = l.conn.Query(t.Context(), strings.Join(tables, " UNION ALL "), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	var table, text string
	if _, err := pgx.ForEachRow(rows, []any{&table, &text}, func() error {
		content[table] = text
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return content
}

// differing names the tables by which two dumps differ.
func differing(a, b map[string]string) (names []string) {
	for name := range maps.Keys(a) {
		if other, ok := b[name]; !ok || other != a[name] {
			names = append(names, name)
		}
	}
	for name := range maps.Keys(b) {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// count runs a query that counts.
func (l *line) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	return postgrestest.Scan[int](t, l.conn, query, args...)
}
