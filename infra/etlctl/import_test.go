package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// tenFiles is a folder with a file of every type, or of those named.
func tenFiles(t *testing.T, mode etl.Mode, resources ...string) folder {
	t.Helper()
	f := folder{Date: date}
	for _, r := range compiled(t).Resources {
		if len(resources) > 0 && !slices.Contains(resources, r.Name) {
			continue
		}
		file := localFile{Name: r.FileType + "_20241008.csv", Size: 10}
		file.Mode, file.Date, file.Resource = mode, date, r.Name
		f.Files = append(f.Files, file)
	}
	return f
}

func (w *world) delivery(t *testing.T, mode etl.Mode, resources ...string) (*delivery, *told) {
	f, show := w.follower()
	return &delivery{
		mode: mode, folder: tenFiles(t, mode, resources...), show: show, upload: w, bucket: "landing", objects: w,
		waiting: waiting{imports: w, dates: w, names: names(t)}, follow: f,
		totals: func(_ context.Context, f folder) (folder, func(), error) { return f, func() {}, nil },
	}, show
}

// arrived is a step in which the uploaded files become known.
func arrived(t *testing.T, mode etl.Mode, resources ...string) func(*world) {
	return func(w *world) { w.arrive(t, mode, date, "v1", resources...) }
}

func history(w *world) *world {
	w.published = []registry.Published{{Mode: initial, FileDate: "2024-10-01", ImportID: otherID}}
	return w
}

func TestDeliverStartsAnImport(t *testing.T) {
	w := history(newWorld(
		arrived(t, daily, "clients"), arrived(t, daily), nothing,
		set(running(importID))))
	d, show := w.delivery(t, daily)
	id, err := d.deliver(t.Context(), false)
	if err != nil || id != importID {
		t.Fatalf("deliver = %q, %v", id, err)
	}
	if len(w.uploaded) != 10 || show.sent != 100 {
		t.Errorf("uploaded %d files, %d bytes", len(w.uploaded), show.sent)
	}
	for _, note := range []string{
		textWaitingArrivals(0, 10), textWaitingArrivals(1, 10), textWaitingArrivals(10, 10),
		textWaiting(daily, date, textWaitsForNothing),
	} {
		if !show.has(note) {
			t.Errorf("not told: %s", note)
		}
	}
}

func TestDeliverLeaves(t *testing.T) {
	w := newWorld()
	d, _ := w.delivery(t, daily)
	if _, err := d.deliver(t.Context(), true); err != nil || len(w.uploaded) != 10 || w.clock != at(0) {
		t.Errorf("uploaded %d in %v: %v", len(w.uploaded), w.clock.Sub(at(0)), err)
	}
}

func TestDeliverRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		mode etl.Mode
		have func(*world)
		note string
	}{
		"a date that succeeded": {daily, set(succeeded(importID)), textAlreadyDone(importID, daily, date)},
		"a second initial":      {initial, func(w *world) { history(w) }, textInitialTooLate},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			test.have(w)
			d, show := w.delivery(t, test.mode)
			if _, err := d.deliver(t.Context(), false); !errors.As(err, new(toldError)) {
				t.Errorf("deliver: %v", err)
			}
			if len(w.uploaded) > 0 || !show.has(test.note) {
				t.Errorf("uploaded %v, told %q", w.uploaded, show.notes)
			}
		})
	}
}

func TestDeliverKnowsTheSameFiles(t *testing.T) {
	for name, imp := range map[string]registry.Import{
		"succeeded": succeeded(importID), "failed": failed(importID, "Transient", "redrive", true),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			for _, f := range tenFiles(t, daily).Files {
				imp.Files = append(imp.Files, registry.SealedFile{Key: f.key(), VersionID: "v0"})
				w.hashes[f.key()+"v0"] = true
			}
			w.set(imp)
			d, show := w.delivery(t, daily)
			id, err := d.deliver(t.Context(), false)
			if err != nil || id != importID || len(w.uploaded) > 0 {
				t.Fatalf("deliver = %q, %v; uploaded %v", id, err, w.uploaded)
			}
			if !show.has(textAlreadyTaken(importID, daily, date)) || d.unused(imp) != nil {
				t.Errorf("told %q, unused %v", show.notes, d.unused(imp))
			}
		})
	}
}

func TestDeliverExplainsAnEarlierImport(t *testing.T) {
	abandoned := failed(importID, "Transient", "redrive", true)
	abandoned.Status, abandoned.Generation = etl.StatusAbandoned, 2
	for name, test := range map[string]struct {
		imp  registry.Import
		note string
	}{
		"faulty file":          {failed(importID, "InvalidFile", "restart", true), textNeedsRestart(importID)},
		"failed before a list": {failed(importID, "Transient", "redrive", false), textNeedsRedrive(importID)},
		"abandoned":            {abandoned, textNeedsRestart(importID)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(arrived(t, daily))
			w.arrive(t, daily, date, "v0")
			w.set(test.imp)
			d, show := w.delivery(t, daily)
			if _, err := d.deliver(t.Context(), false); !errors.As(err, new(toldError)) {
				t.Fatalf("deliver: %v", err)
			}
			if len(w.uploaded) != 10 || !show.has(test.note) || !show.has(textNoMore) {
				t.Errorf("uploaded %d, told %q", len(w.uploaded), show.notes)
			}
		})
	}
}

func TestDeliverMissingFiles(t *testing.T) {
	missing := failed(importID, etl.FaultMissingFiles, "redrive", false)
	again := running(importID)
	again.Attempts = 2

	t.Run("the last one", func(t *testing.T) {
		w := newWorld(arrived(t, daily, "clients"), nothing, set(again))
		w.arrive(t, daily, date, "v0", "produits", "categories", "ventes", "magasins", "fournisseurs", "stocks", "paiements", "retours", "employes")
		w.set(missing)
		d, show := w.delivery(t, daily, "clients")
		if id, err := d.deliver(t.Context(), false); err != nil || id != importID {
			t.Fatalf("deliver = %q, %v; told %q", id, err, show.notes)
		}
		if !show.has(textWillResume(importID)) {
			t.Errorf("told %q", show.notes)
		}
	})
	t.Run("not the last one", func(t *testing.T) {
		w := newWorld(arrived(t, daily, "clients"))
		w.set(missing)
		d, show := w.delivery(t, daily, "clients")
		if _, err := d.deliver(t.Context(), false); !errors.As(err, new(toldError)) {
			t.Fatalf("deliver: %v; told %q", err, show.notes)
		}
		if !strings.Contains(strings.Join(show.notes, "\n"), "Fichiers manquants : product_data") {
			t.Errorf("told %q", show.notes)
		}
	})
	t.Run("another import has the slot", func(t *testing.T) {
		other := running(otherID)
		other.FileDate = "2024-10-07"
		w := newWorld(arrived(t, daily), nothing, set(again))
		w.set(missing)
		w.set(other)
		w.slot = otherID
		d, show := w.delivery(t, daily)
		if _, err := d.deliver(t.Context(), false); err != nil || !show.has(textWaitsForRunning(otherID, daily, "2024-10-07")) {
			t.Errorf("%v; told %q", err, show.notes)
		}
	})
}

func TestDeliverGivesUpOnlyAfterAWhile(t *testing.T) {
	w := newWorld(arrived(t, daily))
	d, show := w.delivery(t, daily)
	if _, err := d.deliver(t.Context(), false); !errors.As(err, new(toldError)) {
		t.Fatalf("deliver: %v", err)
	}
	if !show.has(textWaiting(daily, date, textWaitsForInitial)) || w.clock.Sub(at(0)) < patience {
		t.Errorf("after %v: %q", w.clock.Sub(at(0)), show.notes)
	}
}

func TestDeliverStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	w := newWorld(nothing, func(*world) { cancel(errInterrupted) })
	d, _ := w.delivery(t, daily)
	_, err := d.deliver(ctx, false)
	if err == nil || !errors.Is(context.Cause(ctx), errInterrupted) {
		t.Errorf("deliver: %v", err)
	}
}

func TestUploadFails(t *testing.T) {
	w := newWorld()
	w.uploads = errors.New("access denied")
	d, _ := w.delivery(t, daily, "clients")
	_, err := d.deliver(t.Context(), false)
	if failed, ok := errors.AsType[*uploadError](err); !ok || failed.file != "client_data_20241008.csv" || !errors.Is(err, w.uploads) {
		t.Errorf("deliver: %v", err)
	}
}

func TestUnused(t *testing.T) {
	d := delivery{versions: map[string]string{"daily/a": "v1", "daily/b": "v1", "daily/c": "v1", "daily/d": ""}}
	got := d.unused(registry.Import{Files: []registry.SealedFile{{Key: "daily/a", VersionID: "v1"}, {Key: "daily/b", VersionID: "v0"}}})
	if !slices.Equal(got, []string{"daily/b", "daily/c"}) {
		t.Errorf("unused = %v", got)
	}
}
