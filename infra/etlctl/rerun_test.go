package main

import (
	"context"
	"errors"
	"testing"

	"github.com/alecthomas/kong"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// stack answers a request for a re-execution.
type stack struct {
	asked   any
	message string
	err     error
}

func (s *stack) ask(_ context.Context, _ string, in, out any) error {
	s.asked = in
	if s.err == nil {
		*out.(*control.Answer) = control.Answer{Message: s.message}
	}
	return s.err
}

func TestRerun(t *testing.T) {
	request := control.Request{ImportID: importID, Mode: etl.KindRestart, Force: true}
	w := newWorld()
	f, _ := w.follower()
	text, err := rerun(t.Context(), &stack{message: "Il redémarre."}, f, request)
	if err != nil || text != "Il redémarre." {
		t.Errorf("rerun = %q, %v", text, err)
	}
	lost := errors.New("connection reset")
	if _, err := rerun(t.Context(), &stack{err: lost}, f, request); !errors.Is(err, lost) {
		t.Errorf("rerun: %v", err)
	}
}

// A re-execution that takes longer than the stack keeps its caller waiting goes on; the
// command waits until it is no longer pending.
func TestSlowRerun(t *testing.T) {
	pending := failed(importID, "Transient", "redrive", true)
	pending.Pending = registry.Pending{Kind: etl.KindRestart}
	w := newWorld(nothing, set(running(importID)))
	w.set(pending)
	f, show := w.follower()
	text, err := rerun(t.Context(), &stack{err: errSlow}, f, control.Request{ImportID: importID, Mode: etl.KindRestart})
	if want := textImport(importID, daily, date, etl.StatusRunning); err != nil || text != want || !show.has(textSlow) {
		t.Errorf("got %q, %v; want %q", text, err, want)
	}
}

// What is accepted is asked for as it was given, a value with a comma included.
func TestRerunAccepts(t *testing.T) {
	var cli struct {
		Redrive redriveCommand `cmd:""`
	}
	parser, err := kong.New(&cli, kong.Vars(textHelp()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"redrive", importID, "--accept", "shrink=produits", "--accept", "shrink=magasins,stocks"}); err != nil {
		t.Fatal(err)
	}
	if got := cli.Redrive.Accept; len(got) != 2 || got[0] != "shrink=produits" || got[1] != "shrink=magasins,stocks" {
		t.Errorf("accepts %q", got)
	}
}
