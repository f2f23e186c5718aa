package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/validation"
)

// halfWay is what is known of an import while its chunks are being staged.
func halfWay() registry.Status {
	imp := running(importID)
	imp.Files = []registry.SealedFile{{Resource: "clients", Key: "daily/client_data_20241008.csv"}, {Resource: "ventes", Key: "daily/sales_data_20241008.csv"}}
	return registry.Status{
		Import: imp,
		States: []registry.StateTotal{
			{State: "Open", Step: etl.StepLoading, Done: 1, StartedAt: at(0), FinishedAt: at(1)},
			{State: "Scan", Step: etl.StepLoading, Done: 2, Counts: registry.Counts{Read: 12_345_678}, StartedAt: at(1), FinishedAt: at(5)},
			{State: "Stage", Step: etl.StepStaging, Done: 3, Planned: 12, Counts: registry.Counts{Read: 3000, Persisted: 3000}, StartedAt: at(5), FinishedAt: at(6)},
		},
		Files: []registry.FileTotal{
			{
				Resource: "clients", Key: "daily/client_data_20241008.csv", Status: etl.FileWithRejects, Done: true, WorkSeconds: 3.25,
				Counts: registry.Counts{Read: 1_234_567, Valid: 1_234_500, Rejected: 67, Enriched: 1_234_000, NotEnriched: 500, Persisted: 1_234_500},
			},
			{Resource: "ventes", Unterminated: true, Reason: validation.FileEmpty, Key: "daily/sales_data_20241008.csv", WorkSeconds: 61, Counts: registry.Counts{Read: 11_111_111}},
		},
		Sources: []registry.SourceTotal{{
			Source: "clients", Asked: 1_234_500, Answered: 1_200_000, NotFound: 34_000, Failed: map[string]int64{"timeout": 400, "unreachable": 100},
			Calls: 1_235, Waits: 2, WaitSeconds: 90, WorkSeconds: 61, Dropped: 3,
		}},
		Attempts: []registry.Attempt{
			{Number: 1, Kind: etl.KindStart, Trigger: etl.TriggerFile, At: at(0), Generation: 1},
			{
				Number: 2, Kind: etl.KindResume, Trigger: etl.TriggerCommand, By: "arn:aws:iam::111122223333:user/anne (clé AKIA1)", At: at(3), Generation: 1, FailedStep: etl.StepStaging, FailedReason: "Base arrêtée.",
				Accepted: []registry.Acceptance{{What: registry.AcceptShrink, Resource: "produits", By: "arn:aws:iam::111122223333:user/anne"}},
			},
		},
	}
}

func TestShowImport(t *testing.T) {
	s := halfWay()
	compare(t, "testdata/running.golden", func(c *console) { c.showImport(s, "work") })
	s.Import = failed(importID, "Transient", "redrive", true)
	compare(t, "testdata/failed.golden", func(c *console) { c.showImport(s, "work") })
	s = registry.Status{Import: failed(importID, etl.FaultMissingFiles, "redrive", false)}
	s.Import.Notified = 0
	compare(t, "testdata/missing.golden", func(c *console) { c.showImport(s, "work") })
}

func TestFollowed(t *testing.T) {
	for name, test := range map[string]struct {
		imp    registry.Import
		unused []string
		exit   int
		text   string
	}{
		"succeeded": {succeeded(importID), nil, exitOK, "« réussi » en 12 s\nRapport : s3://work/" + importID + "/report.html\n"},
		"failed":    {failed(importID, "Transient", "redrive", true), nil, exitFailed, "make redrive IMPORT_ID=" + importID},
		"faulty":    {failed(importID, "InvalidFile", "restart", true), nil, exitFailed, "make restart IMPORT_ID=" + importID},
		"unused":    {succeeded(importID), []string{"daily/a.csv"}, exitFailed, textUnusedFiles(importID, []string{"daily/a.csv"})},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			w := newWorld()
			w.set(test.imp)
			f, _ := w.follower()
			c := &console{out: &out, err: &errs}
			err := c.followed(t.Context(), f, importID, time.Minute, "work", func(registry.Import) []string { return test.unused })
			if exit := c.fail(err); exit != test.exit || errs.Len() > 0 {
				t.Errorf("exit status %d, want %d; errors %q", exit, test.exit, errs.String())
			}
			if !strings.Contains(out.String(), test.text) {
				t.Errorf("%q lacks %q", out.String(), test.text)
			}
		})
	}
}

func TestUnknownImport(t *testing.T) {
	var errs bytes.Buffer
	c := &console{err: &errs}
	if exit := c.fail(c.unknown(registry.ErrNotFound, importID)); exit != exitFailed || !strings.Contains(errs.String(), message.RefusedUnknown) {
		t.Errorf("exit status %d, %q", exit, errs.String())
	}
	other := errors.New("other")
	if err := c.unknown(other, importID); !errors.Is(err, other) {
		t.Errorf("another error became %v", err)
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	w := newWorld()
	show := newDisplay(&console{out: &out, now: w.now})
	s := halfWay()
	show.progress(s)
	if lines := strings.Count(out.String(), "\n"); lines != 3 {
		t.Fatalf("%d lines: %q", lines, out.String())
	}
	out.Reset()
	show.progress(s)
	s.States[2].Done = 4
	show.progress(s)
	if out.Len() > 0 {
		t.Errorf("too soon: %q", out.String())
	}
	w.clock = w.clock.Add(lineInterval)
	show.progress(s)
	s.States[2].Done = 12
	show.progress(s)
	if got := out.String(); !strings.Contains(got, "4/12 lots") || !strings.Contains(got, "12/12 lots") {
		t.Errorf("%q", got)
	}
	out.Reset()
	s.Import.Generation = 2
	show.progress(s)
	if lines := strings.Count(out.String(), "\n"); lines != 3 {
		t.Errorf("a new generation: %q", out.String())
	}
	out.Reset()
	show.note("note")
	show.uploading(1, 2, "")
	show.uploading(2, 2, "file")
	show.stop()
	if out.String() != "note\nfile\n" {
		t.Errorf("%q", out.String())
	}
}

func TestBars(t *testing.T) {
	var out bytes.Buffer
	show := newDisplay(&console{out: &out, live: &out})
	show.note("first")
	show.uploading(5, 10, "")
	show.uploading(10, 10, "file")
	show.stop()
	s := halfWay()
	show.progress(s)
	s.States[2].Done = 12
	s.Import.Status = etl.StatusSucceeded
	show.progress(s)
	show.note("last")
	show.stop()
	if got := out.String(); !strings.HasPrefix(got, "first\n") || !strings.HasSuffix(got, "last\n") {
		t.Errorf("notes are lost: %q", got)
	}
}
