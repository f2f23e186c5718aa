package registry_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// sealedImport is an import that runs and has sealed the files of these resources.
func sealedImport(t *testing.T, r *registry.Registry, resources ...string) registry.Import {
	t.Helper()
	imp := allotted(t, r)
	var files []registry.SealedFile
	for _, name := range resources {
		files = append(files, registry.SealedFile{Resource: name, Key: "daily/" + name + "_20241008.csv", VersionID: "v1"})
	}
	if _, err := r.Seal(t.Context(), imp.ImportID, 1, files); err != nil {
		t.Fatal(err)
	}
	return imp
}

func TestFileStatuses(t *testing.T) {
	r, _ := open(t)
	imp := sealedImport(t, r, "clients", "ventes", "stocks")
	refused := registry.FileStatus{Status: etl.FileRejected, Reason: "le fichier est vide"}
	differs := registry.FileStatus{Status: etl.FileRejected, Reason: "3 enregistrements", ByControl: true}
	statuses := map[string]registry.FileStatus{"clients": refused, "ventes": differs}
	for range 2 { // the second time changes nothing
		if err := r.RecordFileStatuses(t.Context(), imp.ImportID, 1, statuses); err != nil {
			t.Fatal(err)
		}
	}
	got, err := r.Import(t.Context(), imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.FileStatus{refused, differs, {}}
	for i, f := range got.Files {
		if f.FileStatus != want[i] || f.VersionID != "v1" {
			t.Errorf("%s: %+v, want %+v", f.Resource, f, want[i])
		}
	}
	if got.Revision != imp.Revision+2 { // the list, the statuses
		t.Errorf("revision = %d, of the same statuses twice", got.Revision)
	}
	s, err := r.Status(t.Context(), imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	if f := s.Files[1]; f.Status != etl.FileRejected || f.Reason != differs.Reason {
		t.Errorf("the status shows %q, %q", f.Status, f.Reason)
	}
}

func TestFileStatusesAreFenced(t *testing.T) {
	r, _ := open(t)
	valid := map[string]registry.FileStatus{"clients": {Status: etl.FileValid}}
	imp := allotted(t, r)
	if changed, ok := errors.AsType[*registry.ChangedError](r.RecordFileStatuses(t.Context(), imp.ImportID, 1, valid)); !ok {
		t.Errorf("before the list is sealed: %v", changed)
	}
	if _, err := r.Seal(t.Context(), imp.ImportID, 1, []registry.SealedFile{{Resource: "clients"}}); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*registry.ChangedError](r.RecordFileStatuses(t.Context(), imp.ImportID, 2, valid)); !ok {
		t.Error("another generation wrote a status")
	}
	if err := r.RecordFileStatuses(t.Context(), imp.ImportID, 1, map[string]registry.FileStatus{"autre": {}}); err == nil {
		t.Error("a file that is not in the list got a status")
	}
	if err := r.RecordFileStatuses(t.Context(), "IMPORT_NONE", 1, valid); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("unknown import: %v", err)
	}
	if got, err := r.Import(t.Context(), imp.ImportID); err != nil || got.Files[0].Status != "" {
		t.Errorf("status = %q, %v", got.Files[0].Status, err)
	}
}

// A restart seals its list anew, and knows nothing of the statuses before.
func TestFileStatusesOfAnotherGeneration(t *testing.T) {
	r, _ := open(t)
	imp := sealedImport(t, r, "clients")
	rejected := map[string]registry.FileStatus{"clients": {Status: etl.FileRejected, Reason: "vide"}}
	if err := r.RecordFileStatuses(t.Context(), imp.ImportID, 1, rejected); err != nil {
		t.Fatal(err)
	}
	failed, _ := observe(t, r, imp, 0, etl.StatusFailed, "InvalidFile")
	claim, err := r.Claim(t.Context(), failed, registry.Pending{Kind: etl.KindRestart})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Begin(t.Context(), claim, 2, arn); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*registry.ChangedError](r.RecordFileStatuses(t.Context(), imp.ImportID, 1, rejected)); !ok {
		t.Error("a late twin wrote a status")
	}
	files, err := r.Seal(t.Context(), imp.ImportID, 2, []registry.SealedFile{{Resource: "clients", VersionID: "v2"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]registry.SealedFile{{Resource: "clients", VersionID: "v2"}}, files); diff != "" {
		t.Errorf("sealed anew (-want +got):\n%s", diff)
	}
}

func TestFileReasonIsBounded(t *testing.T) {
	r, _ := open(t)
	imp := sealedImport(t, r, "clients")
	long := map[string]registry.FileStatus{"clients": {Status: etl.FileRejected, Reason: strings.Repeat("é", 100_000)}}
	for range 2 {
		if err := r.RecordFileStatuses(t.Context(), imp.ImportID, 1, long); err != nil {
			t.Fatal(err)
		}
	}
	got, err := r.Import(t.Context(), imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	reason := got.Files[0].Reason
	if len(reason) > message.TextBytes || !utf8.ValidString(reason) || !strings.HasSuffix(reason, "é [coupé]") {
		t.Errorf("%d bytes, ending with %q", len(reason), reason[len(reason)-12:])
	}
	if got.Revision != imp.Revision+2 {
		t.Errorf("revision = %d: the reason that was cut is taken for another", got.Revision)
	}
}

// Writers at once lose nothing of each other.
func TestFileStatusesTogether(t *testing.T) {
	r, _ := open(t)
	imp := sealedImport(t, r, "clients", "ventes")
	var group sync.WaitGroup
	for _, resource := range []string{"clients", "ventes"} {
		group.Go(func() {
			if err := r.RecordFileStatuses(t.Context(), imp.ImportID, 1, map[string]registry.FileStatus{resource: {Status: etl.FileValid}}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got, err := r.Import(t.Context(), imp.ImportID)
	if err != nil || got.Files[0].Status != etl.FileValid || got.Files[1].Status != etl.FileValid {
		t.Errorf("statuses: %+v, %v", got.Files, err)
	}
}

// The control file is no file of records: the status shows it only if it is refused.
func TestStatusOfTheControlFile(t *testing.T) {
	r, _ := open(t)
	imp := sealedImport(t, r, "clients", "control")
	for _, c := range []struct {
		status etl.FileStatus
		files  int
	}{{"", 1}, {etl.FileValid, 1}, {etl.FileRejected, 2}} {
		if err := r.RecordFileStatuses(t.Context(), imp.ImportID, 1, map[string]registry.FileStatus{"control": {Status: c.status}}); err != nil {
			t.Fatal(err)
		}
		s, err := r.Status(t.Context(), imp.ImportID)
		if err != nil || len(s.Files) != c.files {
			t.Errorf("%q: %d files, %v", c.status, len(s.Files), err)
		}
	}
}
