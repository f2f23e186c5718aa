package registry_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

func TestStatus(t *testing.T) {
	r, clock := open(t)
	imp := allotted(t, r)
	ctx := t.Context()
	if _, err := r.Seal(ctx, imp.ImportID, 1, []registry.SealedFile{{Resource: "clients", Key: "daily/client_data_20241008.csv"}, {Resource: "ventes", Key: "daily/sales_data_20241008.csv"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.RecordPlan(ctx, imp.ImportID, 1, map[string]int{"clients": 2, "ventes": 1}); err != nil {
		t.Fatal(err)
	}
	units := []registry.Progress{
		{State: "ScanFile", Resource: "clients", Read: 30, Seconds: 1},
		{State: "Validate", Resource: "clients", Chunk: 0, Valid: 18, Rejected: 2, Errors: 3, Seconds: 4},
		{State: "Validate", Resource: "clients", Chunk: 1, Valid: 10, Seconds: 4},
		{State: "Validate", Resource: "clients", Chunk: 1, Valid: 10, Seconds: 4}, // ran twice
		{State: "CrossCheck", Resource: "clients", Valid: 27, Rejected: 1, Errors: 1, Seconds: 2},
		{State: "Enrich", Resource: "clients", Chunk: 0, Enriched: 17, NotEnriched: 1},
		{State: "Enrich", Resource: "clients", Chunk: 1, Enriched: 9},
		{State: "Transform", Resource: "clients", Enriched: 17, NotEnriched: 1},
		{State: "Prepare", Resource: "clients", Persisted: 27},
	}
	for _, u := range units {
		clock.Move(10 * time.Second)
		if err := r.RecordProgress(ctx, imp.ImportID, 1, u); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.RecordFault(ctx, imp.ImportID, 1, registry.Fault{State: "ScanFile", Resource: "ventes", Name: "InvalidFile", Message: "vide"}); err != nil {
		t.Fatal(err)
	}
	s, err := r.Status(ctx, imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	want := registry.Counts{Read: 30, Valid: 27, Rejected: 3, Enriched: 26, NotEnriched: 1, Persisted: 27, Errors: 4}
	if diff := cmp.Diff(want, s.Files[0].Counts); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	if s.Files[0].Status != etl.FileWithRejects || s.Files[1].Status != etl.FileRejected {
		t.Errorf("file statuses = %q, %q", s.Files[0].Status, s.Files[1].Status)
	}
	var states []string
	for _, st := range s.States {
		states = append(states, fmt.Sprintf("%s %d/%d", st.State, st.Done, st.Planned))
	}
	wantStates := []string{"ScanFile 1/0", "Validate 2/3", "CrossCheck 1/0", "Enrich 2/2", "Transform 1/3", "Prepare 1/3"}
	if diff := cmp.Diff(wantStates, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if s.States[1].Seconds() != 24 || s.States[1].WorkSeconds != 8 {
		t.Errorf("Validate took %v, worked %v", s.States[1].Seconds(), s.States[1].WorkSeconds)
	}
	failed, _ := observe(t, r, imp, 0, etl.StatusFailed, "Unexpected")
	claim, err := r.Claim(ctx, failed, registry.Pending{Kind: etl.KindAbandon})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Abandon(ctx, claim, 2); err != nil {
		t.Fatal(err)
	}
	if s, err = r.Status(ctx, imp.ImportID); err != nil || len(s.Files) != 2 || s.Files[0].Counts.Valid != 27 {
		t.Errorf("after it was abandoned: %+v, %v", s.Files, err)
	}
	if _, err := r.Status(ctx, "IMPORT_NONE"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("unknown import: %v", err)
	}
}

// What Publish did not write is not shown as persisted.
func TestStatusOfKeptAndSkipped(t *testing.T) {
	r, _ := open(t)
	imp := sealedImport(t, r, "clients", "produits")
	for _, u := range []registry.Progress{
		{State: "Scan", Resource: "produits", Read: 9, Unterminated: true},
		{State: "Prepare", Resource: "clients", Persisted: 27},
		{State: "Prepare", Resource: "produits", Persisted: 9},
		{State: "Publish", Resource: "clients", Persisted: 20, Kept: 7},
		{State: "Publish", Resource: "produits", Skipped: 9},
	} {
		if err := r.RecordProgress(t.Context(), imp.ImportID, 1, u); err != nil {
			t.Fatal(err)
		}
	}
	s, err := r.Status(t.Context(), imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.Counts{{Persisted: 20, Kept: 7}, {Read: 9, Skipped: 9}}
	notes := [][]string{registry.FileNotes("clients_20241008.csv", "", false, 7, 0), registry.FileNotes("produits_20241008.csv", "", true, 0, 9)}
	for i, f := range s.Files {
		if f.Counts != want[i] {
			t.Errorf("%s: %+v, want %+v", f.Resource, f.Counts, want[i])
		}
		if diff := cmp.Diff(notes[i], f.Notes()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f.Resource, diff)
		}
	}
}

// TestStatusOfSources: what the units of a source did, by name; a unit that ran again
// counts once.
func TestStatusOfSources(t *testing.T) {
	r, _ := open(t)
	imp := sealedImport(t, r, "clients", "ventes")
	record := func(resource string, chunk int, asked *registry.Asked) {
		t.Helper()
		p := registry.Progress{State: "Enrich", Resource: resource, Chunk: chunk, Seconds: 2, Enrichment: asked}
		if err := r.RecordProgress(t.Context(), imp.ImportID, 1, p); err != nil {
			t.Fatal(err)
		}
	}
	sources := func() []registry.SourceTotal {
		t.Helper()
		s, err := r.Status(t.Context(), imp.ImportID)
		if err != nil {
			t.Fatal(err)
		}
		return s.Sources
	}
	record("clients", 0, nil) // as before sources were counted
	if got := sources(); got != nil {
		t.Errorf("sources %+v, of which nothing was asked", got)
	}
	record("ventes", 0, &registry.Asked{Source: "stores", Asked: 1, Answered: 1, Calls: 1})
	record("clients", 0, &registry.Asked{Source: "scoring", Asked: 9, Answered: 9, Calls: 1})
	for chunk, failed := range []map[string]int64{{"timeout": 2}, nil, {"timeout": 1, "record_error": 1}} {
		record("clients", chunk, &registry.Asked{
			Source: "scoring", Asked: 10, Answered: 7, NotFound: 1, Failed: failed, Calls: 3, Waits: 1, WaitSeconds: 30.5, Dropped: 4,
		})
	}
	want := []registry.SourceTotal{
		{
			Source: "scoring", Asked: 30, Answered: 21, NotFound: 3, Failed: map[string]int64{"timeout": 3, "record_error": 1},
			Calls: 9, Waits: 3, WaitSeconds: 91.5, WorkSeconds: 6, Dropped: 12,
		},
		{Source: "stores", Asked: 1, Answered: 1, Calls: 1, WorkSeconds: 2},
	}
	if diff := cmp.Diff(want, sources()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := want[0].NotEnriched(); got != 4 {
		t.Errorf("%d records are not enriched, want 4", got)
	}
}

// TestStatusWithoutEnrich: the counts of an import from before the state Enrich are
// those of Transform.
func TestStatusWithoutEnrich(t *testing.T) {
	r, _ := open(t)
	imp := sealedImport(t, r, "clients")
	for chunk := range 2 {
		if err := r.RecordProgress(t.Context(), imp.ImportID, 1, registry.Progress{State: "Transform", Resource: "clients", Chunk: chunk, Enriched: 3, NotEnriched: 1}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := r.Status(t.Context(), imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	if want := (registry.Counts{Enriched: 6, NotEnriched: 2}); s.Files[0].Counts != want {
		t.Errorf("%+v, want %+v", s.Files[0].Counts, want)
	}
}
