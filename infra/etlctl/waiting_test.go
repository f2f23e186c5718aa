package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

func TestWhy(t *testing.T) {
	earlier := "2024-10-07"
	stuck := failed(otherID, "Mismatch", "restart", true)
	stuck.FileDate = earlier
	busy := running(otherID)
	busy.FileDate = earlier
	here := func(t *testing.T, w *world) {
		t.Helper()
		history(w).arrive(t, daily, date, "v1")
	}
	for name, test := range map[string]struct {
		mode etl.Mode
		have func(*testing.T, *world)
		want wait
	}{
		"no history to load": {daily, func(t *testing.T, w *world) {
			w.noHistory = true
			w.arrive(t, daily, date, "v1")
		}, wait{Reason: textWaitsForNothing}},
		"behind an import whose refused files are corrected": {daily, func(t *testing.T, w *world) {
			here(t, w)
			w.arrive(t, daily, earlier, "v2")
			refused := failed(otherID, "InvalidFile", "restart", true)
			refused.FileDate = earlier
			refused.Files = []registry.SealedFile{{
				Resource: "clients", Key: "daily/client_data_20241007.csv", VersionID: "v1",
				FileStatus: registry.FileStatus{Status: etl.FileRejected},
			}}
			w.set(refused)
			w.queue, w.slot = []registry.Entry{{Mode: daily, FileDate: earlier, ImportID: otherID}}, otherID
		}, wait{Reason: textWaitsForRunning(otherID, daily, earlier)}},
		"about to start": {daily, here, wait{Reason: textWaitsForNothing}},
		"first initial": {initial, func(t *testing.T, w *world) {
			w.arrive(t, initial, date, "v1")
		}, wait{Reason: textWaitsForNothing}},
		"second initial": {initial, func(t *testing.T, w *world) {
			history(w).arrive(t, initial, date, "v1")
		}, wait{Reason: textInitialTooLate, Person: true, Sure: true}},
		"missing files": {daily, func(t *testing.T, w *world) {
			here(t, w)
			w.arrived = w.arrived[2:]
		}, wait{
			Reason:  textWaitsForFiles([]string{"client_data", "product_data"}),
			Missing: []string{"client_data", "product_data"}, Person: true, Sure: true,
		}},
		"due with missing files": {daily, func(t *testing.T, w *world) {
			here(t, w)
			w.arrived = w.arrived[1:]
			w.queue = []registry.Entry{{Mode: daily, FileDate: date, Due: true}}
		}, wait{Reason: textWaitsForNothing, Missing: []string{"client_data"}}},
		"no history": {daily, func(t *testing.T, w *world) {
			w.arrive(t, daily, date, "v1")
		}, wait{Reason: textWaitsForInitial, Person: true}},
		"behind a running import": {daily, func(t *testing.T, w *world) {
			here(t, w)
			w.set(busy)
			w.slot = otherID
		}, wait{Reason: textWaitsForRunning(otherID, daily, earlier)}},
		"behind a failed import": {daily, func(t *testing.T, w *world) {
			here(t, w)
			w.set(stuck)
			w.slot = otherID
		}, wait{Reason: textWaitsForFailed(otherID, daily, earlier, etl.StatusFailed), Person: true}},
		"behind an incomplete date": {daily, func(t *testing.T, w *world) {
			here(t, w)
			w.arrive(t, daily, earlier, "v1")
			w.arrived = append(w.arrived[:10:10], w.arrived[11:]...)
			w.queue = []registry.Entry{{Mode: daily, FileDate: earlier}, {Mode: daily, FileDate: date}}
		}, wait{Reason: textWaitsForDate(earlier, []string{"client_data"}), Person: true}},
		"an incomplete date that is published over holds up nothing": {daily, func(t *testing.T, w *world) {
			here(t, w)
			w.published = append(w.published, registry.Published{Mode: daily, FileDate: earlier})
			w.queue = []registry.Entry{{Mode: daily, FileDate: "2024-10-06"}, {Mode: daily, FileDate: date}}
		}, wait{Reason: textWaitsForNothing}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			test.have(t, w)
			got, err := waiting{imports: w, dates: w, names: names(t), noHistory: w.noHistory}.why(t.Context(), test.mode, date)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOverview(t *testing.T) {
	done := succeeded(otherID)
	done.FileDate = "2024-10-07"
	old := succeeded("IMPORT_20241001_000000_001")
	open := failed(importID, "InvalidFile", "restart", true)
	given := failed("IMPORT_20241005_000000_001", "Mismatch", "restart", true)
	given.FileDate, given.Status = "2024-10-05", etl.StatusAbandoned
	w := newWorld()
	for _, imp := range []registry.Import{old, done, open, given} {
		w.imports[imp.ImportID] = imp
	}
	w.published = []registry.Published{
		{Mode: initial, FileDate: "2024-10-01", ImportID: old.ImportID, At: at(1)},
		{Mode: daily, FileDate: "2024-10-07", ImportID: done.ImportID, At: at(2)},
	}
	w.abandoned = []registry.Abandoned{
		{Mode: daily, FileDate: "2024-10-05", ImportID: given.ImportID, At: at(2)}, {Mode: daily, FileDate: "2024-10-06", ImportID: "IMPORT_20241006_000000_001", At: at(1)},
	}
	w.queue = []registry.Entry{
		{Mode: daily, FileDate: date, ImportID: importID}, {Mode: daily, FileDate: "2024-10-09", Since: at(3)},
	}
	w.slot = importID
	w.arrive(t, daily, "2024-10-09", "v1")
	got, err := overview(t.Context(), waiting{imports: w, dates: w, names: names(t)}, w, 1)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, i := range got.Imports {
		ids = append(ids, i.ImportID+" "+string(i.Status))
	}
	if diff := cmp.Diff([]string{given.ImportID + " abandonné", otherID + " réussi", importID + " échoué"}, ids); diff != "" {
		t.Error(diff)
	}
	want := []waitingDate{{
		Mode: daily, FileDate: "2024-10-09", Status: etl.StatusWaiting, Missing: []string{}, Since: at(3),
		Reason: textWaitsForFailed(importID, daily, date, etl.StatusFailed),
	}}
	if diff := cmp.Diff(want, got.Waiting); diff != "" {
		t.Error(diff)
	}
	compare(t, "testdata/overview.golden", func(c *console) { got.write(c) })
	compare(t, "testdata/empty.golden", found{}.write)
}
