package phase_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

// TestOpenWithTheRegistry opens an import on the real registry: it waits for the
// last file, seals what is newest then, and keeps to it.
func TestOpenWithTheRegistry(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	clock := &registrytest.Clock{}
	records := emulator.Open(t, clock.Now)
	arrive := func(resource, object, version string) {
		t.Helper()
		clock.Move(time.Second)
		modified := clock.Now()
		if _, _, err := records.RecordArrival(t.Context(), "daily", "2024-10-08", resource, object, func(context.Context) (registry.Arrival, bool, error) {
			return registry.Arrival{VersionID: version, ETag: "e" + version, LastModified: modified, Size: 7}, true, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	var missing []string
	for i, r := range l.common.Contract.Resources {
		if i%3 == 0 {
			missing = append(missing, r.FileType)
		} else {
			arrive(r.Name, "daily/"+r.FileType+"_20241008.csv", "v1")
		}
	}
	queue, err := records.Queue(t.Context())
	if err != nil || len(queue) != 1 {
		t.Fatalf("queue %v, %v", queue, err)
	}
	imp, ok, err := records.Allot(t.Context(), queue[0], etl.TriggerDeadline, func(name string) string { return "arn:" + name })
	if err != nil || !ok {
		t.Fatalf("allotted %v, %v", ok, err)
	}
	open := l.open()
	open.Sealer, open.Progress = records, records
	in := phase.OpenIn{Import: phase.Import{ImportID: imp.ImportID, Generation: 1, Mode: "daily", FileDate: "2024-10-08"}, ExecutionARN: imp.ExecutionARN}
	_, err = open.Run(t.Context(), in)
	if got, ok := errors.AsType[*fault.MissingFiles](fault.Lift(err)); !ok || cmp.Diff(missing, got.Missing) != "" {
		t.Errorf("got %v, want the missing %v", err, missing)
	}
	if logged := l.log.lines(t, phase.FilesMissing); len(logged) != 1 || logged[0].Details != strings.Join(missing, ", ") {
		t.Errorf("logged %+v", logged)
	}
	for i, r := range l.common.Contract.Resources {
		if i%3 == 0 {
			arrive(r.Name, "daily/"+r.Alias+"_20241008.json", "v1")
		}
	}
	arrive("ventes", "daily/sales_data_20241008.csv", "v2") // again, before the list is sealed
	out, err := open.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	arrive("clients", "daily/client_data_20241008.csv", "v3") // too late
	again, err := open.Run(t.Context(), in)
	if err != nil || cmp.Diff(out, again) != "" {
		t.Errorf("opened again: %v\n%s", err, cmp.Diff(out, again))
	}
	for i, f := range out.Files {
		want := phase.File{Resource: l.common.Contract.Resources[i].Name, VersionID: "v1", Bytes: 7, Format: "csv"}
		want.File = l.common.Contract.Resources[i].FileType + "_20241008.csv"
		if i%3 == 0 && want.Resource != "ventes" {
			want.File, want.Format = l.common.Contract.Resources[i].Alias+"_20241008.json", "json"
		}
		if want.Key = "daily/" + want.File; want.Resource == "ventes" {
			want.VersionID = "v2"
		}
		if f != want {
			t.Errorf("sealed %+v, want %+v", f, want)
		}
	}
	if got := l.count(t, `SELECT count(*) FROM etl.files WHERE import_id = $1 AND version_id = 'v1'`, imp.ImportID); got != 9 {
		t.Errorf("%d files in the database", got)
	}
}

// TestOpenStatus: who was finished or given up is not opened again, and who has
// not the slot is refused.
func TestOpenStatus(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t))
	in := r.openIn()
	for _, status := range []etl.Status{etl.StatusSucceeded, etl.StatusAbandoned} {
		imp := l.registry.imports[r.imp.ImportID]
		imp.Status = status
		l.registry.imports[r.imp.ImportID] = imp
		if _, err := l.open().Run(t.Context(), in); !isSuperseded(err) {
			t.Errorf("an import «%s» got %v", status, err)
		}
	}
	imp := l.registry.imports[r.imp.ImportID]
	imp.Status = etl.StatusFailed
	l.registry.imports[r.imp.ImportID] = imp
	open := l.open()
	open.Sealer = taken{l.registry}
	_, err := open.Run(t.Context(), in)
	if got, ok := errors.AsType[*fault.Refused](fault.Lift(err)); !ok || !strings.Contains(got.Error(), "IMPORT_OTHER") {
		t.Errorf("got %v, want Refused", err)
	}
	if got := l.count(t, `SELECT count(*) FROM etl.imports`); got != 0 {
		t.Errorf("%d imports were written", got)
	}
}

// taken is a registry whose slot another import has.
type taken struct{ *fakeRegistry }

func (taken) TakeSlot(context.Context, string, func(registry.Import) error) (registry.Import, error) {
	return registry.Import{}, &registry.TakenError{Holder: "IMPORT_OTHER"}
}

func isSuperseded(err error) bool {
	_, ok := errors.AsType[*fault.Superseded](fault.Lift(err))
	return ok
}

// TestDataKey: an import has one data key, whatever dies in between; a key that
// was made and not stored is never used.
func TestDataKey(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t))
	in := r.openIn()
	first, err := l.open().Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	l.kms.calls.Store(0)
	second, err := l.open().Run(t.Context(), in)
	if err != nil || second.Import.KeyID != first.Import.KeyID || string(second.Import.WrappedKey) != string(first.Import.WrappedKey) {
		t.Errorf("the key changed: %v", err)
	}
	if l.kms.calls.Load() != 0 {
		t.Errorf("a second run calls KMS %d times", l.kms.calls.Load())
	}
	if got := postgrestest.Scan[[]byte](t, l.conn, `SELECT ciphertext FROM etl.data_keys`); string(got) != string(first.Import.WrappedKey) {
		t.Error("the stored key is another")
	}
}

// TestOpenRefusesForgedInput: what is imported, and how, comes from the registry.
// An execution that somebody started by hand is refused by name for each value of
// its input that is another, and changes nothing.
func TestOpenRefusesForgedInput(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t))
	for name, forge := range map[string]func(*phase.OpenIn){
		"mode":                 func(in *phase.OpenIn) { in.Import.Mode = etl.ModeInitial },
		"date":                 func(in *phase.OpenIn) { in.Import.FileDate = "2024-10-09" },
		"no date":              func(in *phase.OpenIn) { in.Import.FileDate = "" },
		"next generation":      func(in *phase.OpenIn) { in.Import.Generation++ },
		"unknown import":       func(in *phase.OpenIn) { in.Import.ImportID = "IMPORT_20241009_150000_777" },
		"no import":            func(in *phase.OpenIn) { in.Import.ImportID = "" },
		"endless import":       func(in *phase.OpenIn) { in.Import.ImportID = strings.Repeat("I", 1<<20) },
		"another execution":    func(in *phase.OpenIn) { in.ExecutionARN += "-2" },
		"execution by console": func(in *phase.OpenIn) { in.ExecutionARN = "arn:5f1c2f3e-0000-4000-8000-000000000000" },
	} {
		in := r.openIn()
		forge(&in)
		_, err := l.open().Run(t.Context(), in)
		got, ok := errors.AsType[*fault.Refused](fault.Lift(err))
		if !ok || !got.Foreign || !strings.Contains(got.Reason, "make redrive") || len(got.Error()) > 1<<10 {
			t.Errorf("%s: got %v, want Refused", name, err)
		}
	}
	if got := l.count(t, `SELECT count(*) FROM etl.imports`); got != 0 || r.known().Sealed() {
		t.Errorf("%d imports were written", got)
	}
	in := r.openIn()
	in.Import.KeyID, in.Import.WrappedKey = 7, []byte("forged")
	out, err := l.open().Run(t.Context(), in)
	if err != nil || out.Import.KeyID == 7 || string(out.Import.WrappedKey) == "forged" {
		t.Errorf("a forged data key was taken over: %v", err)
	}
	in.Import.Generation = 0
	if _, err := l.open().Run(t.Context(), in); !isSuperseded(err) {
		t.Errorf("an earlier generation got %v, want Superseded", err)
	}
}

// abandoning gives an import up right after Open looked at it.
type abandoning struct {
	*registry.Registry
	abandon func()
}

func (a *abandoning) TakeSlot(ctx context.Context, importID string, check func(registry.Import) error) (registry.Import, error) {
	return a.Registry.TakeSlot(ctx, importID, func(known registry.Import) error {
		err := check(known)
		if a.abandon != nil {
			a.abandon()
			a.abandon = nil
		}
		return err
	})
}

// TestOpenOfAnImportGivenUpMeanwhile: the look at the import and the slot are one
// transaction, so an import that is given up in between does not keep the slot.
func TestOpenOfAnImportGivenUpMeanwhile(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	clock := &registrytest.Clock{}
	records := emulator.Open(t, clock.Now)
	imp, ok, err := records.Allot(t.Context(), queued(t, records), etl.TriggerFile, func(name string) string { return "arn:" + name })
	if err != nil || !ok {
		t.Fatalf("allotted %v, %v", ok, err)
	}
	imp, _, err = records.Observe(t.Context(), imp.ImportID, registry.Observation{ExecutionARN: imp.ExecutionARN, Status: etl.StatusFailed, Fault: "Unexpected"})
	if err != nil {
		t.Fatal(err)
	}
	open := l.open()
	open.Progress = records
	open.Sealer = &abandoning{records, func() {
		claimed, err := records.Claim(t.Context(), imp, registry.Pending{Kind: etl.KindAbandon, Trigger: etl.TriggerCommand})
		if err == nil {
			_, err = records.Abandon(t.Context(), claimed, 2)
		}
		if err != nil {
			t.Error(err)
		}
	}}
	in := phase.OpenIn{Import: phase.Import{ImportID: imp.ImportID, Generation: 1, Mode: "daily", FileDate: "2024-10-08"}, ExecutionARN: imp.ExecutionARN}
	if _, err := open.Run(t.Context(), in); !isSuperseded(err) {
		t.Errorf("got %v, want Superseded", err)
	}
	if holder, err := records.Slot(t.Context()); err != nil || holder != "" {
		t.Errorf("the slot is held by %q, %v", holder, err)
	}
}

// queued returns the entry of a date of which one file is there.
func queued(t *testing.T, records *registry.Registry) registry.Entry {
	t.Helper()
	if _, _, err := records.RecordArrival(t.Context(), "daily", "2024-10-08", "clients", "daily/client_data_20241008.csv", func(context.Context) (registry.Arrival, bool, error) {
		return registry.Arrival{VersionID: "v1"}, true, nil
	}); err != nil {
		t.Fatal(err)
	}
	queue, err := records.Queue(t.Context())
	if err != nil || len(queue) != 1 {
		t.Fatalf("queue %v, %v", queue, err)
	}
	return queue[0]
}
