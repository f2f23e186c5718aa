package main

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/registry"
)

const (
	daily    = etl.ModeDaily
	initial  = etl.ModeInitial
	date     = "2024-10-08"
	importID = "IMPORT_20241009_150000_001"
	otherID  = "IMPORT_20241008_150000_001"
)

func at(second int) time.Time { return time.Date(2024, 10, 9, 15, 0, second, 0, time.UTC) }

// world is a registry and a landing bucket, as etlctl sees them, with a clock
// that only pauses move. Each pause plays the next step.
type world struct {
	imports   map[string]registry.Import
	statuses  map[string]registry.Status // by import_id; the Import in it is ignored
	dates     map[string]string          // import_id by mode and date
	queue     []registry.Entry
	published []registry.Published
	abandoned []registry.Abandoned
	slot      string
	noHistory bool
	arrived   []registry.Arrival

	clock    time.Time
	steps    []func(*world)
	fails    error      // what every read answers, if any
	looks    int        // calls of Status
	mu       sync.Mutex // of uploaded: files are sent side by side
	uploaded []string
	uploads  error // what uploads answer, if any
	hashes   map[string]bool
}

func newWorld(steps ...func(*world)) *world {
	return &world{
		imports: map[string]registry.Import{}, statuses: map[string]registry.Status{}, dates: map[string]string{},
		clock: at(0), steps: steps, hashes: map[string]bool{},
	}
}

func (w *world) now() time.Time { return w.clock }

func (w *world) pause(ctx context.Context, d time.Duration) error {
	w.clock = w.clock.Add(d)
	if len(w.steps) > 0 {
		step := w.steps[0]
		w.steps = w.steps[1:]
		step(w)
	}
	return ctx.Err()
}

// set puts an import where it belongs.
func (w *world) set(imp registry.Import) {
	w.imports[imp.ImportID] = imp
	w.dates[string(imp.Mode)+imp.FileDate] = imp.ImportID
}

func (w *world) Import(_ context.Context, id string) (registry.Import, error) {
	imp, ok := w.imports[id]
	if !ok && w.fails == nil {
		return imp, registry.ErrNotFound
	}
	return imp, w.fails
}

func (w *world) ImportOf(_ context.Context, mode etl.Mode, date string) (string, bool, error) {
	id, found := w.dates[string(mode)+date]
	return id, found, w.fails
}

func (w *world) Status(_ context.Context, id string) (registry.Status, error) {
	w.looks++
	s := w.statuses[id]
	s.Import = w.imports[id]
	return s, w.fails
}

func (w *world) Queue(context.Context) ([]registry.Entry, error) { return w.queue, w.fails }

func (w *world) Published(context.Context) ([]registry.Published, error) {
	return slices.Clone(w.published), w.fails
}

func (w *world) Abandoned(context.Context) ([]registry.Abandoned, error) {
	return slices.Clone(w.abandoned), w.fails
}

func (w *world) Slot(context.Context) (string, error) { return w.slot, w.fails }

func (w *world) Arrivals(_ context.Context, mode etl.Mode, date string) (map[string]registry.Arrival, error) {
	there := map[string]registry.Arrival{}
	for _, a := range w.arrived {
		if a.ETag == string(mode)+date {
			there[a.Resource] = a
		}
	}
	return there, w.fails
}

func (w *world) Objects(_ context.Context, mode etl.Mode, date string) ([]registry.Arrival, error) {
	var all []registry.Arrival
	for _, a := range w.arrived {
		if a.ETag == string(mode)+date {
			all = append(all, a)
		}
	}
	return all, w.fails
}

// arrive records objects of a date, all ten if no resource is named. The fake
// keeps mode and date in the tag.
func (w *world) arrive(t *testing.T, mode etl.Mode, date, version string, resources ...string) {
	t.Helper()
	if len(resources) == 0 {
		for _, r := range compiled(t).Resources {
			resources = append(resources, r.Name)
		}
	}
	for _, name := range resources {
		key := string(mode) + "/" + compiled(t).Resource(name).FileType + "_" + date[:4] + date[5:7] + date[8:] + ".csv"
		w.arrived = slices.DeleteFunc(w.arrived, func(a registry.Arrival) bool { return a.Key == key })
		w.arrived = append(w.arrived, registry.Arrival{Resource: name, Key: key, VersionID: version, ETag: string(mode) + date})
	}
}

func compiled(t *testing.T) *contract.Package {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

func names(t *testing.T) *landing.Names {
	t.Helper()
	n, err := landing.FromContract(compiled(t))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// upload implements uploader; every version is "v1".
func (w *world) upload(_ context.Context, file localFile, sent func(int64)) (string, error) {
	if w.uploads != nil {
		return "", w.uploads
	}
	sent(file.Size / 2)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.uploaded = append(w.uploaded, file.key())
	return "v1", nil
}

// same implements uploader.
func (w *world) same(_ context.Context, file localFile, version string) bool {
	return w.hashes[file.key()+version]
}

// told is a display that remembers.
type told struct {
	notes  []string
	states []string
	sent   int64
	stops  int
}

func (d *told) note(text string) { d.notes = append(d.notes, text) }

func (d *told) uploading(sent, _ int64, _ string) { d.sent = sent }

func (d *told) progress(s registry.Status) { d.states = append(d.states, string(s.Import.Status)) }

func (d *told) stop() { d.stops++ }

// has tells whether a note was told.
func (d *told) has(text string) bool { return slices.Contains(d.notes, text) }

func running(id string) registry.Import {
	return registry.Import{
		ImportID: id, Mode: daily, FileDate: date, Status: etl.StatusRunning, Generation: 1, Attempts: 1,
		CreatedAt: at(0), StartedAt: at(0),
	}
}

// succeeded is an import that ended well and whose end is reported.
func succeeded(id string) registry.Import {
	imp := running(id)
	imp.Status, imp.Observed, imp.Notified, imp.EndedAt = etl.StatusSucceeded, 1, 2, at(12)
	imp.SealedGeneration = 1
	return imp
}

// failed is an import that ended badly and whose end is reported.
func failed(id string, faultName etl.Fault, advice string, sealed bool) registry.Import {
	imp := running(id)
	imp.Status, imp.Observed, imp.Notified, imp.EndedAt = etl.StatusFailed, 1, 2, at(9)
	imp.Fault, imp.Advice, imp.Step, imp.Reason = faultName, advice, etl.StepLoading, "Une raison."
	if sealed {
		imp.SealedGeneration = 1
	}
	return imp
}
