package main

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestStepsAreTheMachines: every state of the machine that runs a function is a
// step of the matrix, in the order of the machine's definition.
func TestStepsAreTheMachines(t *testing.T) {
	text, err := os.ReadFile("../../../statemachine/import.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	type states struct {
		StartAt string
		States  map[string]struct {
			Type, Resource, Next string
			ItemProcessor        json.RawMessage
			Choices              []struct{ Next string }
		}
	}
	var walk func(text []byte) []string
	walk = func(text []byte) (names []string) {
		var m states
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		for name, next := m.StartAt, ""; name != ""; name = next {
			st := m.States[name]
			if next = st.Next; len(st.Choices) > 0 {
				next = st.Choices[0].Next
			}
			if st.Resource == "" && st.ItemProcessor == nil { // it runs no function
				continue
			}
			if inner := m.States[name].ItemProcessor; inner != nil {
				inside := walk(inner)
				if len(inside) == 1 {
					names = append(names, name) // a map of one task is the step
				} else {
					names = append(names, inside...)
				}
				continue
			}
			names = append(names, name)
		}
		return names
	}
	var ours []string
	for _, s := range steps() {
		ours = append(ours, s.name)
		if !strings.Contains(string(text), "${"+s.function+"Arn}") {
			t.Errorf("the machine does not call %s", s.function)
		}
	}
	if machine := walk(text); !slices.Equal(machine, ours) {
		t.Errorf("the machine has the steps %v, the matrix %v", machine, ours)
	}
}

// TestEveryFaultCanBeInjected: the matrix has no column without an injection.
func TestEveryFaultCanBeInjected(t *testing.T) {
	for _, c := range cells() {
		if i, err := new(system).inject(c); err != nil || i.arm == nil || i.struck == nil {
			t.Errorf("%s: %v", c, err)
		}
	}
	if _, err := new(system).inject(cell{fault: fault{name: "earthquake"}}); err == nil {
		t.Error("an unknown fault is injected")
	}
}

func TestCells(t *testing.T) {
	all := map[string]bool{}
	perFault := map[string]int{}
	for _, c := range cells() {
		if all[c.String()] {
			t.Errorf("%s is there twice", c)
		}
		all[c.String()] = true
		perFault[c.fault.name]++
	}
	want := map[string]int{
		"error-before": 28, "answer-lost": 28, "killed": 28, "timeout": 28, "pg-restart": 24, "pg-down": 24, "kms": 8, "s3": 16,
		"enrichment": 2, "twice": 28, "two-redrives": 28, "stopped": 28, "late-twin": 28,
	}
	if !maps.Equal(perFault, want) {
		t.Errorf("cells by fault %v, want %v", perFault, want)
	}
}

// TestFast: the subset has every fault, every step and both modes.
func TestFast(t *testing.T) {
	chosen, err := choose(fast())
	if err != nil || len(chosen) != len(fast()) {
		t.Fatalf("%d cells: %v", len(chosen), err)
	}
	seen := map[string]bool{}
	for _, c := range chosen {
		seen[c.step.name], seen[c.fault.name], seen[c.mode] = true, true, true
	}
	for _, s := range steps() {
		if !seen[s.name] {
			t.Errorf("no cell of %s", s.name)
		}
	}
	for _, f := range faults() {
		if !seen[f.name] {
			t.Errorf("no cell of %s", f.name)
		}
	}
	if !seen["initial"] || !seen["daily"] {
		t.Error("one mode only")
	}
}

func TestChoose(t *testing.T) {
	for pattern, want := range map[string]int{
		"*": 298, "Stage/killed/daily": 1, "Stage/killed": 2, "*/enrichment": 2, "*/*/daily": 149, "Scan/pg-down": 0, "Nowhere": 0, "Stage/killed/daily/x": 0,
	} {
		chosen, err := choose([]string{pattern})
		if len(chosen) != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d cells, want %d; %v", pattern, len(chosen), want, err)
		}
	}
}

// TestExceptionsHaveReasons: what is not run is not run for a reason.
func TestExceptionsHaveReasons(t *testing.T) {
	var b strings.Builder
	if err := exceptions(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- kms: the step does not call KMS (Scan, Plan, Stage,", "- pg-down: the step does not use PostgreSQL (Scan, Protect)", "- enrichment: ",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// TestBothWays: each step goes on after each fault once in the console's way and
// once by the product's, and the subset of the tests has both.
func TestBothWays(t *testing.T) {
	ways := map[string]int{}
	for _, c := range cells() {
		if c.byConsole() {
			ways[c.step.name+"/"+c.fault.name]++
		}
	}
	if len(ways) != len(cells())/2 {
		t.Errorf("%d of %d cells are redriven in the console's way, want half", len(ways), len(cells()))
	}
	chosen, err := choose(fast())
	if err != nil {
		t.Fatal(err)
	}
	byConsole, byFunction := 0, 0
	for _, c := range chosen {
		switch c.fault.name {
		case "error-before", "answer-lost", "killed", "timeout", "pg-down", "kms", "s3", "stopped": // these fail the execution
			if c.byConsole() {
				byConsole++
			} else {
				byFunction++
			}
		}
	}
	if byConsole < 2 || byFunction < 2 {
		t.Errorf("the subset has %d cells of the console and %d of the function", byConsole, byFunction)
	}
	if (cell{}).byConsole() {
		t.Error("a cell of no step is redriven by the console")
	}
}
