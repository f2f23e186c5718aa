package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// replaying is a published import with a replay.
func replaying(status etl.Status, resolved int64) registry.Status {
	imp := succeeded(importID)
	imp.Replay = registry.Replay{Number: 2, Source: "clients", Status: status, StartedAt: at(20), Told: status != etl.StatusRunning}
	if status == etl.StatusFailed {
		imp.Replay.Reason = "La base ne répond pas."
	}
	s := halfWay()
	s.Import, s.Files = imp, s.Files[:1]
	s.Replays = []registry.ReplayTotal{
		{Replay: 1, Resolved: 100, SourceTotal: registry.SourceTotal{Source: "clients", Asked: 500, Answered: 90, NotFound: 10, Failed: map[string]int64{"timeout": 400}, Calls: 20, Waits: 3, WaitSeconds: 210, WorkSeconds: 61}},
		{Replay: 2, Resolved: resolved, Skipped: 7, SourceTotal: registry.SourceTotal{Source: "clients", Asked: resolved, Answered: resolved, Calls: 5, WorkSeconds: 2.5}},
	}
	return s
}

// know puts what is known of an import where it belongs.
func know(s registry.Status) func(*world) {
	return func(w *world) {
		w.set(s.Import)
		w.statuses[importID] = s
	}
}

// TestShowReplays: an import shows what was asked after its publication, and how to ask
// again.
func TestShowReplays(t *testing.T) {
	s := replaying(etl.StatusFailed, 393)
	compare(t, "testdata/replayed.golden", func(c *console) { c.showImport(s, "work") })
}

// TestReplayFollowed: a replay is followed to its end, which the exit status tells.
func TestReplayFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		end  etl.Status
		told bool
		text string
	}{
		"succeeded": {etl.StatusSucceeded, false, "Rejeu 2 (clients) : « réussi ». 400 complétés, encore 0 non enrichis."},
		"failed":    {etl.StatusFailed, true, "Raison   : La base ne répond pas."},
		"replaced":  {etl.StatusAbandoned, true, "« abandonné »"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(nothing, know(replaying(etl.StatusRunning, 200)), know(replaying(c.end, 400)))
			know(replaying(etl.StatusRunning, 0))(w)
			f, show := w.follower()
			var out bytes.Buffer
			err := (&console{out: &out, err: &out}).replayFollowed(t.Context(), f, importID, time.Minute)
			if told := errors.As(err, new(toldError)); told != c.told || (err != nil) != c.told {
				t.Errorf("got %v", err)
			}
			if !strings.Contains(out.String(), c.text) {
				t.Errorf("it shows\n%s", out.String())
			}
			for _, note := range []string{textReplayProgress(0, 400), textReplayProgress(200, 200)} {
				if !show.has(note) {
					t.Errorf("it does not tell %q", note)
				}
			}
		})
	}
}

// TestEnrichArguments: the source is optional.
func TestEnrichArguments(t *testing.T) {
	var cli struct {
		Enrich enrichCommand `cmd:""`
	}
	parser, err := kong.New(&cli, kong.Vars(textHelp()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"enrich", importID, "--source", "clients", "--no-follow"}); err != nil || cli.Enrich.Source != "clients" || !cli.Enrich.NoFollow {
		t.Errorf("%+v, %v", cli.Enrich, err)
	}
}
