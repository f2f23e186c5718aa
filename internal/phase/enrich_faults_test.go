package phase_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
)

// The import that meets the faults: 24 clients in three units, a part of which has 6
// keys. A batch has 3.
const (
	faultClients    = 24
	faultUnitSize   = 8
	faultUnits      = faultClients / faultUnitSize
	faultPartKeys   = 6
	faultBatch      = 3
	faultCalls      = 4   // in flight
	faultChunkBytes = 560 // holds the unit's records
	faultDocument   = "../../docs/enrichment/faults.md"
	faultTable      = "<!-- the table: go test ./internal/phase -run TestSourceFaults -update -->\n"
	faultTableEnds  = "<!-- end of the table -->\n"
)

// TestSourceFaults is the table of the faults of a source, of each kind in each mode: the import goes on
// to the end of Enrich, each record has its answer unless the fault is its own, the calls
// are bounded, and the keys of a part are not asked for again. The table is published.
func TestSourceFaults(t *testing.T) {
	t.Parallel()
	t.Run("modes", func(t *testing.T) {
		for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
			t.Run(string(mode), func(t *testing.T) {
				t.Parallel()
				l := newLine(t)
				l.registry.most, l.partKeys, l.chunkRecords, l.chunkBytes = faultCalls, faultPartKeys, faultUnitSize, faultChunkBytes
				l.patience = map[etl.Mode]time.Duration{etl.ModeInitial: 4 * time.Hour, etl.ModeDaily: 20 * time.Minute}[mode]
				r := l.upload(t, mode, "2024-10-08", crowd(faultClients).csv(t)).through(t, "Open", "CrossCheck")
				for _, kind := range []contract.SourceKind{contract.KindREST, contract.KindSOAP} {
					for _, f := range sourceFaults() {
						if want := f.ends(mode); want != nil && (f.only == "" || f.only == kind) {
							t.Run(string(kind)+"/"+f.name, func(t *testing.T) { newFaultRun(t, r, kind, f).through(t, *want) })
						}
					}
				}
				database := newFaultyDatabase(t, l)
				for _, f := range databaseFaults() {
					t.Run("database/"+f.name, func(t *testing.T) {
						run := newFaultRun(t, r, contract.KindDatabase, f)
						run.source.database = database
						run.through(t, *f.ends(mode))
					})
				}
				r.clean(t)
				l.partKeys = 0
				r.through(t, "Enrich", "Publish") // the import goes on after any of them
			})
		}
	})
	text, err := os.ReadFile(faultDocument)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), faultTable)
	_, after, ends := strings.Cut(rest, faultTableEnds)
	made := before + faultTable + "\n### An API, by REST and by SOAP\n\n" + tableOfFaults(sourceFaults()) +
		"\n### A database\n\n" + tableOfFaults(databaseFaults()) + "\n" + faultTableEnds + after
	switch {
	case !begins || !ends:
		t.Errorf("%s has no place for the table", faultDocument)
	case *update:
		if err := os.WriteFile(faultDocument, []byte(made), 0o600); err != nil {
			t.Fatal(err)
		}
	case made != string(text):
		t.Errorf("%s has another table: run go test ./internal/phase -run TestSourceFaults -update", faultDocument)
	}
}

// clean forgets all that Enrich has done for the import.
func (r *run) clean(t testing.TB) {
	t.Helper()
	for _, statement := range []string{`DELETE FROM etl.ledger WHERE phase LIKE 'Enrich%'`, `DELETE FROM etl.enrichment_outages`} {
		if _, err := r.l.conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.l.work.DeleteAll(t.Context(), fmt.Sprintf("%s/g%d/answers/", r.imp.ImportID, r.imp.Generation)); err != nil {
		t.Fatal(err)
	}
	clear(r.l.registry.progress)
	r.l.alerts.sent = nil
}

// faultRun is an import in Enrich whose source has a fault.
type faultRun struct {
	*run
	source *faultySource
	enrich *phase.Enrich
	units  []*faultUnit
	began  time.Time
	kills  int
}

// faultUnit is a unit of work, as the machine has it.
type faultUnit struct {
	in  phase.EnrichIn
	due time.Time // of its next run
}

func newFaultRun(t *testing.T, r *run, kind contract.SourceKind, f sourceFault) *faultRun {
	t.Helper()
	r.clean(t)
	l := r.l
	source := newFaultySource(t, l, r.imp.Mode, kind, f)
	cfg := enrichment.Daily(source, source.timeout)
	if r.imp.Mode == etl.ModeInitial {
		cfg = enrichment.Initial(source, faultBatch, source.timeout)
	}
	cfg.Timeout = 10 * time.Minute // time is up by the clock of the tests
	cfg.Now, cfg.Pause = l.clock.now, func(ctx context.Context, d time.Duration) error {
		l.clock.advance(d)
		return ctx.Err()
	}
	enricher, err := enrichment.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := &faultRun{run: r, source: source, enrich: l.enrich(), began: l.clock.now()}
	n.enrich.Enrichers = func(string, etl.Mode) (phase.Enricher, error) { return enricher, nil }
	for _, of := range r.planned.Enrichment {
		if of.Source == "clients" {
			for _, c := range r.manifest(t, of.Manifest) {
				n.units = append(n.units, &faultUnit{in: phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: r.imp, Chunk: c}}, due: n.began})
			}
		}
	}
	for _, u := range n.units {
		if u.in.Chunk.Range.Records != faultUnitSize {
			t.Fatalf("a unit has %d records, want %d", u.in.Chunk.Range.Records, faultUnitSize)
		}
	}
	return n
}

// through runs the units as the machine does, each when it is due, and checks how it ends.
func (n *faultRun) through(t *testing.T, want faultEnd) {
	t.Helper()
	for runs := 0; ; runs++ {
		u := slices.MinFunc(n.units, func(a, b *faultUnit) int {
			return cmp.Or(cmp.Compare(map[bool]int{true: 1}[a.in.Progress.Done], map[bool]int{true: 1}[b.in.Progress.Done]), a.due.Compare(b.due))
		})
		if u.in.Progress.Done {
			break
		}
		if runs == 1000 {
			t.Fatal("it does not end")
		}
		if left := u.due.Sub(n.l.clock.now()); left > 0 {
			n.l.clock.advance(left)
		}
		n.step(t, u)
	}
	n.expect(t, want)
}

// step is one run of a unit. A run that was killed is repeated.
func (n *faultRun) step(t *testing.T, u *faultUnit) {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	n.source.mu.Lock()
	n.source.kill = kill
	n.source.mu.Unlock()
	out, err := n.enrich.Run(ctx, u.in)
	if _, transient := errors.AsType[*fault.Transient](fault.Lift(err)); transient && ctx.Err() != nil && n.kills == 0 {
		n.kills++
		out, err = u.in.Progress, nil
		out.WaitSeconds = 2
	}
	if err != nil {
		t.Fatal(err)
	}
	u.in.Progress, u.due = out, n.l.clock.now().Add(time.Duration(out.WaitSeconds)*time.Second)
	settled := n.l.count(t, `SELECT coalesce(sum((result->>'keys')::int), 0) FROM etl.ledger WHERE phase LIKE 'Enrich/%' AND chunk = $1`, u.in.Chunk.Range.Index)
	first := faultUnitSize * u.in.Chunk.Range.Index
	n.source.mu.Lock()
	defer n.source.mu.Unlock()
	for i := range settled {
		n.source.settled[fmt.Sprint(1000+first+i)] = true
	}
}

// expect checks what the import has at the end of Enrich.
func (n *faultRun) expect(t *testing.T, want faultEnd) {
	t.Helper()
	n.source.mu.Lock()
	defer n.source.mu.Unlock()
	var got answers.Counts
	var waits, dropped int64
	failed := map[string]int64{}
	for _, u := range n.units {
		p := u.in.Progress
		got.Records += p.Answers.Records
		got.Enriched += p.Answers.Enriched
		got.NotFound += p.Answers.NotFound
		waits += p.Silent.Waits
		dropped += p.Dropped
		for code, records := range p.Answers.Failed {
			failed[code] += records
		}
	}
	wanted := map[string]int64{}
	if want.failed > 0 {
		wanted[string(want.code)] = int64(want.failed)
	}
	if got.Records != faultClients || got.Enriched != int64(faultClients-want.failed-want.unknown) || got.NotFound != int64(want.unknown) || !maps.Equal(failed, wanted) {
		t.Errorf("it ends with %+v and failed %v, want %v failed and %d not found", got, failed, wanted, want.unknown)
	}
	if calls, most := n.source.calls, want.most(n.imp.Mode); calls > most {
		t.Errorf("%d calls, want at most %d", calls, most)
	}
	if waits > int64(want.waits) || dropped != int64(want.dropped) {
		t.Errorf("%d waits, want at most %d; %d members dropped, want %d", waits, want.waits, dropped, want.dropped)
	}
	if n.kills != want.kills {
		t.Errorf("%d runs were killed, want %d", n.kills, want.kills)
	}
	probes := 0 // in daily mode one looks like any other call
	if n.imp.Mode == etl.ModeDaily {
		probes = want.failing
	}
	if n.source.again > probes {
		t.Errorf("%d keys of a part were asked for again, besides %d probes", n.source.again, probes)
	}
	if took := n.l.clock.now().Sub(n.began); took > want.within() {
		t.Errorf("it takes %v, want at most %v", took, want.within())
	}
	if alerts := len(n.l.alerts.sent); alerts != want.alerts {
		t.Errorf("%d alerts, want %d", alerts, want.alerts)
	}
	n.expectAnswers(t, int(got.Enriched))
}

// expectAnswers checks that so many records have an answer, and each its own.
func (n *faultRun) expectAnswers(t *testing.T, enriched int) {
	t.Helper()
	for _, u := range n.units {
		var object objectstore.Object
		if err := n.l.conn.QueryRow(t.Context(), `SELECT object_key, object_version, object_checksum FROM etl.ledger WHERE phase = 'Enrich' AND resource = 'clients' AND chunk = $1`,
			u.in.Chunk.Range.Index).Scan(&object.Key, &object.VersionID, &object.Checksum); err != nil {
			t.Fatal(err)
		}
		if _, err := n.l.work.Read(t.Context(), object, func(stream io.Reader) error {
			_, err := answers.Each(stream, func(line int64, answer event.Enrichment) error {
				if answer.Status != etl.EnrichmentOK {
					return nil
				}
				enriched--
				if key := fmt.Sprint(1000 + line - 2); !strings.Contains(string(answer.Values), `"`+tierOf(key)+`"`) {
					t.Errorf("line %d has the answer for another one", line)
				}
				return nil
			})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if enriched != 0 {
		t.Errorf("%d answers are missing", enriched)
	}
}
