package phase_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
)

// call runs a phase once more and drops its output.
func call[In, Out any](in In, f func(context.Context, In) (Out, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := f(ctx, in)
		return err
	}
}

// writers are the phases that write, with the inputs of a run that has gone as
// far as Reconcile.
func (r *run) writers(t *testing.T) map[string]func(context.Context) error {
	t.Helper()
	i, chunk := r.chunkOf(t, "clients")
	l, in := r.l, phase.ChunkIn{Import: r.imp, Chunk: chunk}
	staged := phase.StageIn{ChunkIn: in, Protected: r.protected[i]}
	return map[string]func(context.Context) error{
		"Open":         call(r.openIn(), l.open().Run),
		"Plan":         call(phase.PlanIn{Import: r.imp, Scanned: r.scanned}, l.plan().Run),
		"Stage":        call(staged, l.stage().Run),
		"Validate":     call(staged, l.validate().Run),
		"IndexStaging": call(phase.IndexIn{Import: r.imp, Resource: "clients", Kind: "staging"}, l.index().Run),
		"CrossCheck":   call(r.importIn(), l.crossCheck().Run),
		"Enrich":       call(phase.EnrichIn{ChunkIn: in}, l.enrich().Run),
		"Transform":    call(in, l.transform().Run),
		"Prepare":      call(r.prepared[i], l.prepare().Run),
		"IndexTargets": call(phase.IndexIn{Import: r.imp, Resource: "clients", Kind: "target"}, l.index().Run),
		"Reconcile":    call(r.importIn(), l.reconcile().Run),
		"Publish":      call(r.importIn(), l.publish().Run),
	}
}

// TestSuperseded: after a restart, or once an import is abandoned, no phase of
// the old generation writes anything, however late it comes.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	for name, retire := range map[string]func(*run, context.Context) error{
		"restarted": func(r *run, ctx context.Context) error {
			_, err := r.l.db.Restart(ctx, r.known(), false)
			return err
		},
		"abandoned": func(r *run, ctx context.Context) error { return r.l.db.Abandon(ctx, r.known()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newLine(t).upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Reconcile")
			if err := retire(r, t.Context()); err != nil {
				t.Fatal(err)
			}
			before := r.l.dump(t)
			for state, again := range r.writers(t) {
				err := fault.Lift(again(t.Context()))
				if got, ok := errors.AsType[*fault.Superseded](err); !ok || got.ImportID != r.imp.ImportID || fault.Name(err) != "Superseded" {
					t.Errorf("%s got %v, want Superseded", state, err)
				}
			}
			if tables := differing(before, r.l.dump(t)); tables != nil {
				t.Errorf("a late phase changed %v", tables)
			}
		})
	}
}

// TestRestart: the next generation starts over and ends with the content that an
// undisturbed import has.
func TestRestart(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	first := l.upload(t, etl.ModeInitial, "2024-10-08", day().csv(t)).through(t, "Open", "Reconcile")
	second := first.again(t, false)
	second.all(t)
	if second.imp.KeyID != first.imp.KeyID || string(second.imp.WrappedKey) != string(first.imp.WrappedKey) {
		t.Error("the second generation has another data key: what the first logged could not be opened any more")
	}
	l.expectPublished(t, second, day(), map[string]int64{})
	if got := l.plain(t, second, "last_name", `SELECT last_name, line_number FROM final.clients WHERE import_id = $1 ORDER BY line_number LIMIT 1`); got != "Lefèvre" {
		t.Errorf("client 101 is called %q", got)
	}
	if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', kind, generation, trigger), ', ' ORDER BY attempt) FROM etl.attempts`); got != "start 1 file, restart 2 file" {
		t.Errorf("the attempts are %s", got)
	}
}

// TestAttemptsAreCopied: a redrive at Publish, in the console, is in etl.attempts;
// nothing is published before.
func TestAttemptsAreCopied(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Reconcile")
	in := r.importIn()
	in.ExecutionARN, in.Attempt = "arn:x", 1
	l.registry.silent = &fault.Transient{Op: "registry", Err: errors.New("lost")}
	if _, err := l.publish().Run(t.Context(), in); !errors.Is(err, l.registry.silent) {
		t.Fatalf("got %v", err)
	}
	if n := l.count(t, `SELECT count(*)::int FROM final.events`); n != 0 {
		t.Errorf("%d events are published", n)
	}
	l.registry.silent = nil
	for range 2 {
		if _, err := l.publish().Run(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	const want = "1 start file, 2 resume console Persistance des événements raison"
	if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', attempt, kind, trigger, failed_step, failed_reason), ', ' ORDER BY attempt) FROM etl.attempts`); got != want {
		t.Errorf("the attempts are %s, want %s", got, want)
	}
}

// again restarts an import and returns its next generation, not yet run.
func (r *run) again(t *testing.T, force bool) *run {
	t.Helper()
	generation, err := r.l.db.Restart(t.Context(), r.known(), force)
	if err != nil {
		t.Fatal(err)
	}
	known := r.l.registry.imports[r.imp.ImportID]
	known.Generation, known.ExecutionARN = generation, execution(r.imp.ImportID, generation)
	r.l.registry.imports[r.imp.ImportID] = known
	next := &run{l: r.l, imp: r.imp}
	next.imp.Generation = generation
	next.imp.KeyID, next.imp.WrappedKey = 0, nil
	return next
}

// foreign writes an object in the place of a phase's own.
func (r *run) foreign(t *testing.T, key string, metadata map[string]string, from objectstore.Object) objectstore.Object {
	t.Helper()
	body, err := r.l.work.Open(t.Context(), from.Key, from.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	object, _, err := r.l.work.PutOnce(t.Context(), key, metadata, func(w io.Writer) error {
		_, err := io.Copy(w, body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// refersTo lets the ledger name another object for the clients of a state.
func (r *run) refersTo(t *testing.T, state string, object objectstore.Object) {
	t.Helper()
	postgrestest.Exec(t, r.l.conn, `UPDATE etl.ledger SET object_key = $1, object_version = $2, object_checksum = $3 WHERE phase = $4 AND resource = 'clients'`,
		object.Key, object.VersionID, object.Checksum, state)
}

// TestIncompatible: a stream that was made for other columns, before a
// migration, or that is not what was written, is refused by name.
func TestIncompatible(t *testing.T) {
	t.Parallel()
	r := newLine(t).upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Plan")
	l := r.l
	i, chunk := r.chunkOf(t, "clients")
	in := phase.ChunkIn{Import: r.imp, Chunk: chunk}
	protected := do(t, r, "Protect", in, l.protect().Run)
	other := map[string]string{"schema": "another"}
	expect := func(what string, err error) {
		t.Helper()
		if got, ok := errors.AsType[*fault.Incompatible](fault.Lift(err)); !ok || got.Object == "" || got.Advice() != fault.Restart {
			t.Errorf("%s: got %v, want Incompatible", what, err)
		}
	}
	foreign := protected
	foreign.Object = r.foreign(t, "other/staged", other, protected.Object)
	expect("Stage of other columns", call(phase.StageIn{ChunkIn: in, Protected: foreign}, l.stage().Run)(t.Context()))
	changed := protected
	changed.Object.Checksum = foreign.Object.Checksum[1:] + foreign.Object.Checksum[:1]
	expect("Stage of other content", call(phase.StageIn{ChunkIn: in, Protected: changed}, l.stage().Run)(t.Context()))
	if got := l.count(t, `SELECT count(*) FROM partitions.staging_clients_20241009_150000_001_g1`); got != 0 {
		t.Errorf("%d rows were staged all the same", got)
	}
	expect("Validate of other columns", call(phase.StageIn{ChunkIn: in, Protected: foreign}, l.validate().Run)(t.Context()))
	expect("Validate of other content", call(phase.StageIn{ChunkIn: in, Protected: changed}, l.validate().Run)(t.Context()))

	r.through(t, "Raw", "CrossCheck")
	r.refersTo(t, "Stage", foreign.Object)
	expect("Enrich of other columns", call(phase.EnrichIn{ChunkIn: in}, l.enrich().Run)(t.Context()))
	r.refersTo(t, "Stage", protected.Object)
	r.through(t, "Enrich", "Enrich")
	r.refersTo(t, "Stage", foreign.Object)
	expect("Transform of other columns", call(in, l.transform().Run)(t.Context()))
	r.refersTo(t, "Stage", protected.Object)
	transformed := do(t, r, "Transform", in, l.transform().Run)
	for what, tamper := range map[string]func(*phase.Transformed){
		"events of other columns":  func(x *phase.Transformed) { x.Events = r.foreign(t, "other/events", other, x.Events) },
		"targets of other columns": func(x *phase.Transformed) { x.Targets = r.foreign(t, "other/targets", other, x.Targets) },
		"events of other content":  func(x *phase.Transformed) { x.Events.Checksum = changed.Object.Checksum },
		"targets of other content": func(x *phase.Transformed) { x.Targets.Checksum = changed.Object.Checksum },
	} {
		x := transformed
		tamper(&x)
		expect("Prepare: "+what, call(phase.PrepareIn{ChunkIn: in, Transformed: x}, l.prepare().Run)(t.Context()))
	}
	if got := l.count(t, `SELECT count(*) FROM partitions.events_20241009_150000_001_g1`); got != 0 {
		t.Errorf("%d events were prepared all the same", got)
	}
	if r.chunks[i].Resource != "clients" {
		t.Error("the chunk is another's")
	}
}

// TestMiscount: a chunk whose counts do not agree is not persisted.
func TestMiscount(t *testing.T) {
	t.Parallel()
	r := newLine(t).upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "CrossCheck")
	i, chunk := r.chunkOf(t, "ventes")
	in := phase.ChunkIn{Import: r.imp, Chunk: chunk}
	protected := r.protected[i]
	protected.Read++
	postgrestest.Exec(t, r.l.conn, `DELETE FROM etl.ledger WHERE phase = 'Stage' AND resource = 'ventes'`)
	postgrestest.Exec(t, r.l.conn, `ALTER TABLE staging.ventes DETACH PARTITION partitions.staging_ventes_20241009_150000_001_g1`)
	expectMismatch(t, "Stage", call(phase.StageIn{ChunkIn: in, Protected: protected}, r.l.stage().Run)(t.Context()))
	more := in
	more.Chunk.Range.Records++
	if err := call(more, r.l.protect().Run)(t.Context()); err == nil {
		t.Error("Protect accepts a chunk that holds fewer records than Scan counted")
	}
	do(t, r, "Stage", phase.StageIn{ChunkIn: in, Protected: r.protected[i]}, r.l.stage().Run)
	// A reject of a line that the chunk does not have.
	postgrestest.Exec(t, r.l.conn, `INSERT INTO etl.rejects VALUES ($1, 1, 'ventes', 77)`, r.imp.ImportID)
	expectMismatch(t, "Transform", call(in, r.l.transform().Run)(t.Context()))
	postgrestest.Exec(t, r.l.conn, `DELETE FROM etl.rejects`)
	transformed := do(t, r, "Transform", in, r.l.transform().Run)
	transformed.Summary.Events++
	expectMismatch(t, "Prepare", call(phase.PrepareIn{ChunkIn: in, Transformed: transformed}, r.l.prepare().Run)(t.Context()))
}

func expectMismatch(t *testing.T, what string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*fault.Mismatch](fault.Lift(err)); !ok {
		t.Errorf("%s: got %v, want Mismatch", what, err)
	}
}
