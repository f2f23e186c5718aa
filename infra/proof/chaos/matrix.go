package main

import (
	"fmt"
	"strings"
)

// step is a state of the machine that runs a function.
type step struct {
	name     string
	function string            // logical id in the template
	where    map[string]string // members of the event that tell it from another step of the same function
	commits  bool              // it writes in a transaction with a ledger row
	puts     bool              // it writes a work object
}

// steps are the steps in the order of the machine.
func steps() []step {
	return []step{
		{name: "Open", function: "OpenFunction", commits: true},
		{name: "Scan", function: "ScanFunction", puts: true},
		{name: "Plan", function: "PlanFunction", commits: true, puts: true},
		{name: "Protect", function: "ProtectFunction", puts: true},
		{name: "Stage", function: "StageFunction", commits: true},
		{name: "Validate", function: "ValidateFunction", commits: true},
		{name: "IndexStaging", function: "IndexFunction", where: map[string]string{"kind": "staging"}, commits: true},
		{name: "CrossCheck", function: "CrosscheckFunction", commits: true},
		{name: "Enrich", function: "EnrichFunction", commits: true, puts: true},
		{name: "Transform", function: "TransformFunction", puts: true},
		{name: "Prepare", function: "PrepareFunction", commits: true},
		{name: "IndexTargets", function: "IndexFunction", where: map[string]string{"kind": "target"}, commits: true},
		{name: "Reconcile", function: "ReconcileFunction", commits: true},
		{name: "Publish", function: "PublishFunction", commits: true},
	}
}

// fault is a thing that goes wrong.
type fault struct {
	name  string
	title string // in the table
	text  string // what happens
	// aborts says that transactions are aborted, so that PostgreSQL's counts of
	// inserts, which hold aborted ones, may be higher than an undisturbed import's.
	aborts bool
}

// faults are the columns of the table.
func faults() []fault {
	return []fault{
		{"error-before", "error before", "the task fails before its function is called", false},
		{"answer-lost", "answer lost", "the function does its work, then its answer is lost and the task fails", false},
		{"killed", "killed", "SIGKILL as the step's transaction is about to commit, or while S3 receives its object, until the retries are used up", true},
		{"timeout", "timeout", "the task times out while its function goes on, until the retries are used up", false},
		{"pg-restart", "PG restart", "PostgreSQL crashes and recovers as the step's transaction is about to commit", true},
		{"pg-down", "PG down", "PostgreSQL refuses every connection from the step on, until the retries are used up", true},
		{"kms", "KMS refuses", "KMS refuses every request of the step, until the execution fails", false},
		{"s3", "S3 500", "S3 answers every request of the step with status 500, until the retries are used up", true},
		{"enrichment", "enrichment down", "the enrichment source's process is gone until the import waits for it", false},
		{"twice", "delivered twice", "each of the step's tasks is delivered twice at the same time", false},
		{"two-redrives", "two redrives", "the step fails, and two redrives are asked for at once", false},
		{"stopped", "stopped by hand", "StopExecution in the middle of the step's write, which ends only after the redrive", false},
		{"late-twin", "late twin", "StopExecution in the middle of the step's write, which ends only after a restart has succeeded", false},
	}
}

// modes are those of the product.
func modes() []string { return []string{"initial", "daily"} }

// doesNotApply says why a fault cannot meet a step; it is empty if it can.
func doesNotApply(s step, f fault) string {
	touches := map[string]string{
		"kms":        "Open Protect Validate Enrich",
		"s3":         "Scan Plan Protect Stage Validate Enrich Transform Prepare",
		"enrichment": "Enrich",
	}
	switch names, limited := touches[f.name]; {
	case limited && !strings.Contains(" "+names+" ", " "+s.name+" "):
		return map[string]string{
			"kms":        "the step does not call KMS",
			"s3":         "the step does not call S3",
			"enrichment": "it does not enrich",
		}[f.name]
	case (f.name == "pg-restart" || f.name == "pg-down") && !s.commits && s.name != "Transform":
		return "the step does not use PostgreSQL"
	default:
		return ""
	}
}

// cell is one field of the matrix.
type cell struct {
	step  step
	fault fault
	mode  string
}

// atObject tells whether a fault in the middle of the step's write meets its object: if
// it does not commit, or if it does both, in one of the modes.
func (c cell) atObject() bool {
	return !c.step.commits || c.step.puts && c.mode == "initial"
}

// String is how `make chaos CELL=` names the cell.
func (c cell) String() string { return c.step.name + "/" + c.fault.name + "/" + c.mode }

// byConsole tells whether a failed import of the cell is redriven as the Step
// Functions console does it, by RedriveExecution and past the product, instead of
// by the rerun function: at every second step of the machine, in the daily mode
// at the others. So each step goes on in both ways after each fault.
func (c cell) byConsole() bool {
	for n, s := range steps() {
		if s.name == c.step.name {
			return (n%2 == 0) == (c.mode == "initial")
		}
	}
	return false
}

// cells are all that apply, mode by mode.
func cells() []cell {
	var all []cell
	for _, mode := range modes() {
		for _, f := range faults() {
			for _, s := range steps() {
				if doesNotApply(s, f) == "" {
					all = append(all, cell{s, f, mode})
				}
			}
		}
	}
	return all
}

// fast are the cells that the continuous integration runs: each fault once, each
// step at least once, both modes.
func fast() []string {
	return []string{
		"Plan/error-before/initial", "Protect/killed/initial", "Publish/answer-lost/initial", "CrossCheck/pg-down/initial",
		"IndexTargets/late-twin/initial",
		"Open/two-redrives/daily", "Scan/timeout/daily", "Stage/pg-restart/daily", "Validate/kms/daily",
		"IndexStaging/twice/daily", "Enrich/enrichment/daily", "Transform/killed/daily", "Prepare/s3/daily", "Reconcile/stopped/daily",
		"Publish/late-twin/daily",
	}
}

// choose returns the cells whose names begin with one of the patterns; a * stands
// for any step, fault or mode.
func choose(patterns []string) ([]cell, error) {
	var chosen []cell
	for _, p := range patterns {
		found := false
		for _, c := range cells() {
			if matches(p, c.String()) {
				chosen, found = append(chosen, c), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no cell is named %q: say STEP/FAULT/MODE, such as Stage/killed/daily; * stands for any", p)
		}
	}
	return chosen, nil
}

func matches(pattern, name string) bool {
	parts := strings.Split(name, "/")
	for i, want := range strings.Split(pattern, "/") {
		if i >= len(parts) || (want != "*" && want != parts[i]) {
			return false
		}
	}
	return true
}
